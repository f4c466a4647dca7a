"""Tool calls that faults change, whole and in a stream."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.mockserver.support.chat_client import ChatClient, engine
from tests.mockserver.support.scripting import TEST

CALLS = [{"name": "f", "arguments": {"city": "Paris"}}, {"name": "g", "arguments": {"n": 1}}]
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("f", "g")]


def calls_of(fault: str, stream: bool) -> list[dict[str, Any]]:
    """Return the tool calls of a reply, or of all chunks of a stream."""
    chat = ChatClient(engine())
    chat.engine.scripts.add(
        "", {"rules": [{"answer": {"tool_calls": CALLS}}], "faults": [fault] if fault else []}, TEST
    )
    if not stream:
        found: list[dict[str, Any]] = chat.answer(tools=TOOLS)["choices"][0]["message"]["tool_calls"]
        return found
    choices = [choice for chunk in chat.chunks(tools=TOOLS) for choice in chunk["choices"]]
    return [call for choice in choices for call in choice["delta"].get("tool_calls", ())]


def ids(calls: list[dict[str, Any]], index: int) -> list[str | None]:
    return [call.get("id") for call in calls if call["index"] == index]


@pytest.mark.parametrize("fault", ["", "tool-calls-id-once"])
def test_the_id_and_the_name_are_in_the_first_chunk_of_a_call_only(fault: str) -> None:
    calls = calls_of(fault, stream=True)
    for index in (0, 1):
        first, *others = ids(calls, index)
        assert first
        assert not any(others)
    assert [call["function"].get("name") for call in calls if call.get("id")] == ["f", "g"]


def test_the_id_and_the_name_can_be_in_each_chunk_of_a_call() -> None:
    calls = calls_of("tool-calls-repeat-id", stream=True)
    for index, name in enumerate(("f", "g")):
        assert len(ids(calls, index)) > 1
        assert len(set(ids(calls, index))) == 1
        assert {call["function"]["name"] for call in calls if call["index"] == index} == {name}


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("fault", ["tool-calls-not-json", "tool-calls-cut"])
def test_arguments_can_be_no_json(fault: str, stream: bool) -> None:
    calls = calls_of(fault, stream)
    arguments = "".join(call["function"].get("arguments", "") for call in calls if call.get("index", 0) == 0)
    arguments = calls[0]["function"]["arguments"] if not stream else arguments
    assert "Paris" in arguments
    with pytest.raises(ValueError, match=r"Expecting|delimiter"):
        json.loads(arguments)


def test_the_index_can_be_left_out() -> None:
    assert all("index" not in call for call in calls_of("tool-calls-without-index", stream=True))
