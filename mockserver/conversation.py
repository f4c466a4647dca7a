"""Conversations: the text and the cost of messages, and sessions as they are stored."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mockserver.tokens import count_tokens

#: What a session keeps of a message, besides its role and its text.
_KEPT = ("tool_calls", "tool_call_id", "refusal")


@dataclass(frozen=True, slots=True)
class Session:
    """The stored context of a conversation.

    `written` is in seconds since 1970; `tokens` is what the messages count, `digest` stands for all of them, so that
    neither has to be worked out again.
    """

    written: float
    tokens: int
    digest: str
    messages: tuple[dict[str, Any], ...]

    def encode(self) -> bytes:
        """Return the session as JSON; RecursionError when a message is nested too deep to be written."""
        value = {
            "written": self.written,
            "tokens": self.tokens,
            "digest": self.digest,
            "messages": self.messages,
        }
        try:
            return orjson.dumps(value)
        except TypeError:  # deeper than 254 levels, or an integer over 64 bits
            return json.dumps(value, ensure_ascii=False).encode()


EMPTY = Session(written=0.0, tokens=0, digest="", messages=())


def decode(value: bytes) -> Session:
    """Return the session that `encode` wrote."""
    fields = orjson.loads(value)
    return Session(fields["written"], fields["tokens"], fields["digest"], tuple(fields["messages"]))


def extend(session: Session, messages: Sequence[dict[str, Any]], now: float) -> Session:
    """Return the session with `messages` behind its own, written at `now`."""
    kept = tuple(_kept(message) for message in messages)
    tokens = session.tokens + sum(count_tokens(message["content"]) for message in kept)
    return Session(now, tokens, digest(session.digest.encode(), messages).hex(), (*session.messages, *kept))


def _kept(message: dict[str, Any]) -> dict[str, Any]:
    rest = {name: message[name] for name in _KEPT if message.get(name) is not None}
    return {"role": message["role"], "content": text_of(message), **rest}


def text_of(message: dict[str, Any]) -> str:
    """Return a message's text: its content, or its text parts joined by a space; empty where there is none."""
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(part["text"] for part in content)
    return content or ""


def tokens_of(messages: Sequence[dict[str, Any]]) -> int:
    """Return what the messages' texts count together."""
    return sum(count_tokens(text_of(message)) for message in messages)


def digest(before: bytes, messages: Sequence[dict[str, Any]]) -> bytes:
    """Return 32 bytes that stand for what was said: `before` and then each message's role and text."""
    state = hashlib.blake2b(before, digest_size=32)
    for message in messages:
        for text in (message["role"], text_of(message)):
            said = text.encode()
            state.update(len(said).to_bytes(8, "big"))
            state.update(said)
    return state.digest()


def last_said(messages: Sequence[dict[str, Any]]) -> str:
    """Return the text of the last message of the user's; of the last one where the user said nothing."""
    spoken = (message for message in reversed(messages) if message["role"] == "user")
    return text_of(next(spoken, messages[-1]))
