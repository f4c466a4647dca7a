"""The mock of one test: clients, transports, agents, sessions, and assertions on what was asked."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import httpx2
import openai
import pytest

from agent_contract.document.errors import ContractError
from mockserver.recording.expectations import differences
from mockserver.testing import AgentMock
from mockserver.testing.agent_mock import SharedServer, serve_mock

HELLO: Any = [{"role": "user", "content": "Hello!"}]
TOOLS: Any = [{"type": "function", "function": {"name": "get_weather"}}]


@pytest.fixture(scope="module")
def shared() -> Iterator[SharedServer]:
    with serve_mock() as running:
        yield running


@pytest.fixture
def mock(shared: SharedServer) -> Iterator[AgentMock]:
    with shared.open() as opened:
        yield opened


def ask(mock: AgentMock, messages: Any = HELLO, agent: str = "demo", **fields: Any) -> Any:
    return mock.client(agent).chat.completions.create(model="", messages=messages, **fields)


def content(mock: AgentMock, **fields: Any) -> str | None:
    text: str | None = ask(mock, **fields).choices[0].message.content
    return text


def test_openai_s_clients_use_the_scope_of_the_test(mock: AgentMock) -> None:
    mock.reply("Scripted.")
    assert content(mock) == "Scripted."

    async def ask_async() -> Any:
        async with mock.async_client() as client:
            return await client.chat.completions.create(model="", messages=HELLO)

    assert asyncio.run(ask_async()).choices[0].message.content == "Scripted."


def test_the_transports_use_the_scope_of_the_test(mock: AgentMock) -> None:
    mock.reply("Scripted.")
    path = "http://mock/api/v1/compatibility/openai/v1/agents/demo/chat/completions"
    with httpx.Client(transport=mock.transport) as http, httpx2.Client(transport=mock.httpx2_transport) as http2:
        answers = [http.post(path, json={"messages": HELLO}).json(), http2.post(path, json={"messages": HELLO}).json()]
    assert [one["choices"][0]["message"]["content"] for one in answers] == ["Scripted."] * 2
    mock.assert_called(2, agent="demo")


def test_conditions_and_answers_are_those_of_rules(mock: AgentMock) -> None:
    mock.reply("To Hello.", user_contains="Hello")
    mock.reply("one", "two", then="repeat")
    other: Any = [{"role": "user", "content": "Bye!"}]
    assert [content(mock), *(content(mock, messages=other) for _ in range(3))] == ["To Hello.", "one", "two", "one"]


def test_a_wrong_rule_or_fault_is_refused(mock: AgentMock) -> None:
    with pytest.raises(ContractError, match='did you mean "user_contains"'):
        mock.reply("x", user_contain="y")
    with pytest.raises(ContractError, match='did you mean "times"'):
        mock.fail(429, tims=1)
    with pytest.raises(TypeError, match="needs an answer"):
        mock.reply()


def test_an_agent_of_the_test_can_be_used_by_its_name(mock: AgentMock) -> None:
    id = mock.agent("helper", model="mistral-7b")
    mock.fail(502, agent="helper")
    assert id in mock.base_url("helper")
    assert mock.client("helper", max_retries=0).base_url.path.endswith(f"/{id}/")
    with pytest.raises(Exception, match="502"):
        mock.client("helper", max_retries=0).chat.completions.create(model="", messages=HELLO)
    assert ask(mock).choices
    mock.assert_called(1, agent="helper")


def test_an_invalid_agent_is_an_error(mock: AgentMock) -> None:
    with pytest.raises(ValueError, match="can't be created"):
        mock.agent("x" * 300)


def test_a_session_can_begin_with_messages(mock: AgentMock) -> None:
    session = mock.session(messages=[{"role": "user", "content": "My name is Ada."}])
    alone = ask(mock).usage.prompt_tokens
    answer = ask(mock, extra_body={"store_in_session": session})
    assert answer.usage.prompt_tokens > alone
    assert [one.session for one in mock.requests] == ["", session]
    assert len(mock.calls(session=session)) == 1


def test_a_session_begins_at_the_time_of_the_clock(mock: AgentMock) -> None:
    mock.agent("short", session_max_ttl=600)
    mock.clock.advance(3600)
    session = {"store_in_session": mock.session("short")}
    assert ask(mock, agent="short", extra_body=session)
    mock.clock.advance(601)
    with pytest.raises(openai.NotFoundError):
        ask(mock, agent="short", extra_body=session)


def test_a_scenario_file_is_added(mock: AgentMock, tmp_path: Path) -> None:
    (tmp_path / "scenario.yaml").write_text("rules: [{answer: From the file.}]", encoding="utf-8")
    mock.scenario(tmp_path / "scenario.yaml")
    assert content(mock) == "From the file."


def test_a_missing_call_names_the_nearest_one(mock: AgentMock) -> None:
    ask(mock)
    with pytest.raises(AssertionError, match="contains='Hallo!': expected at least 1, got 0\nThe nearest request is"):
        mock.assert_called(contains="Hallo!")
    with pytest.raises(AssertionError, match="any request: expected 2, got 1"):
        mock.assert_called(2)


def test_a_missing_call_lists_each_field_that_differs_with_expected_and_got(mock: AgentMock) -> None:
    ask(mock, [{"role": "user", "content": "Bye!"}])
    ask(mock)
    with pytest.raises(AssertionError) as caught:
        mock.assert_called(agent="demo-tools", session="s", contains="Hallo!")
    assert str(caught.value).startswith(
        """calls with agent='demo-tools', session='s', contains='Hallo!': expected at least 1, got 0
The nearest request is number 2:
  agent: expected 'demo-tools', got 'demo'
  session: expected 's', got ''
  contains: expected 'Hallo!', got 'Hello!'
    - Hallo!
    ?  ^
    + Hello!
    ?  ^
1. POST """
    )


def test_the_order_of_requests_is_checked(mock: AgentMock) -> None:
    for text in ("Hello!", "How are you?", "Bye!"):
        ask(mock, [{"role": "user", "content": text}])
    mock.assert_order("Hello", "Bye")
    mock.assert_order()
    with pytest.raises(AssertionError, match=r"differs at 'Hello':\n(.*\n)*\+  \"Hello!\",\n"):
        mock.assert_order("Bye", "Hello")
    with pytest.raises(AssertionError, match="differs at 'Hello'"):
        mock.assert_order("Hello", "Hello")


def test_a_body_that_differs_is_shown_as_a_difference(mock: AgentMock) -> None:
    ask(mock, temperature=1)
    mock.assert_called(body={"temperature": 1})
    with pytest.raises(AssertionError, match=r'-  "temperature": 0\n\+  "temperature": 1'):
        mock.assert_called(body={"temperature": 0})


@pytest.mark.parametrize("stream", [False, True])
def test_a_tool_loop_is_checked(mock: AgentMock, stream: bool) -> None:
    mock.reply(tool_calls=[{"name": "get_weather", "arguments": {"city": "Paris"}, "id": "c1"}], tool_result=False)
    answer = ask(mock, tools=TOOLS, stream=stream)
    if stream:
        list(answer)
    assert list(mock.requests[0].calls()) == [("c1", "get_weather", {"city": "Paris"})]
    with pytest.raises(
        AssertionError, match=r"no result of get_weather. Calls of the mock: get_weather. Results .* none"
    ):
        mock.assert_tool_called("get_weather")
    call = {"id": "c1", "type": "function", "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'}}
    said = [
        *HELLO,
        {"role": "assistant", "tool_calls": [call]},
        {"role": "tool", "tool_call_id": "c1", "content": "Rain"},
    ]
    ask(mock, said, tools=TOOLS)
    mock.assert_tool_called("get_weather", {"city": "Paris"}, result="Rain")
    with pytest.raises(AssertionError, match=r'-  "city": "Rome"\n\+  "city": "Paris"'):
        mock.assert_tool_called("get_weather", {"city": "Rome"})
    with pytest.raises(AssertionError, match="does not contain 'Sun'"):
        mock.assert_tool_called("get_weather", result="Sun")


def test_the_tokens_of_a_test_are_bounded(mock: AgentMock) -> None:
    total = ask(mock).usage.total_tokens
    mock.assert_usage(max_tokens=total)
    with pytest.raises(AssertionError, match=f"expected at most {total - 1}, got {total}"):
        mock.assert_usage(max_tokens=total - 1)


def test_a_stream_that_reports_no_usage_does_not_count_as_none(mock: AgentMock) -> None:
    list(ask(mock, stream=True, stream_options={"include_usage": True}))
    mock.assert_usage(max_tokens=10_000)
    list(ask(mock, stream=True))
    with pytest.raises(AssertionError, match=r"request 2 is a stream that reports no usage\. Send stream_options="):
        mock.assert_usage(max_tokens=10_000)


def test_requests_without_the_scope_of_the_test_are_reported(shared: SharedServer) -> None:
    path = "/api/v1/compatibility/openai/v1/models"
    httpx.get(f"{shared.server.url}{path}")
    with shared.open() as mock:
        assert "received no request. Does" in mock.describe()
        httpx.get(f"{shared.server.url}{path}")
        assert f"1 came without the scope of the test, the last one GET {path}. Use agent_mock" in mock.describe()


def test_a_scope_is_deleted_after_its_test(shared: SharedServer) -> None:
    with shared.open() as mock:
        mock.reply("x")
        ask(mock)
        assert shared.engine.requests(mock.scope)
    assert shared.engine.requests(mock.scope) == []
    assert shared.engine.scripts.shown(mock.scope)["rules"] == []


def test_a_test_without_requests_is_explained(mock: AgentMock) -> None:
    assert "received no request" in mock.describe()


def test_connections_can_be_refused(mock: AgentMock) -> None:
    client = mock.client(max_retries=0)
    ask(mock)
    with mock.refused_connections():
        with pytest.raises(openai.APIConnectionError) as error:
            client.chat.completions.create(model="", messages=HELLO)
        assert isinstance(error.value.__cause__, httpx2.ConnectError)
    assert client.chat.completions.create(model="", messages=HELLO).choices


def test_the_difference_of_two_values_is_headed_by_what_was_expected_and_got() -> None:
    lines = differences({"a": 1, "b": 2}, {"a": 1, "b": 3}).splitlines()
    assert lines[:2] == ["--- expected", "+++ got"]
    assert lines[-3:] == ['-  "b": 2', '+  "b": 3', " }"]
