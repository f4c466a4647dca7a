"""Opens the store at an address."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from mockserver.stores.base import ITEMS, SIZE, Store, store_error
from mockserver.stores.memory import MemoryStore

if TYPE_CHECKING:
    from mockserver.stores.redis import RedisStore

#: The forms of addresses, for messages.
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

    It keeps at most `items` items that are not pinned, and `size` bytes of everything. With `check`, it is written once
    to make sure that it works. Raises `StoreError`, with problem and remedy, if the address is invalid or the store
    can't be used.
    """
    if url == "memory":
        return MemoryStore(items, size, clock)
    if url.startswith(_FILE) and url != _FILE:
        from mockserver.stores.sqlite import SQLiteStore

        store: SQLiteStore | RedisStore = SQLiteStore(Path(url.removeprefix(_FILE)), items, size, clock)
    elif url.startswith(("redis://", "rediss://")):
        store = _redis()(url, items, size, clock)
    else:
        raise store_error(url, "is not the address of a store", f"use {ADDRESSES}")
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
