"""Recordings: an exchange with a deployment in a file, in the format of the fixtures, with the reply's pieces.

A reply has two more fields than one of a fixture: `delay`, the seconds from the request to its headers, and `pieces`,
a list of `[bytes, seconds]`, the size of each piece of the body as it arrived and the time since what came before it.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any
from urllib.parse import parse_qsl

from agent_contract.messages import JSON, Event, Exchange, Reply, Request
from agent_contract.redaction import Redaction, Span, secrets_in
from agent_contract.validation.check import bare_type
from agent_contract.validation.form_body import multipart_parts
from agent_contract.validation.sse import parse_events
from mockserver.faults.broken_reply import Piece
from mockserver.recording.exchange_json import body_json, events_json, request_json

EVENT_STREAM = "text/event-stream"
_FORM = "application/x-www-form-urlencoded"
#: Headers that hold a URL, whose parameters can be secrets.
URL_HEADERS = frozenset(("content-location", "location", "referer"))
#: Headers of one connection, not of a message, or computed when a recording is read.
NOT_RECORDED = frozenset(("connection", "content-length", "date", "host", "keep-alive", "transfer-encoding"))


class RecordingError(Exception):
    """Recordings can't be read; the message has the file, the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Recording:
    """An exchange that was recorded in the file `name`; a reply that came in pieces has a body of `Piece`s.

    `redact` are the names whose values the user had hidden. `started` is when the request was sent, in seconds since
    1970; None if the file does not have it.
    """

    name: str
    exchange: Exchange
    redact: tuple[str, ...] = ()
    started: float | None = None


def hiding(request: Request, redaction: Redaction) -> Redaction:
    """Return a redaction that also hides the secrets that a request carries in headers, parameters and a form."""
    form = form_fields(request.headers.get("content-type", ""), request.body) or []
    named = () if is_form(request) else (text for name, text in form if redaction.is_secret(name))
    return redaction.also((*secrets_in((*request.headers.items(), *request.query, *form)), *named))


def form_fields(content_type: str, body: bytes) -> list[tuple[str, str]] | None:
    """Return the fields of a form, also of a multipart one; None for a body that is not a form."""
    media = bare_type(content_type)
    if media == _FORM:
        return parse_qsl(body.decode("latin-1"), keep_blank_values=True)
    if not media.startswith("multipart/"):
        return None
    try:
        return [(name, content.decode("latin-1")) for name, _, content in multipart_parts(content_type, body)]
    except ValueError:
        return None


def is_form(request: Request) -> bool:
    """Return whether the body of a request is a form."""
    return bare_type(request.headers.get("content-type", "")) == _FORM


def redacted(exchange: Exchange, redaction: Redaction) -> Exchange:
    """Return an exchange without secrets; the borders of the reply's pieces stay where they were in the text."""
    reply = exchange.reply
    headers = _redacted_headers(reply.headers, redaction)
    body = redaction.text(reply.body.decode("latin-1")).encode("latin-1") if isinstance(reply.body, bytes) else None
    pieces = None if isinstance(reply.body, bytes) else tuple(_redacted_pieces(reply.body, redaction))
    clean = Reply(reply.status, headers, pieces if body is None else body, reply.delay)  # type: ignore[arg-type]
    return Exchange(redacted_request(exchange.request, redaction), clean, exchange.operation)


def redacted_request(request: Request, redaction: Redaction) -> Request:
    """Return a request without secrets: what is recorded, and what is compared with recordings."""
    body = request.body.decode("latin-1")
    return Request(
        request.method,
        redaction.text(request.path),
        tuple((name, redaction.value(name, text, len(text))) for name, text in request.query),
        _redacted_headers(request.headers, redaction),
        (redaction.url(f"?{body}")[1:] if is_form(request) else redaction.text(body)).encode("latin-1"),
    )


def _redacted_headers(headers: Mapping[str, str], redaction: Redaction) -> dict[str, str]:
    return {
        name: redaction.url(text) if name in URL_HEADERS else redaction.value(name, text, len(text))
        for name, text in headers.items()
    }


def recording_json(exchange: Exchange) -> dict[str, JSON]:
    """Return a recorded exchange as JSON, with the borders and times of the reply's pieces."""
    request, reply = exchange.request, exchange.reply
    kept = Request(request.method, request.path, request.query, _recorded(request.headers), request.body)
    headers: dict[str, JSON] = {**_recorded(reply.headers)}
    value: dict[str, JSON] = {"status": reply.status, "headers": headers, "delay": _seconds(reply.delay)}
    value |= _reply_body(reply)
    if not isinstance(reply.body, bytes):
        value["pieces"] = [[len(piece.encode()), _seconds(piece.delay)] for piece in reply.body]
    return {"request": request_json(kept), "reply": value}


def read_exchange(value: Mapping[str, Any]) -> Exchange:
    """Return the exchange of a fixture or a recording; raise KeyError, TypeError or ValueError for another value."""
    request, reply = value["request"], value["reply"]
    query = tuple((str(name), str(text)) for name, text in request.get("query", ()))
    asked = Request(request["method"], request["path"], query, _headers(request["headers"]), _body(request))
    content = _body(reply)
    body: bytes | tuple[Event, ...] = content
    if "pieces" in reply:
        body = tuple(_pieces(content, reply["pieces"]))
    elif "events" in reply:
        body = tuple(_events(reply["events"]))
    answered = Reply(int(reply["status"]), _headers(reply["headers"]), body, float(reply.get("delay", 0)))
    return Exchange(asked, answered)


def _recorded(headers: Mapping[str, str]) -> dict[str, str]:
    return {name: text for name, text in headers.items() if name not in NOT_RECORDED}


def _headers(headers: Mapping[str, str]) -> dict[str, str]:
    return {str(name).lower(): str(text) for name, text in headers.items()}


def _seconds(value: float) -> float:
    return round(value, 4)


def _reply_body(reply: Reply) -> dict[str, JSON]:
    """Return the body: as events if their bytes give the same stream again."""
    content = reply.content()
    if bare_type(reply.headers.get("content-type", "")) == EVENT_STREAM:
        events = parse_events(content)
        if events and _is_utf8(content) and b"".join(event.encode() for event in events) == content:
            return {"events": events_json(events)}
    return body_json(content)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode()
    except UnicodeDecodeError:
        return False
    return True


def _events(events: Iterable[Mapping[str, Any]]) -> Iterable[Event]:
    for event in events:
        data = event["data"]
        text = data if isinstance(data, str) else _compact(data)
        yield Event(text.encode(), event.get("event", ""), float(event.get("delay", 0)))


def _body(message: Mapping[str, Any]) -> bytes:
    if "json" in message:
        return _compact(message["json"]).encode()
    if "events" in message:
        return b"".join(event.encode() for event in _events(message["events"]))
    if "base64" in message:
        return base64.b64decode(message["base64"], validate=True)
    if "repeat" in message:
        return str(message["repeat"]["text"]).encode("latin-1") * int(message["repeat"]["times"])
    return str(message.get("text", "")).encode()


def _compact(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _pieces(content: bytes, pieces: Iterable[tuple[int, float]]) -> Iterable[Piece]:
    start = 0
    for size, delay in pieces:
        yield Piece(content[start : start + size], delay=float(delay))
        start += size
    if start != len(content):
        raise ValueError(f"its pieces have {start} bytes, but its body has {len(content)}")


def _redacted_pieces(pieces: Iterable[Event], redaction: Redaction) -> Iterable[Piece]:
    """Yield the pieces of a body without its secrets, also of those that a border divides."""
    known = list(pieces)
    # In Latin-1 a position in the text is one in the bytes; a redaction knows how a token looks in it.
    text = b"".join(piece.data for piece in known).decode("latin-1")
    spans = list(redaction.spans(text))
    start = 0
    clean = _replaced(text, spans).encode("latin-1")
    for piece, border in zip(known, accumulate(len(piece.data) for piece in known), strict=True):
        end = _shifted(border, spans)
        yield Piece(clean[start:end], delay=piece.delay)
        start = end


def _replaced(text: str, spans: list[Span]) -> str:
    parts, end = [], 0
    for start, stop, instead in spans:
        parts += [text[end:start], instead]
        end = stop
    return "".join([*parts, text[end:]])


def _shifted(border: int, spans: list[Span]) -> int:
    """Return where a border is after the replacements; one in a secret is after what replaces it."""
    moved = border
    for start, stop, instead in spans:
        if start >= border:
            break
        moved += len(instead) - (min(stop, border) - start)
    return moved
