"""`agent-contract record-check`: recordings against today's contract, and against another."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from agent_contract.cli import main
from agent_contract.messages import Exchange, Reply, Request
from mockserver.recording.recording_folder import write_recording
from tests.docs.support.blocks import ROOT
from tests.mockserver.support.chat_client import engine, request, user

MOCK = engine()


def sent(**fields: Any) -> Request:
    return request({"messages": [user("Hello!")], **fields})


def edited(reply: Reply, **fields: Any) -> Reply:
    return Reply(reply.status, reply.headers, json.dumps(json.loads(reply.content()) | fields).encode())


def check(folder: Path, *exchanges: Exchange, options: tuple[str, ...] = ()) -> Result:
    for number, exchange in enumerate(exchanges, 1):
        write_recording(folder, number, exchange)
    return CliRunner().invoke(main, ["record-check", str(folder), *options])


def test_recordings_of_the_mock_conform(tmp_path: Path) -> None:
    asked = [sent(), sent(stream=True), sent(temperature=3), Request("GET", "/api/v1/agents")]
    result = check(tmp_path, *(MOCK.handle(one) for one in asked))
    assert (result.exit_code, result.output) == (0, "4 recordings conform to Agent API 9.1.1.\n")


@pytest.mark.parametrize(
    ("exchange", "line"),
    [
        (
            Exchange(sent(temperature=3), MOCK.reply(sent())),
            "request/body/temperature maximum: expected 2, got 3 (chat.temperature-above-maximum)",
        ),
        (Exchange(request(b"{"), MOCK.reply(sent())), "request/body/1 json: "),
        (Exchange(sent(), edited(MOCK.reply(sent()), choices=1)), "reply/body/choices type: "),
        (Exchange(sent(), Reply(418, {}, b"")), "reply/status responses: "),
        (Exchange(Request("GET", "/gone"), Reply(200, {}, b"")), "request: the contract has no GET /gone"),
        (
            Exchange(sent(stream=True), Reply(200, {"content-type": "text/event-stream"}, b'data: {"id": 1}\n\n')),
            "reply/body/0/data",
        ),
    ],
)
def test_what_breaks_the_contract_is_listed(tmp_path: Path, exchange: Exchange, line: str) -> None:
    result = check(tmp_path, MOCK.handle(sent()), exchange)
    assert result.exit_code == 1
    assert f"0002-unknown.json: {line}" in result.output
    assert "Error: 1 of 2 recordings break Agent API 9.1.1." in result.output


def test_a_recording_can_be_held_to_another_version(tmp_path: Path) -> None:
    listed = MOCK.handle(Request("GET", "/api/v1/agents"))
    result = check(tmp_path, listed, options=("--api-version", "9.0"))
    assert "Agent API 9.0" in result.output


def test_the_fixtures_conform() -> None:
    result = CliRunner().invoke(main, ["record-check", str(ROOT / "fixtures" / "exchanges")])
    assert result.exit_code == 0, result.output


@pytest.mark.parametrize("options", [["nowhere"], [".", "--api-version", "1"]])
def test_a_wrong_option_is_reported(options: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(main, ["record-check", *options])
    assert (result.exit_code, "Error" in result.output) == (2, True)
