"""The journal: exchanges as they are stored and as they are shown.

Every reply adds an entry. A store in this process keeps references and encodes an entry when it is read; other
stores encode it at once. Either way, secrets are hidden before anything is shown or leaves the process.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson

from agent_contract.messages import Event, Exchange, Reply, Request, Violation
from agent_contract.redaction import Redaction, secrets_in
from agent_contract.value_class import value_class
from mockserver.core import keys
from mockserver.core.transaction import Transaction
from mockserver.recording.exchange_json import excerpt
from mockserver.stores import Entry, Store

#: Maximum number of bytes of a stored body.
MOST_BODY = 8 * 1024
#: Bytes of it that the last events of a long stream may take.
_MOST_END = 2 * 1024
#: Maximum number of stored characters of a path or a value, and of all headers or all parameters.
MOST_TEXT = 1000
MOST_FIELDS = 8 * 1024
#: Bytes that an entry may hold until it is encoded.
MOST_WAITING = 32 * 1024
#: Estimates of the bytes that an entry's objects take, besides its text: all together, an event, a header or parameter.
_OBJECTS, _EVENT, _FIELD = 1000, 100, 100
#: Bytes of memory that one byte of JSON can take when it is parsed, as in `[[],[],[]]`.
_PARSED = 20
_MOST_METHOD = 20
_MOST_VIOLATIONS = 20
_MOST_VALUE = 200  # characters of a value that was wrong
_PAGE = 100


@value_class(frozen=True, slots=True)
class Subject:
    """The subject of an entry: the time in seconds since 1970, and the ids of agent and session, if any."""

    time: float
    agent: str = ""
    session: str = ""


@value_class(frozen=True, slots=True)
class JournalEntry:
    """An exchange to be kept; its bytes are JSON without secrets, made when they are asked for."""

    exchange: Exchange
    subject: Subject
    redaction: Redaction
    size: int

    def __bytes__(self) -> bytes:
        return encode_entry(self.exchange, self.subject, self.redaction)

    def __len__(self) -> int:
        return self.size


@dataclass(frozen=True, slots=True)
class Journal:
    """Writes entries to the journals of scopes. Each journal keeps the newest `keep`; with 0 nothing is written."""

    store: Store
    keep: int
    redaction: Redaction

    def write(self, scope: str, exchange: Exchange, subject: Subject) -> None:
        """Add an exchange to the journal of a scope; raises `StoreUnavailable`."""
        entry = self.entry(exchange, subject)
        if entry is not None:
            self.add(scope, entry)

    def entry(self, exchange: Exchange, subject: Subject) -> Entry | None:
        """Return what `add` adds to a journal; None if nothing is kept."""
        if not self.keep:
            return None
        size = size_of(exchange)
        entry = JournalEntry(exchange, subject, self.redaction, size)
        if size > MOST_WAITING:  # encoded it is shorter: the rest of a large body is not held
            return bytes(entry)
        # What leaves the process is encoded before the store is locked.
        return bytes(entry) if self.store.blocking else entry

    def add(self, scope: str, entry: Entry) -> None:
        """Add an entry to the journal of a scope; raises `StoreUnavailable`."""
        self.store.append(keys.scope(scope) + keys.JOURNAL, entry, self.keep)


def size_of(exchange: Exchange) -> int:
    """Return an estimate of the bytes of memory that an exchange holds."""
    request, body = exchange.request, exchange.reply.body
    size = _OBJECTS + len(request.path) + _FIELD * (len(request.headers) + len(request.query))
    size += sum(map(len, request.headers.values()))
    for _, text in request.query:
        size += len(text)
    # A violation refers to the parsed body.
    size += len(request.body) * (_PARSED if exchange.violations else 1)
    if isinstance(body, bytes):
        return size + len(body)
    return size + _EVENT * len(body) + sum([len(event.data) for event in body])


def subject_of(time: float, agent: str, touched: Iterable[str]) -> Subject:
    """Return the subject of an entry; `touched` are the keys that the operation read or wrote.

    Without an `agent` from the path, the first touched agent is used, for example a created one.
    """
    session = ""
    for key in touched:
        if key.startswith(keys.SESSIONS):
            owner, session = keys.session_ids(key)
            agent = agent or owner
        elif not agent and key.startswith(keys.AGENTS):
            agent = keys.agent_id(key)
    return Subject(time, agent, session)


def read_journal(scope: Transaction, before: int | None = None) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the stored entries of a scope with numbers below `before`, newest first."""
    while page := scope.entries(keys.JOURNAL, before, _PAGE):
        for number, entry in page:
            yield number, orjson.loads(entry)
        before = page[-1][0]


def encode_entry(exchange: Exchange, subject: Subject, redaction: Redaction) -> bytes:
    """Return the stored form of an exchange: without secrets, and with long parts cut."""
    request, reply = exchange.request, exchange.reply
    # By default the mock accepts any token, but the token of this request is a secret anyway.
    redaction = redaction.also(secrets_in((*request.headers.items(), *request.query)))
    entry = {
        "time": subject.time,
        "operation": exchange.operation or None,
        "agent": redaction.beginning(subject.agent, MOST_TEXT) or None,
        "session": subject.session or None,
        "clauses": exchange.clauses,
        "violations": [_violation(one, redaction) for one in exchange.violations[:_MOST_VIOLATIONS]],
        "hints": exchange.hints,
        "rule": exchange.rule or None,
        "faults": exchange.faults,
        "request": _request(request, redaction),
        "reply": _reply(reply, redaction),
    }
    try:
        return orjson.dumps(entry)
    except TypeError:  # text with half of a surrogate pair
        return json.dumps(entry).encode()


def _request(request: Request, redaction: Redaction) -> dict[str, Any]:
    return {
        "method": redaction.beginning(request.method, _MOST_METHOD),
        "path": redaction.beginning(request.path, MOST_TEXT),
        "query": list(_fields(request.query, redaction)),
        "headers": dict(_fields(request.headers.items(), redaction)),
        "size": len(request.body),
        **_body(request.body, redaction),
    }


def _reply(reply: Reply, redaction: Redaction) -> dict[str, Any]:
    value = {"status": reply.status, "headers": dict(_fields(reply.headers.items(), redaction))}
    value["seconds"] = round(reply.delay + sum([event.delay for event in _events_of(reply)]), 3)
    if isinstance(reply.body, bytes):
        return {**value, "size": len(reply.body), **_body(reply.body, redaction)}
    size = sum(len(event.data) for event in reply.body)
    kept = [*_kept_events(reply.body, redaction)]
    return {**value, "size": size, "events": kept, "cut": len(kept) < len(reply.body)}


def _events_of(reply: Reply) -> tuple[Event, ...]:
    return () if isinstance(reply.body, bytes) else reply.body


def _fields(fields: Iterable[tuple[str, str]], redaction: Redaction) -> Iterator[tuple[str, str]]:
    listed, left = [(name, text, redaction.is_secret(name)) for name, text in fields], MOST_FIELDS
    shown = [part for name, text, is_secret in listed if not is_secret for part in (name, text)]
    are_clean = redaction.is_clean("\n".join(shown))  # at once: most are, and each by itself takes as long
    for name, text, is_secret in listed:
        left -= min(len(name), MOST_TEXT) + min(len(text), MOST_TEXT)
        if left < 0:
            return
        if are_clean and not is_secret:
            yield name[:MOST_TEXT], text[:MOST_TEXT]
        else:
            yield redaction.beginning(name, MOST_TEXT), redaction.value(name, text, MOST_TEXT)


def _body(body: bytes, redaction: Redaction) -> dict[str, Any]:
    if len(body) <= MOST_BODY:
        return {"text": redaction.text(body.decode("utf-8", "backslashreplace")), "cut": False}
    beginning = body[: MOST_BODY + redaction.reach].decode("utf-8", "ignore")
    return {"text": redaction.beginning(beginning, MOST_BODY), "cut": True}


def _kept_events(events: tuple[Event, ...], redaction: Redaction) -> Iterator[tuple[str | float, ...]]:
    """Yield the first events and the last ones: these hold the finish reason, the usage and the end of a stream."""
    first, size = _fitting(events, MOST_BODY - _MOST_END)
    last, _ = _fitting(events[first:][::-1], MOST_BODY - size)
    for event in (*events[:first], *events[len(events) - last :]):
        delay = (round(event.delay, 3),) if event.delay else ()
        yield event.name, redaction.text(event.data.decode("utf-8", "backslashreplace")), *delay


def _fitting(events: tuple[Event, ...], most: int) -> tuple[int, int]:
    """Return how many of the events, from the first one, have at most `most` bytes together, and their bytes."""
    size = 0
    for number, event in enumerate(events):
        if size + len(event.data) > most:
            return number, size
        size += len(event.data)
    return len(events), size


def _violation(violation: Violation, redaction: Redaction) -> dict[str, str]:
    return {
        "place": redaction.beginning(violation.place, _MOST_VALUE),
        "rule": violation.rule,
        "expected": excerpt(violation.expected, _MOST_VALUE),
        "got": redaction.beginning(excerpt(violation.got, _MOST_VALUE + redaction.reach), _MOST_VALUE),
        "pointer": violation.pointer,
    }


def readable_entry(number: int, entry: dict[str, Any]) -> dict[str, Any]:
    """Return the shown form of a stored entry: JSON bodies as JSON."""
    return {
        "number": number,
        "hints": [],
        "rule": None,
        "faults": [],
        **entry,
        "request": _shown(entry["request"]),
        "reply": _shown(entry["reply"]),
    }


def _shown(message: dict[str, Any]) -> dict[str, Any]:
    text, events = message.pop("text", ""), message.pop("events", None)
    if events is not None:
        return {**message, "events": [_shown_event(*event) for event in events]}
    if not text:
        return message
    value = None if message["cut"] else _as_json(text)
    return {**message, "text": text} if value is None else {**message, "json": value}


def _shown_event(name: str, data: str, delay: float = 0.0) -> dict[str, Any]:
    value = _as_json(data)
    named = {"event": name} if name else {}
    delayed = {"delay": delay} if delay else {}
    return {**named, "data": data if value is None else value, **delayed}


def _as_json(text: str) -> orjson.Fragment | None:
    """Return JSON text unparsed, because numbers or nesting may be too large; None if it is not JSON."""
    try:
        orjson.loads(text)
    except ValueError:
        return None
    return orjson.Fragment(text)
