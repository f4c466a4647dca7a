"""What is known of the API beyond its schemas, and the choices that the mock made."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent_contract.messages import Request
from mockserver import load_engine
from mockserver.config import Config
from mockserver.server.access_log import describe
from tests.mockserver.support.api_client import COMPLETER, ApiClient
from tests.mockserver.support.chat_client import ChatClient, details, engine, request, user

CALL = {"id": "call_0", "type": "function", "function": {"name": "get_time", "arguments": "{}"}}
RESULT = {"role": "tool", "tool_call_id": "call_0", "content": "Noon."}
IMAGE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,iVBORw0KGgo="}}
AUDIO = {"type": "input_audio", "input_audio": {"data": "", "format": "wav"}}


def completed(body: dict[str, Any], agent: str = "demo-knowledge") -> Any:
    """Return the chunks of a streamed legacy completion."""
    path = f"/api/v1/compatibility/openai/v1/agents/{agent}/completions"
    sent = json.dumps({**body, "stream": True}).encode()
    reply = engine().reply(Request("POST", path, (), {"content-type": "application/json"}, sent))
    assert not isinstance(reply.body, bytes)
    return [json.loads(event.data) for event in reply.body[:-1]]


@pytest.mark.parametrize("content", [{}, {"content": None}, {"content": ""}])
def test_an_assistant_message_with_tool_calls_needs_no_content(content: dict[str, Any]) -> None:
    said = {"role": "assistant", "tool_calls": [CALL], **content}
    assert "Noon." in ChatClient().content(user("What time is it?"), said, RESULT)


def test_an_answer_without_its_null_fields_can_be_sent_back() -> None:
    tools = [{"type": "function", "function": {"name": "get_time"}}]
    message = ChatClient().answer(tools=tools, tool_choice="required")["choices"][0]["message"]
    said = {name: value for name, value in message.items() if value is not None}
    result = {**RESULT, "tool_call_id": message["tool_calls"][0]["id"]}
    assert "content" not in said
    assert ChatClient().reply("Hello!", said, result, tools=tools).status == 200


def test_a_user_message_without_content_is_refused() -> None:
    assert ChatClient().reply({"role": "user"}).status == 422


@pytest.mark.parametrize(("part", "kind"), [(IMAGE, "image_url"), (AUDIO, "input_audio"), ({"type": "file"}, "file")])
def test_a_part_that_is_not_text_is_refused_with_the_reason(part: dict[str, Any], kind: str) -> None:
    status, why = ChatClient().refusal({"role": "user", "content": [{"type": "text", "text": "Look!"}, part]})
    assert status == 400
    assert f'Content part 1 of message 0 has the type "{kind}"' in why
    assert "text parts only" in why


def test_a_part_of_type_text_needs_its_text() -> None:
    assert ChatClient().reply({"role": "user", "content": [{"type": "text"}]}).status == 422


def test_an_empty_array_of_tools_is_accepted() -> None:
    assert ChatClient().reply(tools=[]).status == 200


def test_a_uc_function_is_accepted_and_never_called() -> None:
    tools = [{"type": "uc_function", "uc_function": {"name": "catalog.schema.get_time"}}]
    answer = ChatClient().answer("Call get_time.", agent="demo-tools", tools=tools)
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert ChatClient().reply(tools=tools, tool_choice="required").status == 400


@pytest.mark.parametrize(
    ("tool", "status"),
    [
        ({"type": "function"}, 422),
        ({"type": "function", "uc_function": None}, 422),
        ({"type": "function", "uc_function": {"name": "a"}}, 400),
        ({"type": "retrieval", "function": {"name": "a"}}, 400),
    ],
)
def test_a_tool_whose_type_does_not_fit_is_refused(tool: dict[str, Any], status: int) -> None:
    assert ChatClient().reply(tools=[tool]).status == status


@pytest.mark.parametrize("field", ["stream", "create_session"])
@pytest.mark.parametrize("value", ["true", 1, "yes"])
def test_booleans_are_strict(field: str, value: Any) -> None:
    assert ChatClient().reply(**{field: value}).status == 422


def test_a_streamed_completion_carries_context_and_session() -> None:
    chunks = completed({"prompt": "How long may I keep a borrowed book?", "create_session": True})
    assert [one["metadata"]["origin_name"] for one in chunks[0]["index_context_info"]] == ["loans.txt", "fees.txt"]
    assert all("index_context_info" not in chunk for chunk in chunks[1:])
    assert len({chunk["session_id"] for chunk in chunks}) == 1


def test_a_streamed_completion_without_knowledge_carries_no_context() -> None:
    assert all("index_context_info" not in chunk for chunk in completed({"prompt": "Hello!"}, "demo"))


@pytest.mark.parametrize(
    ("body", "headers", "place"),
    [
        ({"session_id": "a"}, {}, "session_id in the body"),
        ({}, {"x_session_id": "a"}, "session_id in the header x-session-id"),
    ],
)
def test_a_session_id_in_a_request_gets_a_hint(body: dict[str, Any], headers: dict[str, str], place: str) -> None:
    mock = engine()
    exchange = mock.handle(request({"messages": [user("Hello!")], **body}, **headers))
    assert exchange.reply.status == 200
    (hint,) = exchange.hints
    assert hint.startswith(place)
    assert "store_in_session" in hint
    assert hint in describe(exchange, 0.0, 0.0, colour=False)
    assert mock.requests()[0]["hints"] == [hint]


def test_a_session_id_in_the_query_gets_a_hint() -> None:
    asked = replace(request({"messages": [user("Hello!")]}), query=(("session_id", "a"),))
    (hint,) = engine().handle(asked).hints
    assert hint.startswith("session_id in the query")


def test_a_request_with_store_in_session_gets_no_hint() -> None:
    mock = engine()
    mock.handle(request({"messages": [user("Hello!")], "create_session": True}))
    assert mock.requests()[0]["hints"] == []


@pytest.mark.parametrize(
    "path", ["/api/v1/control", "/api/v1/control/data-sources", "/api/v1/control/mcp-servers/tools", "/env.json"]
)
def test_a_published_path_that_the_mock_does_not_serve_is_named_in_the_404(path: str) -> None:
    mock = engine()
    exchange = mock.handle(Request("GET", path))
    said = json.loads(exchange.reply.content())["detail"]
    assert exchange.reply.status == 404
    assert said == "This path is part of the published API, but this mock does not serve it."
    assert said in describe(exchange, 0.0, 0.0, colour=False)


@pytest.mark.parametrize("path", ["/api/v1/controls", "/env.json.bak", "/api/v1"])
def test_an_unknown_path_gets_the_nearest_known_one(path: str) -> None:
    said = json.loads(engine().reply(Request("GET", path)).content())["detail"]
    assert said.startswith("No such path. Did you mean /")


def test_items_of_a_422_have_a_code_and_a_value_if_wanted(tmp_path: Path) -> None:
    body = {"messages": [user("Hello!")], "n": 0, "stop": "x" * 1000, "seed": {"a": 1}}
    plain = json.loads(engine().reply(request(body)).content())["detail"]
    coded = json.loads(engine(replace(Config(), error_codes=True)).reply(request(body)).content())["detail"]
    assert [
        {**item, "error_code": "VALIDATION_ERROR", "value": found["value"]}
        for item, found in zip(plain, coded, strict=True)
    ] == coded
    by_field = {item["loc"][1]: item["value"] for item in coded}
    assert by_field == {"n": 0, "stop": "x" * 200, "seed": None}


def test_error_codes_are_a_setting_of_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "mock.yaml"
    file.write_text("error_codes: true\n", encoding="utf-8")
    (item,) = json.loads(load_engine(config=file).reply(request({})).content())["detail"]
    assert item["error_code"] == "VALIDATION_ERROR"


@pytest.mark.parametrize("kind", ["agents", "assistants"])
def test_a_create_needs_the_fields_of_the_published_form_if_wanted(tmp_path: Path, kind: str) -> None:
    file = tmp_path / "mock.yaml"
    file.write_text("published_create_form: true\n", encoding="utf-8")
    caller = ApiClient(load_engine(config=file))
    whole = {"model": COMPLETER, "session_max_length": 1000, "session_summarization_strategy": "delete_oldest"}
    assert caller.post(f"/{kind}", whole)["session_max_length"] == 1000
    reply = caller.exchange("POST", f"/{kind}", {"model": COMPLETER, "session_max_length": None}).reply
    missing = [["body", "session_max_length"], ["body", "session_summarization_strategy"]]
    assert details(reply) == [(where, "missing") for where in missing]
    assert caller.status("POST", f"/{kind}", []) == 422
    assert ApiClient().status("POST", f"/{kind}", {"model": COMPLETER}) == 201
