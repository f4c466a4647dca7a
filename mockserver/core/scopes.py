"""Scopes: isolated sets of agents, sessions and journals, chosen by the header X-Mock-Scope."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator

import orjson

from mockserver.core import keys
from mockserver.stores import Conflict, Store
from mockserver.stores.base import all_items

#: The header that names a scope; requests without it use the default scope, whose name is empty.
SCOPE_HEADER = "x-mock-scope"

_NAME = re.compile(r"[!-~](?:[ -~]{0,98}[!-~])?")
_INTERVAL = 1.0  # seconds between two updates of one scope's time by one process


def is_scope_name(text: str) -> bool:
    """Return whether `text` can be the name of a scope."""
    return _NAME.fullmatch(text) is not None


def known_scopes(store: Store, after: str = "") -> Iterator[tuple[str, float]]:
    """Yield the name of each named scope with the time of its last use, starting after the name `after`.

    They are sorted by their percent-encoded names.
    """
    for key, found in all_items(store.items, keys.REGISTER, keys.registered(after) if after else ""):
        yield keys.scope_name(key), orjson.loads(found.value)


class Scopes:
    """Registers in the store when each scope was last used, and evicts the least recently used of more than `most`.

    A process registers a scope at most once a second. So for up to a second it may write to a scope that another
    process has just deleted.
    """

    def __init__(self, store: Store, most: int, clock: Callable[[], float]) -> None:
        self._store = store
        self._most = most
        self._clock = clock
        self._registered: dict[str, float] = {}

    def touch(self, name: str) -> None:
        """Register that a scope is used; raises `StoreUnavailable`."""
        now = self._clock()
        if not name or abs(now - self._registered.get(name, -math.inf)) < _INTERVAL:
            return
        key = keys.registered(name)
        found = self._store.get(key)
        with contextlib.suppress(Conflict):  # another process has registered it
            self._store.put(key, orjson.dumps(now), found.version if found else None, pinned=True)
        if not found:
            self._make_room(name)
        if len(self._registered) >= self._most:
            self._registered.clear()
        self._registered[name] = now

    def forget(self) -> None:
        """Clear the cache, because scopes may have been deleted."""
        self._registered.clear()

    def evict(self, keep: str) -> bool:
        """Delete the least recently used scope other than `keep`; return whether one was deleted."""
        others = [(used, name) for name, used in known_scopes(self._store) if name != keep]
        if others:
            self._delete(min(others)[1])
        return bool(others)

    def _make_room(self, newest: str) -> None:
        if self._store.count(keys.REGISTER) <= self._most:
            return
        others = [(used, name) for name, used in known_scopes(self._store) if name != newest]
        for _, name in sorted(others)[: max(0, len(others) + 1 - self._most)]:
            self._delete(name)

    def _delete(self, name: str) -> None:
        self._registered.pop(name, None)
        self._store.clear(keys.scope(name))
        self._store.delete(keys.registered(name))
