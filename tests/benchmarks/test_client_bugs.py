"""The comparison of mock servers by the bugs of clients that they refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.client_bugs import servers
from benchmarks.client_bugs.__main__ import main, table
from benchmarks.client_bugs.bugs import BUGS, Answer, answers
from mockserver import MockServer

AGENT = "/api/v1/compatibility/openai/v1/agents/demo/chat/completions"


def test_this_mock_refuses_every_bug_and_names_the_field() -> None:
    with MockServer() as served:
        found = answers(served.url + AGENT)
    assert [answer.refused and answer.names_field for answer in found] == [True] * len(BUGS)
    assert f"| refused | {len(BUGS)} of {len(BUGS)} |" in table([("this mock", found)])


def test_what_is_accepted_is_not_counted() -> None:
    found = [Answer(200, False)] * (len(BUGS) - 1) + [Answer(422, False)]
    assert f"| refused | 1 of {len(BUGS)} |" in table([("another", found)])


def test_a_server_that_refuses_the_valid_request_is_not_compared() -> None:
    with MockServer() as served, pytest.raises(ValueError, match="valid request with 404"):
        answers(served.url + AGENT.replace("demo", "nobody"))


def test_without_npm_it_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(servers, "FOLDER", tmp_path / "build")
    assert main() == 1
    assert "install Node 20 or newer" in capsys.readouterr().err
