"""One request of the journal as code, as a fixture and as a test."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_contract.messages import Request
from mockserver.adapters.threaded_server import MockServer
from mockserver.engine import Engine
from mockserver.fixtures.formats.table import FORMATS
from mockserver.testing.agent_mock import AgentMock
from tests.mockserver.support.chat_client import engine, path_of
from tests.mockserver.support.control_client import Control

WITH_REQUEST = ("json", "jsonl", "curl", "http", "har", "openai-python", "openai-node", "postman", "pact", "test")
PYTHON = ("openai-python", "openai-types", "respx", "pytest-httpx", "httpx2-pytest", "responses", "test")


def asked(player: Engine, body: Any, **headers: str) -> None:
    named = {"content-type": "application/json; charset=utf-8", "user-agent": "x/1", "host": "mock.test", **headers}
    player.reply(Request("POST", path_of(), (), named, json.dumps(body, indent=1).encode()))


def text_of(player: Engine, name: str, scope: str = "") -> str:
    files = Control(player, scope).get(f"/requests/1/formats/{name}")["files"]
    return "\n".join(file["text"] for file in files)


@pytest.fixture
def player() -> Engine:
    mock = engine()
    asked(mock, {"messages": [{"role": "user", "content": "Hello!"}], "stream": True}, authorization="Bearer secret-1")
    return mock


@pytest.mark.parametrize("name", [*FORMATS, "test"])
def test_each_format_contains_the_request_and_no_token(player: Engine, name: str) -> None:
    text = text_of(player, name)
    assert "secret-1" not in text
    assert "Hello!" in text or name not in WITH_REQUEST
    if name in PYTHON:
        compile(text, name, "exec")


def test_the_command_names_the_address_of_the_mock_and_the_token_s_variable(player: Engine) -> None:
    text = text_of(player, "curl")
    assert f"curl -sS -X POST 'http://127.0.0.1:8000{path_of()}'".replace("'", "") in text.replace("'", "")
    assert '-H "authorization: Bearer $AGENT_CONTRACT_TOKEN"' in text
    assert "user-agent" not in text


def test_a_request_in_a_scope_is_written_for_its_scope() -> None:
    player = engine()
    asked(player, {"messages": [{"role": "user", "content": "Hi"}]}, **{"x-mock-scope": "mine"})
    assert "http://127.0.0.1:8000/__mock__/scope/mine/api/" in text_of(player, "openai-python", "mine")


@pytest.mark.parametrize("body", [{"messages": [{"role": "user", "content": 'Say "hi"\\'}]}, {"messages": []}])
def test_the_test_passes(body: Any, agent_mock: AgentMock) -> None:
    player, names = engine(), dict[str, Any]()
    asked(player, body)
    exec(compile(text_of(player, "test"), "test", "exec"), names)
    names["test_request_1"](agent_mock)


def test_the_program_runs_against_the_mock(capsys: pytest.CaptureFixture[str]) -> None:
    with MockServer(engine()) as server:
        asked(server.engine, {"messages": [{"role": "user", "content": "Hello!"}], "model": ""})
        exec(text_of(server.engine, "openai-python").replace("http://127.0.0.1:8000", server.url), {})
    assert json.loads(capsys.readouterr().out)["object"] == "chat.completion"


@pytest.mark.parametrize(("name", "status"), [("nonsense", 404), ("sse", 409)])
def test_a_format_that_can_not_contain_it_is_refused(name: str, status: int) -> None:
    player = engine()
    asked(player, {"messages": [{"role": "user", "content": "Hello!"}]})
    assert Control(player).status("GET", f"/requests/1/formats/{name}") == status


def test_a_request_that_is_not_kept_whole_is_refused() -> None:
    player = engine()
    asked(player, {"messages": [{"role": "user", "content": "word " * 3000}]})
    assert Control(player).status("GET", "/requests/1/formats/curl") == 409
