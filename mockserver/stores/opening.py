"""Opens the store that an address names, or says why that can't be."""

from __future__ import annotations

import time
from collections.abc import Callable

from agent_contract.errors import ContractError, Problem
from mockserver.stores.memory import MemoryStore
from mockserver.stores.protocol import ITEMS, SIZE, Store


class StoreError(ContractError):
    """A store can't be opened; `problems` holds its address, what is wrong, and what to do."""


def store_error(place: str, problem: str, remedy: str) -> StoreError:
    """Return the error that names one fault of the store at `place`."""
    return StoreError([Problem("--store", place, problem, remedy)])


def open_store(url: str, *, items: int = ITEMS, size: int = SIZE, clock: Callable[[], float] = time.time) -> Store:
    """Return the store at `memory`, at present the only one.

    It keeps at most `items` items that are not pinned, of `size` bytes together. Raises `StoreError`.
    """
    if url == "memory":
        return MemoryStore(items, size, clock)
    raise store_error(url, "there is no such store", "name one as memory")
