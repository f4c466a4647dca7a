"""What tests in other languages ask for: sessions with messages, and what differs from their expectations."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from agent_contract.messages import Request
from mockserver.engine import Engine
from tests.mockserver.support.chat_client import UNKNOWN, engine, request, user
from tests.mockserver.support.control_client import Control, send

TOOLS = [{"type": "function", "function": {"name": "get_weather"}}]
CALL = {"name": "get_weather", "arguments": {"city": "Paris"}}


@dataclass
class Scoped:
    """A client, and the control interface, in the scope `mine`."""

    player: Engine = field(default_factory=engine)

    def chat(self, *messages: Any, agent: str = "demo", **fields: Any) -> Any:
        said = [user(one) if isinstance(one, str) else one for one in messages]
        sent = request({"messages": said, **fields}, agent, x_mock_scope="mine")
        return json.loads(self.player.reply(sent).content())

    def problem(self, **expected: Any) -> str | None:
        reply = send(self.player, "POST", "/check", expected)
        assert reply.status == 200
        found: str | None = json.loads(reply.content())["problem"]
        return found

    def create(self, id: str = UNKNOWN, **body: Any) -> int:
        return send(self.player, "PUT", f"/sessions/{id}", body).status


def test_a_session_begins_with_messages() -> None:
    mine = Scoped()
    alone = mine.chat("What is my name?")["usage"]["prompt_tokens"]
    assert mine.create(agent="demo", messages=[user("My name is Ada."), {"role": "assistant", "content": "Hi!"}]) == 201
    answer = mine.chat("What is my name?", store_in_session=UNKNOWN)
    assert answer["usage"]["prompt_tokens"] > alone
    assert "Ada" in answer["choices"][0]["message"]["content"]
    assert Control(mine.player, "mine").get(f"/sessions/{UNKNOWN}")["messages"][0]["content"] == "My name is Ada."


def test_a_session_that_exists_or_has_no_agent_is_not_created() -> None:
    mine = Scoped()
    assert [mine.create(agent="demo"), mine.create(agent="demo"), mine.create(agent="none")] == [201, 409, 404]
    assert mine.create(agent="demo", messages=[{"role": "narrator"}]) == 422


def test_requests_are_found_as_expected() -> None:
    mine = Scoped()
    mine.chat("Hello!", temperature=0.2)
    mine.chat("How is the weather?", agent="demo-open")
    assert mine.problem(called={}) is None
    assert mine.problem(called={"agent": "demo", "contains": "Hello", "times": 1, "body": {"temperature": 0.2}}) is None
    assert mine.problem(order=["Hello", "weather"], usage={"max_tokens": 1000}) is None


@pytest.mark.parametrize(
    ("expected", "lines"),
    [
        (
            {"called": {"agent": "demo", "contains": "weather in Rome"}},
            [
                "calls with agent='demo', contains='weather in Rome': expected at least 1, got 0",
                "The nearest request is number 1:",
                "contains: expected 'weather in Rome', got 'How is the weather in Paris?'",
            ],
        ),
        ({"called": {"times": 1}}, ["calls with any request: expected 1, got 2"]),
        ({"called": {"agent": "demo", "body": {"temperature": 1}}}, ['-  "temperature": 1', '+  "temperature": 0.2']),
        ({"order": ["Bye", "weather"]}, ["The order of requests differs at 'weather'"]),
        ({"tool_called": {"name": "get_weather"}}, ["The client sent no result of get_weather."]),
        ({"usage": {"max_tokens": 3}}, ["total_tokens: expected at most 3, got"]),
    ],
)
def test_what_differs_is_described(expected: dict[str, Any], lines: list[str]) -> None:
    mine = Scoped()
    mine.chat("How is the weather in Paris?", temperature=0.2)
    mine.chat("Bye!", agent="demo-open")
    problem = mine.problem(**expected)
    assert problem is not None
    for line in lines:
        assert line in problem


def test_a_tool_is_called_if_its_result_comes_back() -> None:
    mine = Scoped()
    send(mine.player, "POST", "/rules", {"answers": [{"tool_calls": [CALL]}, "Take an umbrella."]})
    asked = mine.chat("How is the weather?", tools=TOOLS)["choices"][0]["message"]
    result = {"role": "tool", "tool_call_id": asked["tool_calls"][0]["id"], "content": "It rains."}
    mine.chat("How is the weather?", asked, result, tools=TOOLS)
    assert mine.problem(tool_called={**CALL, "result": "rains"}) is None
    assert '+  "city": "Paris"' in str(mine.problem(tool_called={**CALL, "arguments": {"city": "Rome"}}))
    assert "does not contain 'snow'" in str(mine.problem(tool_called={"name": "get_weather", "result": "snow"}))


def test_requests_that_prepare_a_test_are_neither_expected_nor_explained() -> None:
    mine = Scoped()
    sent = request({"messages": [user("Hello!")]}, x_mock_scope="mine")
    mine.player.reply(replace(sent, headers={**sent.headers, "user-agent": "agent-contract-kit"}))
    assert "got 0" in str(mine.problem(called={}))
    explained = mine.player.reply(Request("GET", "/__mock__/explanation", (), {"x-mock-scope": "mine"})).content()
    assert b"no request" in explained


@pytest.mark.parametrize("body", [{}, {"caled": {}}, {"called": {"agnet": "demo"}}, {"order": "Hello"}, []])
def test_an_unknown_expectation_is_refused(body: Any) -> None:
    assert send(engine(), "POST", "/check", body).status == 422
