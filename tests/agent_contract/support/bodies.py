"""Generated request bodies for the chat operation: mostly nearly right, decided by a seed."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

UUID = "7c5e7a50-0e09-4f4c-8f4f-3a9a4b1f7d11"

#: Values that are right for some field and wrong for the others, limits on both sides among them.
POOL: tuple[Any, ...] = (
    *(None, True, False, 0, 1, -1, 2, 3, 0.5, -0.1, 2.0000001, 1.5, 2**31, 2**53, 2**63, -(2**63), 2**70, 1e-300),
    *("", "x", "1", "true", "0.5", "héllo", "\u0000", UUID, UUID.upper(), UUID + "0", "g" + UUID[1:]),
    *([], [1], ["a"], ["a", 2, None], [[]], [{}], {}, {"a": 1}, {"include_usage": "x"}, {"include_usage": True}),
)

FIELDS = (
    *("create_session", "seed", "temperature", "n", "stop", "max_tokens", "stream", "model", "messages"),
    *("store_in_session", "stream_options", "tools", "tool_choice", "top_p", "top_k", "frequency_penalty"),
    *("presence_penalty", "max_completion_tokens", "response_format", "unlisted"),
)
MESSAGE_FIELDS = ("role", "content", "tool_calls", "tool_call_id", "refusal", "unlisted")


def bodies(seed: int, count: int) -> Iterator[Any]:
    """Yield this many bodies; about one in four is valid."""
    source = random.Random(seed)
    for _ in range(count):
        if source.random() < 0.02:
            yield source.choice(POOL)
            continue
        body: dict[str, Any] = {"messages": _messages(source)}
        for _ in range(source.choice((0, 0, 1, 1, 2, 5))):
            body[source.choice(FIELDS)] = source.choice(POOL)
        if source.random() < 0.03:
            del body["messages"]
        items = list(body.items())
        source.shuffle(items)
        yield dict(items)


def _messages(source: random.Random) -> Any:
    messages: list[Any] = []
    for _ in range(source.choice((1, 1, 1, 2, 3))):
        message: dict[str, Any] = {"role": "user", "content": "Hello!"}
        if source.random() < 0.4:
            message[source.choice(MESSAGE_FIELDS)] = source.choice(POOL)
        if source.random() < 0.1:
            message.pop(source.choice(("role", "content")))
        messages.append(source.choice(POOL) if source.random() < 0.05 else message)
    return messages


def has_several_types(body: Any) -> bool:
    """Return whether a field of several types has one that pydantic reports branch by branch."""
    if not isinstance(body, dict):
        return False
    if not isinstance(body.get("tool_choice"), (str, dict, type(None))):
        return True
    messages = body.get("messages")
    return isinstance(messages, list) and any(
        isinstance(message, dict) and isinstance(message.get("content"), list) for message in messages
    )
