"""A request and its reply as they are shown: as text, without secrets, a stream event by event."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import msgspec

from agent_contract.printable import printable
from agent_contract.redaction import Redaction
from contract_tests.wire.exchange import status_line

if TYPE_CHECKING:
    from contract_tests.wire.exchange import Exchange

#: The most characters that are kept of a body, and of one event.
LONGEST_BODY = 8000
LONGEST_EVENT = 2000
#: The numbers of first and last events that are kept of a longer stream.
FIRST_EVENTS = 40
LAST_EVENTS = 20
#: First and last events, and characters of each, that a terminal shows.
FEW = 6
LONGEST_LINE = 160
_EVENT_STREAM = "text/event-stream"

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class ShownRequest:
    """A request: the body as text, shortened if it is long, and its size in bytes."""

    method: str
    url: str
    headers: Pairs
    body: str
    bytes: int


@dataclass(frozen=True, slots=True)
class ShownEvent:
    """One event of a stream, `at_seconds` after the request; `place` counts from 1."""

    place: int
    at_seconds: float
    data: str
    name: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class ShownReply:
    """A reply: a body as text, or the events of a stream; `failure` is the reason if it is incomplete.

    The `Date` header is separate, in `date`, because it differs from run to run.
    """

    status: int
    date: str
    headers: Pairs
    body: str
    bytes: int
    events: tuple[ShownEvent, ...] = ()
    events_left_out: int = 0
    failure: str = ""
    protocol: str = ""  #: as in `HTTP/2`

    @property
    def line(self) -> str:
        """The protocol and the status with its phrase, or the reason without a status."""
        return f"{self.protocol} {status_line(self.status)}".lstrip() if self.status else "no reply"


@dataclass(frozen=True, slots=True)
class Transcript:
    """What was sent and what came back."""

    request: ShownRequest
    reply: ShownReply


def transcribed(exchange: Exchange, hide: Redaction) -> Transcript:
    """Return the exchange as text, with the secrets in it hidden."""
    request = exchange.request
    sent = ShownRequest(
        request.method,
        hide.url(exchange.url),
        tuple((name, hide.value(name, value, LONGEST_BODY)) for name, value in request.headers.items()),
        _text(request.body, hide),
        len(request.body),
    )
    events, left_out = _events(exchange, hide)
    got = ShownReply(
        exchange.status,
        exchange.header("date"),
        tuple(
            (hide(name), hide.value(name, value, LONGEST_BODY)) for name, value in exchange.headers if name != "date"
        ),
        "" if events else _text(exchange.body, hide),
        len(exchange.body),
        events,
        left_out,
        hide(exchange.failure),
        hide(exchange.protocol),
    )
    return Transcript(sent, got)


def to_text(transcripts: Sequence[Transcript]) -> str:
    """Return transcripts as JSON text, as a test report carries them from process to process; empty for none."""
    return json.dumps([asdict(one) for one in transcripts], ensure_ascii=True) if transcripts else ""


def from_text(text: str) -> tuple[Transcript, ...]:
    """Return the transcripts that `to_text` wrote; none for an empty string."""
    # msgspec's own decoder refuses a lone surrogate, which a server may send.
    return msgspec.convert(json.loads(text), tuple[Transcript, ...]) if text else ()


def brief(transcript: Transcript) -> Iterator[str]:
    """Yield an exchange in two lines: the request's body, and the reply's status with its body or its last events."""
    reply = transcript.reply
    count = len(reply.events) + reply.events_left_out
    last = f"{count} events, … {' '.join(event.data for event in reply.events[-2:])}" if count else reply.body
    where = urlsplit(transcript.request.url)
    what = f"{transcript.request.method} {where.path}{'?' if where.query else ''}{where.query}"
    yield f"→ {_line(transcript.request.body) or what}"
    yield f"← {_line(f'{reply.line} {last}')}{f', then {printable(reply.failure)}' if reply.failure else ''}"


def event_lines(transcript: Transcript) -> Iterator[str]:
    """Yield a line for each event of a stream, with the second in which it came; events in the middle are left out."""
    events = transcript.reply.events
    left_out = transcript.reply.events_left_out + len(events) - 2 * FEW
    for index, event in enumerate(events):
        if index < FEW or index >= len(events) - FEW:
            yield f"{event.at_seconds:.3f} s  {event.place}. {printable(_cut(event.data, LONGEST_LINE))}"
        elif index == FEW:
            yield f"… {left_out} more …"


def _pairs(headers: Sequence[Sequence[str]]) -> Pairs:
    return tuple((name, value) for name, value in headers)


def _text(body: bytes, hide: Redaction) -> str:
    beginning = body[: 4 * (LONGEST_BODY + hide.reach)].decode("utf-8", "replace")
    shown = hide.beginning(beginning, LONGEST_BODY)
    return shown if len(beginning) <= LONGEST_BODY else f"{shown}…"


def _line(text: str) -> str:
    """Return the text on one line, cut in the middle, because the session and the usage are at the end."""
    line, half = " ".join(text.split()), LONGEST_LINE // 2
    return printable(line if len(line) <= LONGEST_LINE else f"{line[:half]} … {line[-half:]}")


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]}…"


def _events(exchange: Exchange, hide: Redaction) -> tuple[tuple[ShownEvent, ...], int]:
    """Return the events of a reply that is a stream, and how many of them were left out in the middle."""
    if exchange.media_type != _EVENT_STREAM:
        return (), 0
    found = exchange.events.events
    shown = [
        ShownEvent(place, round(event.at, 3), _cut(hide(event.data), LONGEST_EVENT), hide(event.name), hide(event.id))
        for place, event in enumerate(found, 1)
        if place <= FIRST_EVENTS or place > len(found) - LAST_EVENTS
    ]
    return tuple(shown), len(found) - len(shown)
