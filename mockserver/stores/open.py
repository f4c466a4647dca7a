"""Opens the store that an address names, or says why that can't be."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.stores.base import ITEMS, SIZE, Store
from mockserver.stores.errors import store_error
from mockserver.stores.memory import MemoryStore

if TYPE_CHECKING:
    from mockserver.stores.redis import RedisStore

#: The addresses of stores, as they are told to a person.
ADDRESSES = "memory, sqlite:///FILE or redis://HOST/N"
_FILE = "sqlite:///"


def open_store(
    url: str,
    *,
    items: int = ITEMS,
    size: int = SIZE,
    clock: Callable[[], float] = time.time,
    check: bool = True,
) -> Store:
    """Return the store at `memory`, `sqlite:///FILE` or `redis://HOST[:PORT]/N`.

    It keeps at most `items` items that are not pinned, of `size` bytes together. With `check` it was written once, so
    that it works when this returns. Raises `StoreError`, which says what is wrong and what to do: for an address of no
    store, and for a store that can't be used.
    """
    if url == "memory":
        return MemoryStore(items, size, clock)
    if url.startswith(_FILE) and url != _FILE:
        from mockserver.stores.sqlite import SQLiteStore

        store: SQLiteStore | RedisStore = SQLiteStore(Path(url.removeprefix(_FILE)), items, size, clock)
    elif url.startswith(("redis://", "rediss://")):
        store = _redis()(url, items, size, clock)
    else:
        raise store_error(url, "there is no such store", f"name one as {ADDRESSES}")
    if check:
        try:
            store.check()
        except BaseException:
            store.close()
            raise
    return store


def _redis() -> type[RedisStore]:
    try:
        from mockserver.stores.redis import RedisStore
    except ModuleNotFoundError as error:
        if error.name != "redis":
            raise
        what = "the library for Redis is not installed"
        raise store_error("redis://…", what, 'run: python -m pip install "agent-contract-kit[redis]"') from None
    return RedisStore
