"""Fresh values for each attempt to answer: the time, ids and randomness, drawn from the seed."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from mockserver.core import keys
from mockserver.core.context import FreshValues, as_uuid
from mockserver.stores import Store

#: The bits of two uuids that state their version and variant, and what version 4 has there.
_TWICE = 1 << 128 | 1
_UUID_BITS, _UUID_4 = 0xF << 76 | 0b11 << 62, 4 << 76 | 0b10 << 62
_FIXED_BITS, _VERSION_4 = _UUID_BITS * _TWICE, _UUID_4 * _TWICE


def draw_uuid(source: random.Random) -> str:
    """Return a uuid of version 4."""
    return as_uuid(f"{source.getrandbits(128) & ~_UUID_BITS | _UUID_4:032x}")


class IdSource:
    """Draws fresh values: the same seed, clock and store give the same ones.

    Processes that share a store, at the same time or one after the other, must not draw the same ids. So each takes a
    number from the store and adds it to the seed; the first one uses the seed alone.
    """

    def __init__(self, seed: int, clock: Callable[[], float], store: Store) -> None:
        self.seed = seed
        self._clock = clock
        self._store = store
        self._source: random.Random | None = None
        self._lock = threading.Lock()

    def draw(self) -> FreshValues:
        """Return fresh values; raises `StoreUnavailable` if the first call can't reach the store."""
        # Not under the lock: if the store is slow, requests would wait for each other.
        start = self._store.append(keys.STARTS, b"", 1) if self._source is None else 0
        with self._lock:
            if self._source is None:
                self._source = random.Random(self.seed if start == 1 else f"{self.seed}/{start}")
            source = self._source
            drawn = source.getrandbits(320)
        return FreshValues(self._clock(), f"{drawn & ~_FIXED_BITS | _VERSION_4:080x}")
