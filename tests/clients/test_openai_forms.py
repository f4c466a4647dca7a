"""OpenAI's SDK for Python with tools, structured output and its helpers for streams, against `agent-contract serve`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from enum import StrEnum
from typing import Literal

import openai
import pytest
from openai import LengthFinishReasonError, OpenAI
from openai.lib.streaming.chat import ChatCompletionStream
from openai.types.chat import (
    ChatCompletionMessageFunctionToolCall,
    ChatCompletionMessageParam,
    ChatCompletionToolUnionParam,
)
from pydantic import BaseModel, Field

from tests.support.serving import Served

ASKED: list[ChatCompletionMessageParam] = [{"role": "user", "content": "What is the weather in Paris?"}]
MODEL = ""  # stands for the agent's own


class Unit(StrEnum):
    CELSIUS = "celsius"
    FAHRENHEIT = "fahrenheit"


class GetWeather(BaseModel):
    """The weather of a city."""

    city: str
    unit: Unit
    days: int = Field(ge=1, le=7)


class Measured(BaseModel):
    kind: Literal["measured"]
    degrees: Decimal


class Guessed(BaseModel):
    kind: Literal["guessed"]
    why: str | None


class Report(BaseModel):
    """A form with what pydantic's schemas hold: references, choices, lists, and a model inside itself."""

    title: str = Field(max_length=30)
    found: list[Measured | Guessed]
    before: Report | None


@pytest.fixture
def client(served: Served) -> Iterator[OpenAI]:
    with OpenAI(base_url=served.agent("demo"), api_key="none-is-asked-for", max_retries=0) as opened:
        yield opened


TOOL: ChatCompletionToolUnionParam = openai.pydantic_function_tool(GetWeather, name="get_weather")


def test_a_tool_is_called_and_its_result_is_answered(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=ASKED, tools=[TOOL], tool_choice="required")
    (choice,) = answer.choices
    assert choice.finish_reason == "tool_calls"
    (call,) = choice.message.tool_calls or []
    assert isinstance(call, ChatCompletionMessageFunctionToolCall)
    assert GetWeather.model_validate_json(call.function.arguments).city == "Paris"

    said: list[ChatCompletionMessageParam] = [
        *ASKED,
        choice.message.to_dict(),  # type: ignore[list-item]  # what the SDK's users send back
        {"role": "tool", "tool_call_id": call.id, "content": "18 degrees"},
    ]
    last = client.chat.completions.create(model=MODEL, messages=said, tools=[TOOL], tool_choice="required")
    assert last.choices[0].message.tool_calls is None
    assert "18 degrees" in (last.choices[0].message.content or "")


def test_the_arguments_of_a_call_are_parsed(client: OpenAI) -> None:
    answer = client.chat.completions.parse(model=MODEL, messages=ASKED, tools=[TOOL], tool_choice="required")
    (call,) = answer.choices[0].message.tool_calls or []
    assert isinstance(call.function.parsed_arguments, GetWeather)


def test_content_is_parsed_into_a_model(client: OpenAI) -> None:
    for seed in range(20):
        answer = client.chat.completions.parse(model=MODEL, messages=ASKED, response_format=Report, seed=seed)
        assert isinstance(answer.choices[0].message.parsed, Report)


def test_content_that_is_cut_is_told_from_a_whole_one(client: OpenAI) -> None:
    with pytest.raises(LengthFinishReasonError):
        client.chat.completions.parse(model=MODEL, messages=ASKED, response_format=Report, max_tokens=3)


def test_content_is_a_json_object(client: OpenAI) -> None:
    answer = client.chat.completions.create(model=MODEL, messages=ASKED, response_format={"type": "json_object"})
    assert isinstance(json.loads(answer.choices[0].message.content or ""), dict)


def done(stream: ChatCompletionStream[Report] | ChatCompletionStream[None]) -> list[str]:
    """Return the types of the helper's events, each once."""
    return list(dict.fromkeys(event.type for event in stream))


def test_the_helper_of_streams_puts_a_call_together(client: OpenAI) -> None:
    with client.chat.completions.stream(
        model=MODEL, messages=ASKED, tools=[TOOL], tool_choice="required", stream_options={"include_usage": True}
    ) as stream:
        kinds = done(stream)
        answer = stream.get_final_completion()
    assert {"chunk", "tool_calls.function.arguments.delta", "tool_calls.function.arguments.done"} <= set(kinds)
    (call,) = answer.choices[0].message.tool_calls or []
    assert call.function.name == "get_weather"
    assert isinstance(call.function.parsed_arguments, GetWeather)
    assert answer.usage
    assert answer.usage.completion_tokens > 3


def test_the_helper_of_streams_parses_content(client: OpenAI) -> None:
    with client.chat.completions.stream(model=MODEL, messages=ASKED, response_format=Report) as stream:
        assert {"content.delta", "content.done"} <= set(done(stream))
        assert isinstance(stream.get_final_completion().choices[0].message.parsed, Report)


def test_several_calls_of_one_answer_are_told_apart(client: OpenAI) -> None:
    time = openai.pydantic_function_tool(GetWeather, name="get_time")
    said: list[ChatCompletionMessageParam] = [{"role": "user", "content": "Call get_weather and get_time."}]
    with client.chat.completions.stream(
        model=MODEL, messages=said, tools=[TOOL, time], tool_choice="required"
    ) as stream:
        streamed = stream.get_final_completion().choices[0].message.tool_calls or []
    assert [call.function.name for call in streamed] == ["get_weather", "get_time"]
    one = client.chat.completions.create(
        model=MODEL, messages=said, tools=[TOOL, time], tool_choice="required", parallel_tool_calls=False
    )
    assert len(one.choices[0].message.tool_calls or []) == 1
