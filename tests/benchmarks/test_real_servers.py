"""The judge and a real inference server; `make detection ARGS=--real` judges all of it, and LiteLLM too."""

from __future__ import annotations

from benchmarks.detection.judge import judged_at
from benchmarks.detection.real.differences import unexplained
from benchmarks.detection.real.servers import AGENT, llama_behind_gateway

CLAUSES = ("chat.stream-*", "chat.session-*", "chat.reply-*", "chat.n-*", "chat.temperature-*")


def test_a_real_server_gets_a_verdict_and_each_failure_is_a_real_difference() -> None:
    with llama_behind_gateway() as url:
        found = judged_at(url, AGENT, [f"--clause={glob}" for glob in CLAUSES])
    assert found.exit_code == 1, found.output
    assert unexplained("llama.cpp", found) == []
    assert set(found.failed) == {
        "chat.n-below-minimum",
        "chat.stream-options-type",
        "chat.temperature-above-maximum",
        "chat.temperature-below-minimum",
    }
    assert list(found.words.values()).count("passed") >= 45, found.output
