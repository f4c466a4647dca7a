"""What each attempt to answer may use once: the time, fresh ids, randomness; from the seed, and never twice."""

from __future__ import annotations

import random
import threading
import uuid
from collections.abc import Callable

from mockserver.core.behaviour import Turn
from mockserver.stores import Store

#: The log in the store that counts who has drawn ids for it.
STARTS = "server/starts"


class Turns:
    """Gives turns: the same seed, clock and store give the same ones.

    Workers and restarts that share a store would all draw the ids that are taken already. So each takes a number of
    its own from the store, and draws from the seed and that; the first one's are the seed's alone.
    """

    def __init__(self, seed: int, clock: Callable[[], float], store: Store) -> None:
        self._seed = seed
        self._clock = clock
        self._store = store
        self._source: random.Random | None = None
        self._lock = threading.Lock()

    def draw(self) -> Turn:
        """Return a fresh turn; raises `StoreUnavailable` where the first finds no store."""
        with self._lock:
            if self._source is None:
                start = self._store.append(STARTS, b"", 1)
                self._source = random.Random(self._seed if start == 1 else f"{self._seed}/{start}")
            source = self._source
            first, second = (str(uuid.UUID(int=source.getrandbits(128), version=4)) for _ in range(2))
            return Turn(self._clock(), first, second, source.getrandbits(64).to_bytes(8, "big"))
