"""What `response_format` makes of the content."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_contract import read_schema
from mockserver.generation.tokenizer import count_tokens
from tests.mockserver.support.chat_client import ChatClient, limited

CAT: dict[str, Any] = {
    "type": "object",
    "properties": {
        "name": {"type": "string", "maxLength": 20},
        "age": {"type": "integer", "minimum": 0, "maximum": 30},
        "colours": {"type": "array", "items": {"enum": ["black", "white", "red"]}, "minItems": 1},
        "owner": {"anyOf": [{"$ref": "#/$defs/Owner"}, {"type": "null"}]},
    },
    "required": ["name", "age", "colours", "owner"],
    "additionalProperties": False,
    "$defs": {"Owner": {"type": "object", "properties": {"since": {"type": "string", "format": "date"}}}},
}


def schema(value: Any) -> dict[str, Any]:
    return {"type": "json_schema", "json_schema": {"name": "cat", "schema": value, "strict": True}}


JSON_OBJECT = {"type": "json_object"}


def test_a_json_object_is_one_and_takes_up_what_was_said(ask: ChatClient) -> None:
    answer = ask.answer("Name a colour as JSON.", response_format=JSON_OBJECT)
    content = json.loads(answer["choices"][0]["message"]["content"])
    assert "Name a colour as JSON" in content["answer"]
    assert answer["choices"][0]["finish_reason"] == "stop"


@pytest.mark.parametrize("value", [CAT, {"enum": [1, "a"]}, {}, None, {"type": "array", "items": {"type": "null"}}])
def test_a_schema_accepts_the_content(ask: ChatClient, value: Any) -> None:
    said = ask.content("Describe a cat.", response_format=schema(value))
    assert value is None or read_schema(value).validator.is_valid(json.loads(said))


@pytest.mark.parametrize("none", [None, {"type": "text"}])
def test_the_content_is_text_without_a_response_format(ask: ChatClient, none: Any) -> None:
    assert ask.content("Hello!", response_format=none) == ask.content("Hello!")


def test_choices_differ_and_a_stream_makes_up_the_plain_answer(ask: ChatClient) -> None:
    fields: dict[str, Any] = {"response_format": schema(CAT), "n": 3}
    contents = [choice["message"]["content"] for choice in ask.answer("Describe a cat.", **fields)["choices"]]
    assert len(set(contents)) == 3
    joined = ["", "", ""]
    for chunk in ask.chunks("Describe a cat.", **fields):
        for choice in chunk["choices"]:
            joined[choice["index"]] += choice["delta"].get("content") or ""
    assert joined == contents


def test_the_schema_counts_in_the_prompt_and_the_content_in_the_answer(ask: ChatClient) -> None:
    without = ask.answer("Describe a cat.")["usage"]["prompt_tokens"]
    answer = ask.answer("Describe a cat.", response_format=schema(CAT))
    assert answer["usage"]["prompt_tokens"] > without
    assert answer["usage"]["completion_tokens"] == count_tokens(answer["choices"][0]["message"]["content"])


@pytest.mark.parametrize("wanted", [JSON_OBJECT, schema(CAT)])
def test_content_cut_by_max_tokens_has_the_finish_reason_length(ask: ChatClient, wanted: Any) -> None:
    whole = ask.content("Describe a cat.", response_format=wanted)
    choice = ask.answer("Describe a cat.", response_format=wanted, max_tokens=3)["choices"][0]
    assert choice["finish_reason"] == "length"
    assert whole.startswith(choice["message"]["content"])


def test_a_tool_call_ignores_the_response_format(ask: ChatClient) -> None:
    tools = [{"type": "function", "function": {"name": "f"}}]
    message = ask.answer("Hi.", response_format=schema(CAT), tools=tools, tool_choice="required")["choices"][0][
        "message"
    ]
    assert message["content"] is None


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ({"type": "yaml"}, "yaml"),
        ({"type": "json_schema"}, "json_schema"),
        ({"type": "json_schema", "json_schema": None}, "json_schema"),
        (schema({"type": "banana"}), "banana"),
        (schema({"$ref": "https://example.org/cat"}), "not a pointer"),
        (schema({"type": "object", "required": ["a"], "properties": {"a": False}}), "found"),
    ],
)
def test_an_unusable_response_format_is_refused(ask: ChatClient, wanted: Any, message: str) -> None:
    status, detail = ask.refusal("Describe a cat.", response_format=wanted)
    assert status == 400
    assert message in detail


def test_the_schema_is_bounded() -> None:
    ask = ChatClient(limited(schema=200))
    assert ask.answer(response_format=schema({"title": "x" * 150}))
    status, detail = ask.refusal(response_format=schema({"title": "x" * 200}))
    assert (status, "200" in detail) == (400, True)


def test_a_part_of_another_type_than_text_is_refused_by_name(ask: ChatClient) -> None:
    status, detail = ask.refusal({"role": "user", "content": [{"type": "image", "text": ""}]})
    assert status == 400
    assert '"image"' in detail
