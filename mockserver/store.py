"""Where sessions are kept: a protocol by compare-and-set, and the store in memory."""

from __future__ import annotations

import heapq
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Versioned:
    """A stored value and the version that its writing gave it."""

    value: bytes
    version: int


class Conflict(Exception):
    """Somebody else has written the key since the version that was expected."""


class SessionStore(Protocol):
    """Values under keys, written by compare-and-set, so that two writers of one session lose no turn.

    A key is text whose parts are parted by `/`; a value is bytes. Every method may be called from any thread.
    """

    def get(self, key: str) -> Versioned | None:
        """Return what is stored under `key`, or None."""

    def put(self, key: str, value: bytes, expected: int | None) -> int:
        """Store `value` and return its version, greater than any that the key had.

        `expected` is the version that is replaced, None where the key must be new; raises `Conflict` otherwise.
        """

    def delete(self, key: str) -> bool:
        """Remove `key`; return whether it was there."""

    def keys(self, prefix: str = "", after: str = "", limit: int = 100) -> tuple[str, ...]:
        """Return at most `limit` keys that begin with `prefix` and sort behind `after`, in order."""


class MemoryStore:
    """A `SessionStore` in this process, bounded: what was used longest ago goes first.

    `items` bounds the number of keys, `size` the bytes of all values together; one value may be as large as `size`.
    """

    def __init__(self, items: int = 10_000, size: int = 256 * 1024 * 1024) -> None:
        self._items = items
        self._size = size
        self._stored: OrderedDict[str, Versioned] = OrderedDict()
        self._used = 0
        self._version = 0  # one count for all keys: a key that was deleted never gets an old version again
        self._lock = threading.Lock()

    def get(self, key: str) -> Versioned | None:
        """Return what is stored under `key`, or None."""
        with self._lock:
            found = self._stored.get(key)
            if found is not None:
                self._stored.move_to_end(key)
            return found

    def put(self, key: str, value: bytes, expected: int | None) -> int:
        """Store `value` and return its version; raise `Conflict` unless the key has the version `expected`."""
        with self._lock:
            found = self._stored.get(key)
            if (found.version if found else None) != expected:
                raise Conflict(key)
            self._used += len(value) - (len(found.value) if found else 0)
            self._version += 1
            self._stored[key] = Versioned(value, self._version)
            self._stored.move_to_end(key)
            while len(self._stored) > self._items or (self._used > self._size and len(self._stored) > 1):
                _, gone = self._stored.popitem(last=False)
                self._used -= len(gone.value)
            return self._version

    def delete(self, key: str) -> bool:
        """Remove `key`; return whether it was there."""
        with self._lock:
            found = self._stored.pop(key, None)
            self._used -= len(found.value) if found else 0
            return found is not None

    def keys(self, prefix: str = "", after: str = "", limit: int = 100) -> tuple[str, ...]:
        """Return at most `limit` keys that begin with `prefix` and sort behind `after`, in order."""
        with self._lock:
            matching = [key for key in self._stored if key.startswith(prefix) and key > after]
        return tuple(heapq.nsmallest(limit, matching))
