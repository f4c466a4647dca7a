"""The store in the memory of this process."""

from __future__ import annotations

import heapq
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from itertools import chain, islice

from sortedcontainers import SortedDict

from agent_contract.value_class import value_class
from mockserver.stores.base import (
    ITEMS,
    MAX_SWEPT,
    NOT_GROUPED,
    SIZE,
    Conflict,
    Entry,
    StoreFull,
    Versioned,
    full_message,
)


@value_class(frozen=True, slots=True)
class _Item:
    stored: Versioned
    expires: float | None
    pinned: bool
    size: int  # bytes of the value and of the lines
    lines: list[bytes]  # appended to by the next write
    dropped: int  # number of the last dropped line


@dataclass(slots=True)
class _Log:
    count: int = 0
    kept: deque[Entry] = field(default_factory=deque)


class MemoryStore:
    """A `Store` in the memory of this process.

    `items` limits the number of unpinned items, `size` the bytes of everything; a single value may be larger.
    `clock` returns seconds since 1970.
    """

    blocking = False
    groups_writes = False

    def __init__(self, items: int = ITEMS, size: int = SIZE, clock: Callable[[], float] = time.time) -> None:
        self._items = items
        self._size = size
        self._clock = clock
        self._stored: SortedDict[str, _Item] = SortedDict()
        self._unpinned: OrderedDict[str, None] = OrderedDict()  # least recently written first
        self._used = 0  # bytes of items that are not pinned
        self._held = 0  # bytes of pinned items and of logs
        self._expiries: list[tuple[float, int, str]] = []  # heap of (expires, version, key); some entries are outdated
        self._logs: dict[str, _Log] = {}
        self._version = 0  # one counter for all keys: a deleted key never gets an old version again
        self._lock = threading.Lock()

    def get(self, key: str) -> Versioned | None:
        """Return what is stored under `key`, or None."""
        with self._lock:
            found = self._live(key)
            return found.stored if found else None

    def put(
        self,
        key: str,
        value: bytes,
        expected: int | None,
        *,
        expires: float | None = None,
        pinned: bool = False,
        lines: Sequence[bytes] = (),
        keep: int | None = None,
    ) -> int:
        """Store `value` and return its version; raise `Conflict` unless the key has the version `expected`."""
        # Copies: JSON that was just written stays in a buffer larger than itself, which took 4 kB instead of 1.
        value, lines = bytes(memoryview(value)), [bytes(memoryview(line)) for line in lines]
        with self._lock:
            found = self._live(key)
            if (found.stored.version if found else None) != expected:
                raise Conflict(key)
            old = self._stored.get(key)
            kept, dropped, size = [], 0, len(value) + sum(map(len, lines))
            if found:
                kept, dropped, size = found.lines, found.dropped, size + found.size - len(found.stored.value)
            over = 0 if keep is None else max(0, len(kept) + len(lines) - keep)
            if over:
                size -= sum(map(len, islice(chain(kept, lines), over)))
            if pinned and self._held - (old.size if old and old.pinned else 0) + size > self._size:
                raise StoreFull(full_message(self._size))
            kept.extend(lines)
            del kept[:over]
            self._version += 1
            if old:
                self._release(key, old)
            self._stored[key] = _Item(Versioned(value, self._version), expires, pinned, size, kept, dropped + over)
            if pinned:
                self._held += size
            else:
                self._unpinned[key] = None
                self._used += size
            if expires is not None:
                self._note_expiry(expires, key)
            self._sweep()
            self._make_room(key)
            return self._version

    def lines(self, key: str, first: int, limit: int) -> tuple[bytes, ...]:
        """Return the lines of an item with the numbers from `first` on, at most `limit`, without dropped ones."""
        with self._lock:
            found = self._live(key)
            if found is None:
                return ()
            begin = first - found.dropped - 1
            return tuple(found.lines[max(0, begin) : max(0, begin + limit)])

    def delete(self, key: str) -> bool:
        """Delete `key`; return whether it existed."""
        with self._lock:
            found = self._live(key)
            self._remove(key)
            return found is not None

    def items(self, prefix: str = "", after: str = "", limit: int = 100) -> tuple[tuple[str, Versioned], ...]:
        """Return at most `limit` keys that begin with `prefix` and sort after `after`, in order, with their values."""
        with self._lock:
            found = ((key, item.stored) for key in self._keys(prefix, after) if (item := self._live(key)))
            return tuple(islice(found, limit))

    def count(self, prefix: str = "") -> int:
        """Return how many keys begin with `prefix`; some of them may be over, but not yet forgotten."""
        with self._lock:
            return sum(1 for _ in self._keys(prefix, ""))

    def append(self, log: str, entry: Entry, keep: int) -> int:
        """Add an entry to a log and return its number; the log keeps its newest `keep` entries."""
        with self._lock:
            written = self._logs.get(log)
            if written is None:
                written = self._logs[log] = _Log()
            written.count += 1
            written.kept.append(entry)
            self._held += len(entry)
            self._make_room("")
            while len(written.kept) > keep or (self._held > self._size and len(written.kept) > 1):
                self._held -= len(written.kept.popleft())
            return written.count

    def entries(self, log: str, before: int | None = None, limit: int = 100) -> tuple[tuple[int, bytes], ...]:
        """Return at most `limit` entries with their numbers, newest first: those below `before`, by default all."""
        with self._lock:
            written = self._logs.get(log)
            if written is None:
                return ()
            numbered = zip(range(written.count, 0, -1), reversed(written.kept), strict=False)
            skipped = 0 if before is None else max(0, written.count - before + 1)
            page = tuple(islice(numbered, skipped, skipped + limit))
        # Not under the lock: encoding an entry may take long.
        return tuple((number, bytes(entry)) for number, entry in page)

    def clear(self, prefix: str) -> None:
        """Delete all keys and logs that begin with `prefix`."""
        with self._lock:
            for key in list(self._keys(prefix, "")):
                self._remove(key)
            for log in [log for log in self._logs if log.startswith(prefix)]:
                self._held -= sum(map(len, self._logs.pop(log).kept))

    def together(self) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        return NOT_GROUPED

    def ready(self) -> None:
        """Return at once: memory is always available."""

    def close(self) -> None:
        """Do nothing."""

    def _live(self, key: str) -> _Item | None:
        found = self._stored.get(key)
        return None if found is None or _is_expired(found.expires, self._clock()) else found

    def _keys(self, prefix: str, after: str) -> Iterator[str]:
        for key in self._stored.irange(max(prefix, after), inclusive=(prefix > after, True)):
            if not key.startswith(prefix):
                return
            yield key

    def _remove(self, key: str) -> None:
        found = self._stored.pop(key, None)
        if found:
            self._release(key, found)

    def _release(self, key: str, item: _Item) -> None:
        """Take an item out of the totals, because it is removed or replaced."""
        if item.pinned:
            self._held -= item.size
        else:
            del self._unpinned[key]
            self._used -= item.size

    def _note_expiry(self, expires: float, key: str) -> None:
        heapq.heappush(self._expiries, (expires, self._version, key))
        # Each write of a key leaves an outdated entry. Rebuild the heap if most of its entries are outdated.
        if len(self._expiries) > 2 * len(self._stored) + 100:
            self._expiries = [
                (item.expires, item.stored.version, key)
                for key, item in self._stored.items()
                if item.expires is not None
            ]
            heapq.heapify(self._expiries)

    def _sweep(self) -> None:
        """Delete the first expired items."""
        now, swept = self._clock(), 0
        while self._expiries and _is_expired(self._expiries[0][0], now) and swept < MAX_SWEPT:
            _, version, key = heapq.heappop(self._expiries)
            found = self._stored.get(key)
            if found and found.stored.version == version:
                self._remove(key)
                swept += 1

    def _make_room(self, newest: str) -> None:
        while len(self._unpinned) > self._items or self._used + self._held > self._size:
            oldest = next(iter(self._unpinned), newest)
            if oldest == newest:
                return
            self._remove(oldest)


def _is_expired(expires: float | None, now: float) -> bool:
    return expires is not None and now > expires
