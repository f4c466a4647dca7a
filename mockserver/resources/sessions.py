"""Stored sessions, and the text and tokens of their messages."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mockserver.generation.tokenizer import count_tokens

#: Fields of a message that a session stores in addition to role and text.
_KEPT = ("tool_calls", "tool_call_id", "refusal")


@dataclass(frozen=True, slots=True)
class Session:
    """The stored context of a conversation.

    `written` is in seconds since 1970. `tokens` and `digest` are those of all messages, stored to avoid computing them
    again.
    """

    written: float
    tokens: int
    digest: str
    messages: tuple[dict[str, Any], ...]

    def encode(self) -> bytes:
        """Return the session as JSON; raises RecursionError if a message is nested too deep."""
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
    """Return the session with `messages` appended, written at `now`."""
    kept = tuple(_kept(message) for message in messages)
    tokens = session.tokens + count_tokens(*texts_of(kept))
    return Session(now, tokens, digest(session.digest.encode(), messages).hex(), (*session.messages, *kept))


def _kept(message: dict[str, Any]) -> dict[str, Any]:
    rest = {name: message[name] for name in _KEPT if message.get(name) is not None}
    return {"role": message["role"], "content": text_of(message) or message.get("content"), **rest}


def text_of(message: Mapping[str, Any]) -> str:
    """Return a message's text: its content, or its text parts joined by a space; empty if it has none."""
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(part["text"] for part in content)
    return content or ""


def texts_of(messages: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield every string of the messages that counts: their text, and the names and arguments of calls."""
    for message in messages:
        yield from content_parts(message)


def calls_of(message: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield id, name and arguments of each call that a message makes; empty strings for missing parts."""
    for call in message.get("tool_calls") or ():
        function = call.get("function")
        inside = function if isinstance(function, dict) else {}
        values = (call.get("id"), inside.get("name"), inside.get("arguments"))
        id, name, arguments = (value if isinstance(value, str) else "" for value in values)
        yield id, name, arguments


def content_parts(message: Mapping[str, Any]) -> Iterator[str]:
    """Yield a message's text, and name and arguments of each call that it makes."""
    yield text_of(message)
    for _, name, arguments in calls_of(message):
        yield name
        yield arguments


def digest(before: bytes, messages: Sequence[dict[str, Any]]) -> bytes:
    """Return 32 bytes that identify `before` followed by the role and the content of each message."""
    state = hashlib.blake2b(before, digest_size=32)
    for message in messages:
        for text in (message["role"], *content_parts(message)):
            data = text.encode()
            state.update(len(data).to_bytes(8, "big"))
            state.update(data)
    return state.digest()


def user_texts(before: Sequence[dict[str, Any]], messages: Sequence[dict[str, Any]]) -> Iterator[str]:
    """Yield the text of each message of the user, the last one first; `before` are earlier messages."""
    for several in (messages, before):
        yield from (text_of(message) for message in reversed(several) if message["role"] == "user")


def last_user_text(before: Sequence[dict[str, Any]], messages: Sequence[dict[str, Any]]) -> str:
    """Return the text of the user's last message, which may be one of `before`; else that of the last message."""
    last = next(user_texts(before, messages), None)
    return text_of(messages[-1]) if last is None else last
