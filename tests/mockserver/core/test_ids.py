"""Fresh ids, drawn from the seed and a number that the store gives."""

from __future__ import annotations

import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from mockserver.core.ids import IdSource
from mockserver.stores import Entry, MemoryStore, StoreUnavailable


class HangingStore(MemoryStore):
    """A store whose calls only fail once `count` of them wait at the same time."""

    def __init__(self, count: int) -> None:
        super().__init__()
        self.all_wait = threading.Barrier(count, timeout=20)

    def append(self, log: str, entry: Entry, keep: int) -> int:
        self.all_wait.wait()
        raise StoreUnavailable("It hangs.")


def test_the_first_requests_do_not_wait_for_each_other_when_the_store_hangs() -> None:
    ids = IdSource(0, lambda: 0.0, HangingStore(16))
    with ThreadPoolExecutor(16) as threads:
        draws = [threads.submit(ids.draw) for _ in range(16)]
    for draw in draws:
        with pytest.raises(StoreUnavailable):
            draw.result()


def test_the_same_seed_draws_the_same_ids_and_a_second_server_others() -> None:
    store = MemoryStore()
    first, second, again = (
        IdSource(1, lambda: 0.0, store),
        IdSource(1, lambda: 0.0, store),
        IdSource(1, lambda: 0.0, MemoryStore()),
    )
    drawn = first.draw()
    assert again.draw() == drawn
    assert second.draw() != drawn


def test_ids_are_random_uuids_of_the_seed() -> None:
    source, ids = random.Random(7), IdSource(7, lambda: 1.5, MemoryStore())
    for _ in range(100):
        first, second = (str(uuid.UUID(int=source.getrandbits(128), version=4)) for _ in range(2))
        fresh = ids.draw()
        assert (fresh.now, fresh.id, fresh.session_id) == (1.5, first, second)
        assert fresh.nonce == source.getrandbits(64).to_bytes(8, "big")
