"""A deployment whose model is not loaded yet is waited for, which is said; one that is loaded is not."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from agent_contract.base_url import Target
from agent_contract.messages import Reply, Request
from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.running import running
from contract_tests.deployment.budget import Budget
from contract_tests.deployment.client import DeploymentClient
from contract_tests.deployment.cold_start import ColdStart, WarmUp, warm_up
from contract_tests.report.saved_json import load
from server_defects.replies import empty_reply
from tests.contract_tests.support.clock import Clock
from tests.contract_tests.support.commands import verify
from tests.contract_tests.support.servers import Answer, serving

JSON = {"content-type": "application/json"}


def said(content: str | None, finish: str = "stop") -> Answer:
    choice = {"message": {"role": "assistant", "content": content}, "finish_reason": finish}
    return 200, JSON, json.dumps({"choices": [choice]}).encode()


@contextmanager
def asking(*answers: Answer) -> Iterator[tuple[DeploymentClient, Clock]]:
    """Yield a client of a server that gives these answers, the last of them for ever."""
    left, clock = list(answers), Clock()

    def answer(path: str, body: bytes) -> Answer:
        return left.pop(0) if len(left) > 1 else left[0]

    with serving(answer) as url:
        client = DeploymentClient(Target(url), "/chat", "", Budget(50, limiter=clock.limiter()), 5.0)
        yield client, clock
        client.close()


def waited(*answers: Answer, longest: float = 60.0) -> tuple[WarmUp, list[float], list[str]]:
    """Return what came of it, the pauses, and what was said."""
    told: list[str] = []
    with asking(*answers) as (client, clock):
        return warm_up(client, longest, lambda text, _: told.append(text)), clock.waits, told


@pytest.mark.parametrize("cold", [(502, {}, b""), (503, {}, b""), (504, {}, b""), said("")])
def test_a_cold_deployment_is_asked_again_until_it_answers(cold: Answer) -> None:
    found, waits, told = waited(cold, cold, cold, said("Hello!"))
    assert found.exchange.status == 200
    assert waits == [1.0, 2.0, 4.0]
    assert found.cold_start
    assert (found.cold_start.seconds, found.cold_start.still) == (7.0, "")
    assert "waiting, 60 s more at most" in told[0]
    assert told[-1].endswith("waited 7.0 s, then it answered")


def test_it_is_waited_for_no_longer_than_allowed() -> None:
    found, waits, told = waited((502, {}, b""), longest=5)
    assert found.exchange.status == 502
    assert waits == [1.0, 2.0, 2.0]
    assert told[-1].endswith("waited 5.0 s, it still is (502 Bad Gateway)")
    assert found.cold_start == ColdStart("502 Bad Gateway", 5.0, "502 Bad Gateway")


def test_pauses_do_not_grow_for_ever() -> None:
    _, waits, _ = waited((502, {}, b""), longest=60)
    assert max(waits) == 10.0
    assert sum(waits) == 60.0


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(said("Hello!"), id="an answer"),
        pytest.param(said("", "length"), id="cut before it answers"),
        pytest.param(said(None), id="null"),
        pytest.param((500, {}, b"boom"), id="a fault"),
        pytest.param((401, {}, b""), id="a refusal"),
        pytest.param((200, JSON, b"[]"), id="no object"),
        pytest.param((200, JSON, b'{"choices": [7]}'), id="no choice"),
    ],
)
def test_nothing_else_is_waited_for(answer: Answer) -> None:
    found, waits, told = waited(answer)
    assert (waits, told, found.cold_start) == ([], [], None)


def test_without_patience_nothing_is_waited_for() -> None:
    found, waits, told = waited((502, {}, b""), longest=0)
    assert (found.exchange.status, waits, told) == (502, [], [])


def cold_once(request: Request, body: bytes, number: int) -> Reply | None:
    """Answer 502 to the first request."""
    return empty_reply(502) if number == 1 else None


def test_a_cold_start_is_reported_and_fails_no_clause(tmp_path: Path) -> None:
    hooks = ServerHooks(arrive=cold_once)
    files = [f"--report={tmp_path / name}" for name in ("r.json", "r.html", "r.md")]
    with running(hooks) as url:
        found = verify(url, "--agent-id", hooks.agent_id, "--clause", "chat.messages-one", *files)
    assert found.code == 0, found.output
    assert "the deployment is cold (502 Bad Gateway): waiting" in found.error
    assert "then it answered" in found.output
    report = load(tmp_path / "r.json")
    assert report.cold_start
    assert report.cold_start.seen == "502 Bad Gateway"
    assert 1 <= report.cold_start.seconds < 60
    for name in ("r.html", "r.md"):
        text = (tmp_path / name).read_text(encoding="utf-8").replace("\\", "")
        assert "the deployment was cold (502 Bad Gateway): waited " in text


def test_the_report_shows_that_a_deployment_stayed_cold(tmp_path: Path) -> None:
    with serving(lambda path, body: (502, {}, b"")) as url:
        found = verify(url, "--agent-id=a", "--warmup=0.2", "--report=r.json", cwd=tmp_path)
    assert found.code == 2
    cold_start = load(tmp_path / "r.json").cold_start
    assert cold_start
    assert cold_start.still == "502 Bad Gateway"
