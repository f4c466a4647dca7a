"""A client whose tests look at nearly everything: what they leave out is listed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import httpx

from agent_contract import Reply, check_reply, load_contract

_HELLO = [{"role": "user", "content": "Hello!"}]
_OPERATION = load_contract().operations["createAssistantChatCompletion"]
_REASONS = ("stop", "length", "tool_calls", "content_filter")

#: What the tests don't look at, and the planted defects that they can't notice for that reason.
BLIND_SPOTS = {
    "whether the counts of an answer add up": (
        "usage-total-of-the-prompt",
        "usage-total-off-by-one",
        "usage-total-zero",
        "usage-total-doubled",
    ),
    "whether tokens are counted at all": ("usage-all-zero",),
    "what the time of an answer is": ("created-in-milliseconds", "created-zero", "created-of-the-example"),
    "whether the counts of a stream add up": ("stream-usage-does-not-add-up", "stream-usage-total-zero"),
    "what the model of the last chunk is": ("model-changes",),
    "whether the time is the same in all chunks": ("created-goes-on",),
}


def use(base_url: str) -> None:
    """Run the client's tests; AssertionError if one of them fails."""
    with httpx.Client(base_url=base_url, verify=False) as http:  # without certificates it starts fast
        first, second = (_plain(http) for _ in range(2))
        assert first["id"] != second["id"]
        assert first["usage"]["prompt_tokens"] == second["usage"]["prompt_tokens"]
        _check_stream(http)


def _plain(http: httpx.Client) -> dict[str, Any]:
    reply = http.post("/chat/completions", json={"messages": _HELLO})
    answer = _checked(reply).json()
    assert answer["object"] == "chat.completion"
    assert "session_id" not in answer
    assert "index_context_info" not in answer
    (choice,) = answer["choices"]
    assert choice["index"] == 0
    assert choice["finish_reason"] == "stop"
    assert choice["message"]["role"] == "assistant"
    assert len(choice["message"]["content"]) > 10
    assert isinstance(answer["id"], str)
    assert set(answer["usage"]) >= {"prompt_tokens", "completion_tokens", "total_tokens"}
    assert "tool_calls" not in choice["message"]
    return dict(answer)


def _check_stream(http: httpx.Client) -> None:
    body = {"messages": _HELLO, "stream": True, "stream_options": {"include_usage": True}}
    reply = _checked(http.post("/chat/completions", json=body))
    *events, done, rest = reply.text.split("\n\n")
    assert (done, rest) == ("data: [DONE]", "")
    assert all(event.startswith("data: {") and "\n" not in event for event in events)
    *chunks, last = [json.loads(event.removeprefix("data: ")) for event in events]
    assert last["choices"] == []
    assert set(last["usage"]) >= {"prompt_tokens", "completion_tokens", "total_tokens"}
    assert {chunk["object"] for chunk in (*chunks, last)} == {"chat.completion.chunk"}
    assert len({chunk["id"] for chunk in (*chunks, last)}) == 1
    _check_choices([choice for chunk in chunks for choice in chunk["choices"]])


def _check_choices(choices: Sequence[dict[str, Any]]) -> None:
    assert {choice["index"] for choice in choices} == {0}
    assert [choice["delta"].get("role") for choice in choices] == ["assistant", *[None] * (len(choices) - 1)]
    assert [choice["finish_reason"] for choice in choices] == [*[None] * (len(choices) - 1), "stop"]
    assert choices[-1]["delta"] == {}
    assert all(isinstance(choice["delta"].get("content"), str) for choice in choices[:-1])


def _checked(reply: httpx.Response) -> httpx.Response:
    assert reply.status_code == 200
    assert check_reply(_OPERATION, Reply(reply.status_code, dict(reply.headers), reply.content)) == ()
    return reply
