"""Stored sessions: totals over their messages, and the text of messages.

A session is stored in two parts. Its messages are lines, which a turn appends to. What an answer needs to know of all
of them is a small value that each turn replaces. So a turn costs the same however long the session is.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, TypeAlias

import orjson

from mockserver.generation.recall import SEARCHED, statements_in
from mockserver.generation.tokenizer import count_tokens

Message: TypeAlias = dict[str, Any]

#: Maximum number of characters of the user's statements that a session keeps for recall.
REMEMBERED = 4_000
#: Maximum number of characters of one statement; the rest is cut off.
_LONGEST = 1_000
#: Fields of a message that a session stores in addition to role and text.
_KEPT = ("tool_calls", "tool_call_id", "refusal")


class Session(NamedTuple):
    """The stored context of a conversation, without its messages.

    `written` is in seconds since 1970. `digest` identifies everything that was said. `first` and `last` are the numbers
    of the messages that are stored. `tokens` and `characters` are the totals of these messages and of the summary,
    `size` is the total of their bytes. `statements` are the latest statements of the user, one a line, `stated` the
    numbers of their messages. `summary` is the content of a message that replaces dropped ones, None if there is none.
    """

    written: float = 0.0
    digest: str = ""
    first: int = 1
    last: int = 0
    tokens: int = 0
    characters: int = 0
    size: int = 0
    statements: str = ""
    stated: Sequence[int] = ()
    summary: str | None = None

    @property
    def length(self) -> int:
        """The number of messages, including the summary."""
        return self.last + 1 - self.first + (self.summary is not None)

    def encode(self) -> bytes:
        """Return the session as JSON."""
        return orjson.dumps(tuple(self))


EMPTY = Session()


def decode(value: bytes) -> Session:
    """Return the session that `encode` wrote."""
    return Session(*orjson.loads(value))


def extend(session: Session, messages: Sequence[Message], now: float) -> tuple[Session, tuple[bytes, ...]]:
    """Return the session after `messages` were appended at `now`, and their lines.

    Raises RecursionError if a message is nested too deep.
    """
    kept = [_kept(message) for message in messages]
    lines = tuple(map(_encode_message, kept))
    texts = texts_of(kept)
    extended = Session(
        now,
        digest(session.digest.encode(), messages).hex(),
        session.first,
        session.last + len(lines),
        session.tokens + count_tokens(*texts),
        session.characters + sum(map(len, texts)),
        session.size + sum(map(len, lines)),
        *_with_statements(session, kept),
        session.summary,
    )
    return extended, lines


def _with_statements(session: Session, messages: Sequence[Message]) -> tuple[str, Sequence[int]]:
    """Return the latest statements of the user after `messages`, with `REMEMBERED` characters, and their messages.

    Of all new messages, the last `SEARCHED` characters of the user are read.
    """
    added, left = list[tuple[int, str]](), SEARCHED
    for place in range(len(messages) - 1, -1, -1):
        if messages[place]["role"] == "user":
            text = text_of(messages[place])
            number = session.last + 1 + place
            added += [(number, one[:_LONGEST]) for one in reversed(statements_in(text[-left:]))]
            left -= len(text) + 1
            if left <= 0:
                break
    if not added:
        return session.statements, session.stated
    added.reverse()
    statements = "\n".join([*filter(None, (session.statements,)), *(statement for _, statement in added)])
    stated = [*session.stated, *(number for number, _ in added)]
    if len(statements) > REMEMBERED:
        cut = statements.find("\n", len(statements) - REMEMBERED - 1) + 1
        dropped = statements.count("\n", 0, cut)
        return statements[cut:], stated[dropped:]
    return statements, stated


def _kept(message: Message) -> Message:
    rest = {name: message[name] for name in _KEPT if message.get(name) is not None}
    return {"role": message["role"], "content": text_of(message) or message.get("content"), **rest}


def _encode_message(message: Message) -> bytes:
    try:
        return orjson.dumps(message)
    except TypeError:  # deeper than 254 levels, or an integer over 64 bits
        return json.dumps(message, ensure_ascii=False).encode()


def decode_message(line: bytes) -> Message:
    """Return the message of a line."""
    message: Message = orjson.loads(line)
    return message


def text_of(message: Mapping[str, Any]) -> str:
    """Return a message's text: its content, or its text parts joined by a space; empty if it has none."""
    content = message.get("content")
    if isinstance(content, list):
        return " ".join(part["text"] for part in content)
    return content or ""


def texts_of(messages: Iterable[Message]) -> list[str]:
    """Return every string of the messages that counts: their text, and the names and arguments of calls."""
    return [text for message in messages for text in content_parts(message)]


def calls_of(message: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """Yield id, name and arguments of each call that a message makes; empty strings for missing parts."""
    for call in message.get("tool_calls") or ():
        function = call.get("function")
        inside = function if isinstance(function, dict) else {}
        values = (call.get("id"), inside.get("name"), inside.get("arguments"))
        id, name, arguments = (value if isinstance(value, str) else "" for value in values)
        yield id, name, arguments


def content_parts(message: Mapping[str, Any]) -> list[str]:
    """Return a message's text, and name and arguments of each call that it makes."""
    parts = [text_of(message)]
    if message.get("tool_calls"):
        for _, name, arguments in calls_of(message):
            parts += (name, arguments)
    return parts


def digest(before: bytes, messages: Sequence[Message]) -> bytes:
    """Return 32 bytes that identify `before` followed by the role and the content of each message."""
    parts = [before]
    for message in messages:
        for text in (message["role"], *content_parts(message)):
            data = text.encode()
            parts += (len(data).to_bytes(8, "big"), data)
    return hashlib.blake2b(b"".join(parts), digest_size=32).digest()


def user_texts(messages: Iterable[Message]) -> Iterator[str]:
    """Yield the text of each message of the user."""
    return (text_of(message) for message in messages if message["role"] == "user")
