"""Which declared tools are called, how a call is written, and that an agent loop ends."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_contract import check_reply, read_schema
from mockserver.generation.tokenizer import count_tokens
from tests.mockserver.support.chat_client import OPERATION, ChatClient, engine, limited, request, user


def tool(name: str, parameters: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"type": "function", "function": {"name": name, "parameters": parameters}}


PLACE = {"type": "string", "minLength": 2}
PARAMETERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "city": PLACE,
        "unit": {"enum": ["C", "F"]},
        "days": {"type": "integer", "minimum": 1, "maximum": 7},
    },
    "required": ["city", "unit", "days"],
    "additionalProperties": False,
}
WEATHER = tool("get_weather", PARAMETERS)
TIME = tool("get_time")
ASKED = "What is the weather in Paris?"
NAMED = {"type": "function", "function": {"name": "get_time"}}


def calls(answer: Any, index: int = 0) -> Any:
    return answer["choices"][index]["message"].get("tool_calls")


def names(answer: Any) -> list[str]:
    return [call["function"]["name"] for call in calls(answer) or ()]


def test_a_call_has_an_id_a_type_a_name_and_arguments_that_its_schema_accepts(ask: ChatClient) -> None:
    answer = ask.answer(ASKED, tools=[WEATHER], tool_choice="required")
    (choice,) = answer["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["content"] is None
    (call,) = choice["message"]["tool_calls"]
    assert call.keys() == {"id", "type", "function"}
    assert call["id"].startswith("call_")
    assert call["type"] == "function"
    arguments = json.loads(call["function"]["arguments"])
    assert read_schema(PARAMETERS).validator.is_valid(arguments)
    assert arguments["city"] == "Paris"


def test_each_call_has_an_id_of_its_own(ask: ChatClient) -> None:
    answers = [ask.answer("get weather and get_time", tools=[WEATHER, TIME], tool_choice="required") for _ in range(2)]
    assert len({call["id"] for answer in answers for call in calls(answer)}) == 4


@pytest.mark.parametrize(
    ("choice", "agent", "called"),
    [
        (None, "demo", []),
        ("auto", "demo", []),
        ("none", "demo", []),
        ("required", "demo", ["get_weather"]),
        (NAMED, "demo", ["get_time"]),
        (None, "demo-tools", ["get_weather"]),
        ("auto", "demo-tools", ["get_weather"]),
        ("none", "demo-tools", []),
        ("required", "demo-tools", ["get_weather"]),
        (NAMED, "demo-tools", ["get_time"]),
    ],
)
def test_the_choice_and_else_the_agent_select_the_called_tools(
    ask: ChatClient, choice: Any, agent: str, called: Any
) -> None:
    answer = ask.answer(ASKED, agent=agent, tools=[WEATHER, TIME], tool_choice=choice)
    assert names(answer) == called
    assert bool(answer["choices"][0]["message"]["content"]) is not bool(called)


@pytest.mark.parametrize(
    ("said", "parallel", "called"),
    [
        ("Please get the time.", None, ["get_weather"]),
        ("Please GET TIME now.", None, ["get_time"]),
        ("Call get_time, then get_weather.", None, ["get_weather", "get_time"]),
        ("Call get_time, then get_weather.", True, ["get_weather", "get_time"]),
        ("Call get_time, then get_weather.", False, ["get_weather"]),
        ("forget_timer", None, ["get_weather"]),
    ],
)
def test_of_several_tools_those_are_called_that_the_user_names(
    ask: ChatClient, said: str, parallel: bool | None, called: list[str]
) -> None:
    fields: dict[str, Any] = {} if parallel is None else {"parallel_tool_calls": parallel}
    assert names(ask.answer(said, tools=[WEATHER, TIME], tool_choice="required", **fields)) == called


def test_without_tools_an_agent_that_calls_them_answers_in_words(ask: ChatClient) -> None:
    without: list[dict[str, Any]] = [
        {},
        {"tools": None},
        {"tools": []},
        {"tool_choice": "auto"},
        {"tool_choice": "none"},
    ]
    for none in without:
        assert ask.content(ASKED, agent="demo-tools", **none)


@pytest.mark.parametrize("choice", [None, "auto", "required", NAMED])
def test_a_loop_ends_with_an_answer_that_takes_up_the_results(ask: ChatClient, choice: Any) -> None:
    fields: dict[str, Any] = {"agent": "demo-tools", "tools": [TIME, WEATHER], "tool_choice": choice}
    said: list[dict[str, Any]] = [user("Call get_time and get_weather.")]
    first = ask.answer(*said, **fields)["choices"][0]["message"]
    results = ["twelve", [{"type": "text", "text": "18 degrees"}]]
    said += [
        first,
        *(
            {"role": "tool", "tool_call_id": call["id"], "content": text}
            for call, text in zip(first["tool_calls"], results, strict=False)
        ),
    ]
    answer = ask.answer(*said, **fields)
    assert calls(answer) is None
    assert answer["choices"][0]["finish_reason"] == "stop"
    assert "The answer of get_time is: twelve" in answer["choices"][0]["message"]["content"]
    if choice in (None, "auto", "required"):
        assert "The answer of get_weather is: 18 degrees" in answer["choices"][0]["message"]["content"]


def test_a_question_after_a_result_gets_a_call_again(ask: ChatClient) -> None:
    result = {"role": "tool", "tool_call_id": "x", "content": "18 degrees"}
    assert calls(ask.answer(ASKED, result, "And in Rome?", tools=[WEATHER], tool_choice="required"))


def test_a_session_keeps_the_calls_and_knows_whose_result_comes(ask: ChatClient) -> None:
    first = ask.answer(ASKED, tools=[WEATHER], tool_choice="required", create_session=True)
    session, (call,) = first["session_id"], calls(first)
    result = {"role": "tool", "tool_call_id": call["id"], "content": "18 degrees"}
    second = ask.answer(result, tools=[WEATHER], tool_choice="required", store_in_session=session)
    content = second["choices"][0]["message"]["content"]
    assert "The answer of get_weather is: 18 degrees" in content
    assert "weather in Paris" in content
    kept = count_tokens(ASKED) + count_tokens("get_weather") + count_tokens(call["function"]["arguments"])
    plain = ask.answer(result, tools=[WEATHER], tool_choice="required")
    assert second["usage"]["prompt_tokens"] - plain["usage"]["prompt_tokens"] == kept


def test_calls_and_tools_count_in_the_usage(ask: ChatClient) -> None:
    without = ask.answer(ASKED)["usage"]["prompt_tokens"]
    answer = ask.answer(ASKED, tools=[WEATHER], tool_choice="required")
    assert answer["usage"]["prompt_tokens"] > without
    (call,) = calls(answer)
    assert answer["usage"]["completion_tokens"] == 1 + count_tokens(call["function"]["arguments"])


def streamed(ask: ChatClient, **fields: Any) -> tuple[list[Any], dict[int, dict[str, Any]]]:
    """Return the chunks of a stream, and its calls put together as a client does it."""
    chunks, built = ask.chunks(**fields), dict[int, dict[str, Any]]()
    for chunk in chunks:
        for choice in chunk["choices"]:
            for delta in choice["delta"].get("tool_calls") or ():
                if "id" in delta:
                    assert delta["index"] == len(built)
                    assert delta["function"]["arguments"] == ""
                    built[delta["index"]] = {key: value for key, value in delta.items() if key != "index"}
                else:
                    built[delta["index"]]["function"]["arguments"] += delta["function"]["arguments"]
    return chunks, built


def test_a_streamed_call_comes_in_pieces_that_make_up_the_plain_one() -> None:
    fields: dict[str, Any] = {"tools": [WEATHER, TIME], "tool_choice": "required"}
    said = user("Call get_time and get_weather in Paris.")
    chunks, built = streamed(ChatClient(), messages=[said], **fields)
    first, *_, last = chunks
    assert first["choices"][0]["delta"] == {"role": "assistant", "content": None}
    assert last["choices"][0] == {"index": 0, "delta": {}, "finish_reason": "tool_calls"}
    assert [built[0], built[1]] == calls(ChatClient().answer(said, **fields))
    assert len(chunks) > 8


def test_streamed_calls_are_as_documented(ask: ChatClient) -> None:
    reply = ask.reply(ASKED, tools=[WEATHER], tool_choice="required", stream=True, n=2)
    assert check_reply(OPERATION, reply) == ()


def test_each_of_several_choices_calls_with_ids_of_its_own(ask: ChatClient) -> None:
    answer = ask.answer(ASKED, tools=[WEATHER], tool_choice="required", n=3)
    assert len({calls(answer, index)[0]["id"] for index in range(3)}) == 3
    assert {choice["finish_reason"] for choice in answer["choices"]} == {"tool_calls"}


@pytest.mark.parametrize("limit", [1, 2, 5])
def test_a_call_is_cut_after_max_tokens(ask: ChatClient, limit: int) -> None:
    answer = ask.answer(ASKED, tools=[WEATHER], tool_choice="required", max_tokens=limit)
    assert answer["choices"][0]["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == limit
    (call,) = calls(answer)
    assert count_tokens(call["function"]["arguments"]) == limit - 1


def test_max_tokens_cuts_two_calls_at_any_position(ask: ChatClient) -> None:
    fields: dict[str, Any] = {"tools": [WEATHER, TIME], "tool_choice": "required"}
    needed = ask.answer("get_weather, get_time", **fields)["usage"]["completion_tokens"]
    for limit in range(1, needed + 1):
        answer = ask.answer("get_weather, get_time", **fields, max_tokens=limit)
        counted = sum(1 + count_tokens(call["function"]["arguments"]) for call in calls(answer))
        assert counted == answer["usage"]["completion_tokens"] == limit
        assert answer["choices"][0]["finish_reason"] == ("tool_calls" if limit == needed else "length")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": "unknown"}}}, "get_weather"),
        ({"tools": [WEATHER], "tool_choice": {"type": "function", "function": {"name": 7}}}, "get_weather"),
        ({"tools": [WEATHER], "tool_choice": {"type": "function"}}, "get_weather"),
        ({"tools": [WEATHER], "tool_choice": "always"}, "always"),
        ({"tool_choice": "required"}, "none"),
        ({"tools": [], "tool_choice": NAMED}, "get_time"),
    ],
)
def test_an_invalid_tool_choice_is_refused(ask: ChatClient, fields: dict[str, Any], message: str) -> None:
    status, detail = ask.refusal(ASKED, **fields)
    assert status == 400
    assert message in detail
    assert "tool_choice" in detail


@pytest.mark.parametrize(
    ("declared", "message"),
    [
        ([{**WEATHER, "type": "browser"}], "browser"),
        ([tool("has space")], "has space"),
        ([tool("")], "function"),
        ([tool("x" * 65)], "x"),
        ([WEATHER, tool("odd", {"type": "banana"})], "banana"),
        ([tool("odd", {"properties": {"a": {"$ref": "https://example.org/a"}}})], "not a pointer"),
        ([tool("odd", {"properties": {"a": {"not": {}}}, "required": ["a"]})], "odd"),
        ([tool("odd", {"type": "string"})], "odd"),
    ],
)
def test_an_unusable_tool_is_refused_and_named(ask: ChatClient, declared: Any, message: str) -> None:
    status, detail = ask.refusal(ASKED, tools=declared, tool_choice="required")
    assert status == 400
    assert message in detail


def test_the_violation_of_an_unusable_name_points_at_it() -> None:
    declared = {"messages": [user(ASKED)], "tools": [WEATHER, tool("has space")], "tool_choice": "required"}
    (violation,) = engine().handle(request(declared)).violations
    assert violation.place == "body/tools/1/function/name"


def test_tools_and_their_schemas_are_bounded() -> None:
    ask = ChatClient(limited(tools=2, schema=200))
    assert ask.answer(tools=[tool("a"), tool("b")])
    status, detail = ask.refusal(tools=[tool("a"), tool("b"), tool("c")])
    assert (status, "the limit is 2" in detail) == (400, True)
    assert ask.answer(tools=[tool("a", {"title": "x" * 140})])
    status, detail = ask.refusal(tools=[tool("a", {"title": "x" * 200})])
    assert (status, "200" in detail) == (400, True)


def test_an_answer_has_at_most_sixteen_calls(ask: ChatClient) -> None:
    declared = [tool(f"t{number}") for number in range(30)]
    said = " ".join(one["function"]["name"] for one in declared)
    assert len(calls(ask.answer(said, tools=declared, tool_choice="required"))) == 16


def test_the_same_words_get_the_same_arguments_and_a_temperature_lets_them_vary(ask: ChatClient) -> None:
    def arguments(**fields: Any) -> str:
        answer = ask.answer(ASKED, tools=[tool("f", {"properties": {"n": {"type": "integer"}}})], **fields)
        text: str = calls(answer)[0]["function"]["arguments"]
        return text

    assert arguments(tool_choice="required") == arguments(tool_choice="required")
    assert len({arguments(tool_choice="required", temperature=1) for _ in range(5)}) > 1


def test_a_message_may_make_calls_of_any_kind(ask: ChatClient) -> None:
    """The document only requires that they are objects."""
    odd: list[Any] = [{}, {"function": 7}, {"function": {"name": 7, "arguments": []}, "id": {}}]
    said = {"role": "assistant", "content": None, "tool_calls": odd}
    assert ask.content(ASKED, said, {"role": "tool", "content": None, "tool_call_id": "x"})
