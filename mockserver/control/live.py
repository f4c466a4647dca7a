"""Live updates: a stream of the requests that scopes receive.

The stream looks into the store a few times a second, so it sees the requests of every process, whatever the store. That
costs one short read while nothing happens. Streams are limited in number, length and speed.
"""

from __future__ import annotations

import math
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import Any

import orjson

from agent_contract.messages import Event
from mockserver.control.scopes import scopes_of
from mockserver.core import keys
from mockserver.core.context import Behaviour, Context
from mockserver.core.live_reply import LiveReply
from mockserver.core.outcome import Outcome
from mockserver.core.tenants import Tenant
from mockserver.core.transaction import Transaction
from mockserver.recording.journal import read_journal
from mockserver.recording.summary import summary_of
from mockserver.stores import Store, StoreUnavailable

#: Streams that a process sends at once; a further one ends after the event `full`.
MOST_STREAMS = 32
#: Seconds between two looks into a store in memory, and into one that may wait.
_INTERVAL, _SLOW_INTERVAL = 0.25, 1.0
#: Seconds after which a stream ends, so that no forgotten one stays; seconds without news until it sends a `ping`.
_MOST_SECONDS, _PING = 600.0, 5.0
#: Requests of a scope in one event; of more, the newest are sent, after a `gap`.
_MOST_ROWS = 200
#: Scopes that one stream follows: those used last.
_MOST_SCOPES = 50
_HEADERS = {"content-type": "text/event-stream; charset=utf-8", "cache-control": "no-store", "x-accel-buffering": "no"}


class _Slots:
    """Counts the streams of a process."""

    def __init__(self) -> None:
        self._lock, self._free = threading.Lock(), MOST_STREAMS

    def take(self) -> bool:
        """Return whether another stream may begin."""
        with self._lock:
            if not self._free:
                return False
            self._free -= 1
            return True

    def free(self) -> None:
        """Count the end of a stream."""
        with self._lock:
            self._free += 1


def live_behaviour(tenant_of: Callable[[Context], Tenant | None]) -> Behaviour:
    """Return the operation that streams requests, to a tenant those of its scopes; all its streams share one limit."""
    slots = _Slots()

    def stream(context: Context) -> Outcome:
        parameters, transaction = context.call.parameters, context.transaction
        follows_all = bool(parameters.get("all"))
        after = parameters.get("after")
        feed = _RequestFeed(transaction.store, transaction.scope, follows_all, slots, tenant_of(context))
        if after is not None and not follows_all:
            feed.sent[transaction.scope] = int(after)  # type: ignore[arg-type]  # checked by the schema
        return Outcome(LiveReply(200, _HEADERS, (), feed=feed))

    return stream


@dataclass(slots=True)
class _RequestFeed:
    """The requests of a scope, or of all, from the first look on; `sent` are the newest numbers that were sent."""

    store: Store
    scope: str
    follows_all: bool
    slots: _Slots
    tenant: Tenant | None = None
    clock: Callable[[], float] = monotonic
    sent: dict[str, int] = field(default_factory=dict)
    _begun: float | None = None
    _spoken: float = 0.0
    _has_slot: bool = False

    @property
    def interval(self) -> float:
        """Seconds between two looks."""
        return _SLOW_INTERVAL if self.store.blocking else _INTERVAL

    def next(self) -> tuple[Event, ...] | None:
        """Return an event for each scope with new requests, or a `ping`; None at the end."""
        now = self.clock()
        try:
            if self._begun is None:
                self._begun = self._spoken = now
                self._has_slot = self.slots.take()
                return (self._open(),) if self._has_slot else (Event(b"{}", "full"),)
            if not self._has_slot or now - self._begun > _MOST_SECONDS:
                return None
            events = tuple(event for scope in self._scopes() for event in self._news(scope))
        except StoreUnavailable:
            return None
        if not events and now - self._spoken < _PING:
            return ()
        self._spoken = now
        return events or (Event(b"{}", "ping"),)

    def close(self) -> None:
        """Let another stream begin."""
        if self._has_slot:
            self._has_slot = False
            self.slots.free()

    def _open(self) -> Event:
        """Begin at the newest request of each scope, unless the client has named another."""
        for scope in self._scopes():
            self.sent.setdefault(scope, self._newest(scope))
        return Event(orjson.dumps({"latest": self.sent.get(self.scope, 0)}), "open")

    def _scopes(self) -> list[str]:
        if not self.follows_all:
            return [self.scope]
        known = sorted(scopes_of(self.store, self.tenant), key=lambda one: -(one[1] or math.inf))
        return [name for name, _ in known[:_MOST_SCOPES]]

    def _newest(self, scope: str) -> int:
        newest = Transaction(self.store, scope).entries(keys.JOURNAL, None, 1)
        return newest[0][0] if newest else 0

    def _news(self, scope: str) -> Iterator[Event]:
        newest, sent = self._newest(scope), self.sent.get(scope, 0)
        self.sent[scope] = newest
        if newest < sent:
            yield Event(orjson.dumps({"scope": scope or None}), "reset")
            sent = 0
        if newest > sent:
            rows = self._rows(scope, max(sent, newest - _MOST_ROWS), newest)
            if newest - sent > _MOST_ROWS:
                yield Event(orjson.dumps({"scope": scope or None}), "gap")
            yield Event(orjson.dumps({"scope": scope or None, "requests": rows}), "requests")

    def _rows(self, scope: str, after: int, newest: int) -> list[dict[str, Any]]:
        """Return the rows of the requests after a number, newest first."""
        found = islice(read_journal(Transaction(self.store, scope), newest + 1), newest - after)
        return [summary_of(number, entry, scope) for number, entry in found if number > after]
