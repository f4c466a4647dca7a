"""Writes exchanges with the upstream to a folder, off the reply's path, and none that holds a secret."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from agent_contract.messages import Exchange, Reply, Request
from agent_contract.redaction import HIDDEN, Redaction
from agent_contract.secret_scan import first_token
from agent_contract.validation.check import bare_type
from agent_contract.validation.sse import parse_events
from mockserver.recording.recording import EVENT_STREAM, hiding, is_form, redacted
from mockserver.recording.recording_folder import next_number, write_recording

Value = tuple[str, str, str]
_Parts = dict[tuple[str, ...], str]
_Leaf = tuple[tuple[str, ...], str]


class ExchangeRecorder:
    """Writes exchanges in a thread of its own, numbered in the order of their requests.

    `redaction` hides the server's own tokens, `names` are headers, parameters and fields whose values are secrets too.
    `say` is called with a line for each exchange that is not recorded. `replaces` returns the names of the recordings
    that one of a request replaces: they are removed when it is written.
    """

    def __init__(
        self,
        folder: Path,
        redaction: Redaction,
        say: Callable[[str], None],
        names: Iterable[str] = (),
        replaces: Callable[[Request], Iterable[str]] = lambda _: (),
    ) -> None:
        self._folder, self._say = folder, say
        self._names = tuple(names)
        self._redaction = redaction.also_named(self._names)
        self._replaces = replaces
        folder.mkdir(parents=True, exist_ok=True)
        self._next = next_number(folder)
        self._thread = ThreadPoolExecutor(1, "recorder")

    def number(self) -> int:
        """Return the number of a request that begins now."""
        self._next += 1
        return self._next - 1

    def record(self, number: int, exchange: Exchange) -> Future[None]:
        """Write an exchange; the future is done when the file is written, or the reason why it is not is reported."""
        return self._thread.submit(self._record, number, exchange)

    def skip(self, exchange: Exchange, why: str) -> None:
        """Report why an exchange is not recorded."""
        request = exchange.request
        path = hiding(request, self._redaction).text(request.path)
        self._say(f"WARNING: {request.method} {path} is not recorded: {why}.")

    def close(self) -> None:
        """Write what is waiting."""
        self._thread.shutdown()

    def _record(self, number: int, exchange: Exchange) -> None:
        try:
            clean = without_secrets(exchange, self._redaction)
            write_recording(self._folder, number, clean, self._names)
            for name in self._replaces(exchange.request):
                (self._folder / name).unlink(missing_ok=True)
        except SecretFound as found:
            self.skip(exchange, str(found))
        except OSError as error:
            self.skip(exchange, f"{error.filename or self._folder}: {error.strerror or error}")
        except Exception as error:
            self.skip(exchange, f"internal error, please report it: {type(error).__name__}: {error}")


class SecretFound(Exception):
    """An exchange must not be written; the message has the place of what looks like a token, and the remedy."""


def without_secrets(exchange: Exchange, redaction: Redaction) -> Exchange:
    """Return an exchange that may be written: redacted, and without anything else that looks like a token.

    Raises `SecretFound`.
    """
    hide = hiding(exchange.request, redaction)
    clean = redacted(exchange, hide)
    parts = _joined(clean.reply)
    place = first_token(_values(clean, parts)) or _in_pieces(parts, hide)
    if place:
        name = place.rpartition("/")[2]
        raise SecretFound(f"{place} looks like a token. If it is one, hide it with --redact {name}")
    return clean


def _values(exchange: Exchange, parts: _Parts) -> Iterator[Value]:
    """Yield place, name and text of everything that is written."""
    request, reply = exchange.request, exchange.reply
    for part in request.path.split("/"):
        yield "request/path", "", part
    for name, text in request.query:
        yield f"request/query/{name}", name, text
    for message, headers in (("request", request.headers), ("reply", reply.headers)):
        for name, text in headers.items():
            yield f"{message}/headers/{name}", name, text
    yield from _of_body("request", request.body, is_form(request))
    if bare_type(reply.headers.get("content-type", "")) == EVENT_STREAM:
        yield "reply/body", "", reply.content().decode("utf-8", "replace")
        for place, text in parts.items():
            yield "/".join(("reply", "body", *place)), place[-1], text
    else:
        yield from _of_body("reply", reply.content(), False)


def _of_body(message: str, body: bytes, is_form: bool) -> Iterator[Value]:
    text = body.decode("utf-8", "replace")
    if is_form:
        yield from ((f"{message}/body/{name}", name, value) for name, value in parse_qsl(text))
        return
    yield f"{message}/body", "", text
    for place, value in _leaves(text):
        yield "/".join((message, "body", *place)), _name(place), value


def _leaves(text: str) -> Iterator[_Leaf]:
    """Yield the strings of JSON with their places; nothing for other text."""
    try:
        waiting: list[tuple[tuple[str, ...], Any]] = [((), json.loads(text))]
    except (ValueError, RecursionError):
        return
    while waiting:
        place, value = waiting.pop()
        if isinstance(value, str):
            yield place, value
        elif isinstance(value, (dict, list)):
            parts: Iterable[tuple[Any, Any]] = value.items() if isinstance(value, dict) else enumerate(value)
            waiting += [((*place, str(name)), part) for name, part in parts]


def _name(place: tuple[str, ...]) -> str:
    """Return the name of a field; that of a list for its items."""
    return next((part for part in reversed(place) if not part.isdigit()), "")


def _joined(reply: Reply) -> _Parts:
    """Return the text that a stream sends in parts, by its place in the events: a token can be divided among them."""
    if bare_type(reply.headers.get("content-type", "")) != EVENT_STREAM:
        return {}
    parts: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for event in parse_events(reply.content()):
        for place, text in _leaves(event.data.decode("utf-8", "replace")):
            if place:
                parts[place].append(text)
    return {place: "".join(found) for place, found in parts.items()}


def _in_pieces(parts: _Parts, redaction: Redaction) -> str:
    """Return the place of a known token that a stream sends in parts, "" for none."""
    for place, text in parts.items():
        if re.sub(re.escape(HIDDEN), "", redaction.text(text)) != re.sub(re.escape(HIDDEN), "", text):
            return "/".join(("reply", "body", *place))
    return ""
