"""Answers requests from recordings: the same request gets the recorded reply, first in, first out.

A recording is found by the key of its request, which `request_key` computes for the recorder and the matcher alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from typing import Any, Protocol

import orjson

from agent_contract.messages import Event, Exchange, Reply, Request
from agent_contract.redaction import Redaction
from agent_contract.validation.check import bare_type
from agent_contract.validation.sse import EVENT_END, parse_events
from mockserver.faults.broken_reply import Piece
from mockserver.faults.stateful import Sent
from mockserver.generation.waits import with_waits
from mockserver.recording.recording import EVENT_STREAM, Recording
from mockserver.recording.request_key import Form, Ignored, canonical, differences, key_of
from mockserver.scenarios.script import ActiveScript

#: Recordings that are compared with a request that none matches, and differences that are listed.
_MOST_COMPARED = 200
_MOST_LISTED = 5
_EXCERPT = 2000  # characters of two requests that are compared as text


class UseCounter(Protocol):
    """Counts the uses of recordings, by key."""

    def take(self, id: str, most: int | None) -> int | None:
        """Count a use and return its number, from 0; None, without counting, if there were `most` already."""


@dataclass(frozen=True, slots=True)
class Miss:
    """No recording answers a request; `why` names the closest one and what is different."""

    why: str


class Replay:
    """Recordings by the keys of their requests.

    When all recordings of a request are used, the last one answers again; in a strict replay, that is a miss. Delays
    are divided by `speed`; 0 removes them. `redaction` hides the server's own tokens. `note` is what was left out
    of the recordings, in words.
    """

    def __init__(
        self,
        recordings: Iterable[Recording],
        ignored: Ignored,
        redaction: Redaction,
        *,
        strict: bool = False,
        speed: float = 1.0,
        note: str = "",
    ) -> None:
        known = list(recordings)
        self.strict = strict
        self.note = note
        self._ignored = ignored
        self._redaction = redaction.also_named(name for one in known for name in one.redact)
        self._by_key: dict[bytes, list[Recording]] = {}
        self._forms: list[tuple[Form, Recording]] = []
        for recording in known:
            exchange = recording.exchange
            form = self._form(exchange.request)
            played = Recording(recording.name, replace(exchange, reply=_played(exchange.reply, speed)))
            self._by_key.setdefault(key_of(form), []).append(played)
            self._forms.append((form, played))

    def __len__(self) -> int:
        return len(self._forms)

    def find(self, request: Request, uses: UseCounter) -> Recording | Miss:
        """Return the next recording of a request, and count its use."""
        form = self._form(request)
        key = key_of(form)
        known = self._by_key.get(key)
        if known is None:
            return Miss(self._closest(form))
        number = uses.take(key.hex(), len(known) if self.strict else None)
        if number is None:
            names = ", ".join(recording.name for recording in known[:_MOST_LISTED])
            return Miss(f"Every recording of this request has been replayed: {names}.")
        return known[min(number, len(known) - 1)]

    def names(self, request: Request) -> list[str]:
        """Return the names of the recordings of a request."""
        return [recording.name for recording in self._by_key.get(key_of(self._form(request)), ())]

    def _form(self, request: Request) -> Form:
        return canonical(request, self._ignored, self._redaction)

    def _closest(self, form: Form) -> str:
        """Return which recording is the most like a request, and what is different."""
        if not self._forms:
            return "No recording matches: there are none."
        same = [one for one in self._forms if one[0]["path"] == form["path"]] or self._forms
        text = _text(form)
        scored = [(len(differences(other, form)), -_likeness(text, other), index) for index, (other, _) in _some(same)]
        other, recording = same[min(scored)[2]]
        lines = differences(other, form)
        more = f"; and {len(lines) - _MOST_LISTED} more" if len(lines) > _MOST_LISTED else ""
        return f"No recording matches. The closest is {recording.name}: {'; '.join(lines[:_MOST_LISTED])}{more}"


def answer_from(
    replay: Replay,
    request: Request,
    operation: str,
    uses: UseCounter,
    script: ActiveScript | None,
    body: Any,
    finish: Callable[[Exchange], Exchange],
) -> Exchange | Miss:
    """Return the exchange with the recorded reply as the faults of a script change it; the miss if there is none.

    `body` is the parsed body of the request; `finish` completes the headers of an exchange.
    """
    sent = Sent(operation, body, headers=request.headers, size=len(request.body))
    if script and replay.names(request) and (replaced := script.instead(sent)):
        name, reply = replaced
        return script.on_the_wire(finish(Exchange(request, reply, operation, faults=(name,))), sent)
    found = replay.find(request, uses)
    if isinstance(found, Miss):
        return found
    exchange = finish(replayed(request, found, operation))
    return replace(with_faults(exchange, script, sent), rule=found.name) if script else exchange


def with_faults(exchange: Exchange, script: ActiveScript, sent: Sent) -> Exchange:
    """Return an exchange as the faults of a script change it; without a fault, its bytes and times don't change."""
    reply = exchange.reply
    result = script.on_the_wire(replace(exchange, reply=with_length(in_events(reply))), sent)
    if result.faults:
        return result
    length = {name: text for name, text in reply.headers.items() if name == "content-length"}
    headers = {name: text for name, text in result.reply.headers.items() if name != "content-length"}
    unchanged = replace(reply, headers={**headers, **length})
    return replace(result, reply=with_waits(unchanged, script.waits) if script.waits else unchanged)


def in_events(reply: Reply) -> Reply:
    """Return a reply in the form on which faults work: a stream as its events, any other body as bytes."""
    if isinstance(reply.body, bytes) and bare_type(reply.headers.get("content-type", "")) != EVENT_STREAM:
        return reply
    pieces = (Piece(reply.body),) if isinstance(reply.body, bytes) else reply.body
    if bare_type(reply.headers.get("content-type", "")) != EVENT_STREAM:
        return replace(reply, body=reply.content(), delay=reply.delay + sum(piece.delay for piece in pieces))
    return replace(reply, body=tuple(_events(pieces)))


def _events(pieces: Iterable[Event]) -> Iterator[Event]:
    """Yield the events that come in pieces, each when its last byte has come."""
    waiting, delay = b"", 0.0
    for piece in pieces:
        waiting, delay = waiting + piece.encode(), delay + piece.delay
        ends = [found.end() for found in EVENT_END.finditer(waiting)]
        if ends:
            for event in parse_events(waiting[: ends[-1]]):
                yield replace(event, delay=delay)
                delay = 0.0
            waiting = waiting[ends[-1] :]


def with_length(reply: Reply) -> Reply:
    """Return a reply with the length of its body, unless it is a stream or has none."""
    if not isinstance(reply.body, bytes) or reply.status in (204, 304):
        return reply
    return replace(reply, headers={**reply.headers, "content-length": str(len(reply.body))})


def replayed(request: Request, recording: Recording, operation: str) -> Exchange:
    """Return the exchange of a request with a recorded reply; its rule is the name of the recording."""
    return Exchange(request, recording.exchange.reply, operation, rule=recording.name)


def _some(forms: list[tuple[Form, Recording]]) -> Iterable[tuple[int, tuple[Form, Recording]]]:
    return list(enumerate(forms))[:_MOST_COMPARED]


def _likeness(text: str, other: Form) -> float:
    return SequenceMatcher(None, text, _text(other), autojunk=False).quick_ratio()


def _text(form: Form) -> str:
    try:
        return orjson.dumps(form["body"]).decode()[:_EXCERPT]
    except TypeError:  # nested too deep, or an integer over 64 bits
        return ""


def _played(reply: Reply, speed: float) -> Reply:
    """Return a recorded reply as it is sent: with its delays at this speed, and with a length unless it is a stream."""
    factor = 1 / speed if speed else 0.0
    headers = dict(reply.headers)
    body = reply.body
    if not isinstance(body, bytes):
        if bare_type(headers.get("content-type", "")) != EVENT_STREAM:
            headers["content-length"] = str(len(reply.content()))
        body = tuple(_paced(event, factor) for event in body)
    return Reply(reply.status, headers, body, reply.delay * factor)


def _paced(event: Event, factor: float) -> Event:
    return replace(event, delay=event.delay * factor)
