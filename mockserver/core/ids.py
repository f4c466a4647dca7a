"""Fresh values for each attempt to answer: the time, ids and randomness, drawn from the seed."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable

from mockserver.core import keys
from mockserver.core.context import Fresh
from mockserver.stores import Store


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

    def draw(self) -> Fresh:
        """Return fresh values; raises `StoreUnavailable` if the first call can't reach the store."""
        # Not under the lock: if the store is slow, requests would wait for each other.
        start = self._store.append(keys.STARTS, b"", 1) if self._source is None else 0
        with self._lock:
            if self._source is None:
                self._source = random.Random(self.seed if start == 1 else f"{self.seed}/{start}")
            source = self._source
            first, second = (str(uuid.UUID(int=source.getrandbits(128), version=4)) for _ in range(2))
            return Fresh(self._clock(), first, second, source.getrandbits(64).to_bytes(8, "big"))
