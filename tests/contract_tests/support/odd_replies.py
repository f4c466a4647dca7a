"""Replaces a part of a true reply by something that no client expects."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from unittest.mock import patch

import httpx

from contract_tests.deployment import client
from contract_tests.deployment.bounded_http import ExchangeLimits, RawReply, send_within

#: JSON strings, so that they can contain what Python would not write.
ODD = (
    *("null", "true", "false", "0", "-1", "1", "1.5", "-0.0", "1e400", "NaN", "-Infinity", "1" * 400, "1" * 5000),
    *('""', '"x"', '"\\ud83d"', '"\\u0000"', '"\\u001b[31m"', '"\\u202e"', '"0"', '"[DONE]"', '"2024-01-01"'),
    *("[]", "[null]", "[[]]", '["x"]', "[1]", "[{}]", "{}", '{"x": null}', '{"": {}}', "[" * 300 + "]" * 300),
)
HEADERS = (
    *(
        ("content-type", value)
        for value in ("", "text/plain", "application/json; charset=utf-16", "text/event-stream", ";")
    ),
    *(("date", value) for value in ("", "x", "Mon, 99 Abc 99999 99:99:99 GMT", "Thu, 01 Jan 1970 00:00:00 -9999")),
    *(("set-cookie", "user=Jürgen"), ("x-odd", "\x1b[31m\ud83d"), ("allow", ""), ("location", "//[")),
    *(("content-length", value) for value in ("-1", "x", "9" * 30)),
    *(("retry-after", "99999999999999999999"), ("www-authenticate", "\x00"), ("content-encoding", "x")),
)
STATUSES = (0, 100, 199, 204, 206, 299, 302, 304, 400, 401, 402, 404, 405, 409, 413, 418, 422, 499, 500, 501, 599, 999)
_PLACE = "\0place\0"


@dataclass
class Replacer:
    """Replaces a part of a share of all replies, from the second on; the same seed chooses the same parts."""

    seed: int
    count: int = 0
    _first: bool = True
    _share: float = field(init=False)
    _chance: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self._chance = random.Random(self.seed)
        # Few of them leave the most tests something to look at, many come sooner to an end.
        self._share = self._chance.choice((0.2, 0.9, 0.9))

    def __call__(
        self, to: httpx.Client, method: str, url: str, headers: Mapping[str, str], content: bytes, bound: ExchangeLimits
    ) -> RawReply:
        received = send_within(to, method, url, headers, content, bound)
        first, self._first = self._first, False
        if first or self._chance.random() > self._share:
            return received
        self.count += 1
        return replaced(received, self._chance)


@contextmanager
def replacing(seed: int) -> Iterator[Replacer]:
    """Have parts of what every deployment replies to the contract tests replaced."""
    replacer = Replacer(seed)
    with patch.object(client, "send_within", replacer):
        yield replacer


def replaced(received: RawReply, chance: random.Random) -> RawReply:
    """Return a reply with one part of it replaced."""
    ways: tuple[Callable[[RawReply, random.Random], RawReply], ...]
    ways = (_value, _value, _value, _value, _value, _bytes, _header, _status)
    return chance.choice(ways)(received, chance)


def _value(received: RawReply, chance: random.Random) -> RawReply:
    """Replace a value in the JSON of the body, or of one event."""
    lines = received.body.split(b"\n")
    whole = [index for index, line in enumerate(lines) if line.startswith(b"data: {")]
    if not whole:
        return _with_body(received, _odd(received.body, chance))
    index = chance.choice(whole)
    lines[index] = b"data: " + _odd(lines[index][6:], chance)
    return _with_body(received, b"\n".join(lines))


def _odd(text: bytes, chance: random.Random) -> bytes:
    try:
        document: Any = json.loads(text)
    except ValueError:
        return text + b"x"
    places = list(_places([document], []))
    holder, key = chance.choice(places)
    if chance.random() < 0.2 and isinstance(holder, dict):
        del holder[key]
    else:
        holder[key] = _PLACE
    root = places[0][0][0]
    return json.dumps(root).replace(json.dumps(_PLACE), chance.choice(ODD)).encode()


def _places(holder: Any, found: list[tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """Return every value below a list or an object, as what holds it and its key there."""
    for key, value in holder.items() if isinstance(holder, dict) else enumerate(holder):
        found.append((holder, key))
        if isinstance(value, dict | list):
            _places(value, found)
    return found


def _bytes(received: RawReply, chance: random.Random) -> RawReply:
    body = received.body
    start = chance.randrange(len(body) + 1)
    odd = chance.choice(
        (b"", b"\0", b"\xff", b"\r", b"\n\n", b"\xed\xa0\xbd", b"\x1b[31m", b"\xef\xbb\xbf", b"{", b'"')
    )
    cut = chance.choice((0, 0, 1, 5, len(body)))
    failure = chance.choice(("", "", "the body was cut off"))
    return replace(_with_body(received, body[:start] + odd + body[start + cut :]), failure=failure)


def _header(received: RawReply, chance: random.Random) -> RawReply:
    name, value = chance.choice(HEADERS)
    return replace(received, headers=(*(pair for pair in received.headers if pair[0] != name), (name, value)))


def _status(received: RawReply, chance: random.Random) -> RawReply:
    return replace(received, status=chance.choice(STATUSES))


def _with_body(received: RawReply, body: bytes) -> RawReply:
    at = received.pieces[0][0] if received.pieces else 0.0
    return replace(received, pieces=((at, body),))
