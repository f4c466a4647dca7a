"""What the users of a load test send: the contract's accepted chats, each time with other words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import count
from typing import Any, NamedTuple

from agent_contract import Contract, Operation

#: The operation that a load test sends.
CHAT_OPERATION = "createAssistantChatCompletion"
#: Fields of examples that every deployment and every agent accepts. A model or a tool belongs to one agent, and some
#: servers refuse more than one choice.
_FIELDS = frozenset({"messages", "stream", "stream_options", "temperature", "seed", "top_p"})

Body = dict[str, Any]


class Chats(NamedTuple):
    """Bodies of requests: plain chats, and chats whose answer is streamed."""

    plain: tuple[Body, ...]
    streamed: tuple[Body, ...]


def chat_operation(contract: Contract) -> Operation:
    """Return the operation that a load test sends."""
    return contract.operations[CHAT_OPERATION]


def chats_of(contract: Contract) -> Chats:
    """Return the bodies of the contract's examples that any agent accepts."""
    operation = chat_operation(contract)
    ordinary = [
        example.value
        for example in operation.examples
        if example.status == 200
        and not example.after
        and example.headers.get("content-type") == "application/json"
        and isinstance(example.value, dict)
        and example.value.keys() <= _FIELDS
        and _roles(example.value) <= {"user", "assistant"}
    ]
    streamed = [body for body in ordinary if body.get("stream") is True]
    return Chats(tuple(body for body in ordinary if body not in streamed), tuple(streamed))


def with_other_words(bodies: tuple[Body, ...], who: str) -> Iterator[Body]:
    """Yield the bodies in turn without end; no two have the same last message. `who` is a name of the sender."""
    for number in count():
        body = bodies[number % len(bodies)]
        *before, last = body["messages"]
        yield {**body, "messages": [*before, _extended(last, f" ({who}-{number})")]}


def _extended(message: Mapping[str, Any], text: str) -> Body:
    content = message["content"]
    if isinstance(content, str):
        return {**message, "content": content + text}
    return {**message, "content": [*content, {"type": "text", "text": text}]}


def _roles(body: Mapping[str, Any]) -> set[str]:
    return {message["role"] for message in body["messages"]}
