"""Worlds: agents, sessions and a journal apart from all others, for each name that a request gives in X-Mock-Scope."""

from __future__ import annotations

import contextlib
import math
import re
from collections.abc import Callable, Iterator
from urllib.parse import quote, unquote

import orjson

from agent_contract.messages import Request
from mockserver.core.behaviour import Refused, View
from mockserver.stores import Conflict, Store

#: The header that names a world.
SCOPE = "x-mock-scope"
#: Where the keys of all worlds begin, and those that say when each was used.
WORLDS = "world/"
USED = "worlds/"

_NAME = re.compile(r"[!-~](?:[ -~]{0,98}[!-~])?")
_EVERY = 1.0  # seconds between two notes of one process that a world is used
_PAGE = 1000


def name_of(request: Request) -> str:
    """Return the name of the world that a request is sent to, "" for the one without a name."""
    return request.headers.get(SCOPE, "")


def misnamed(request: Request) -> Refused | None:
    """Return why a request is refused whose header names no world."""
    name = request.headers.get(SCOPE)
    if name is None or _NAME.fullmatch(name):
        return None
    why = "X-Mock-Scope names a world with 1 to 100 printable ASCII characters, no space first or last."
    return Refused(400, "", f"{why} Leave it out for the world without a name.", ("header", SCOPE), None, name[:200])


def beginning(name: str) -> str:
    """Return where the keys of a world begin."""
    return f"{WORLDS}{quote(name, safe='')}/"


def key_of(name: str) -> str:
    """Return the key that says when a world was used; it is the beginning of no other."""
    return f"{USED}{quote(name, safe='')}/"


def known_worlds(view: View, after: str = "") -> Iterator[tuple[str, float]]:
    """Yield the worlds that have a name, behind the name `after`, with the second in which each was used last.

    They are sorted by their names as a URL spells them.
    """
    cursor = key_of(after) if after else ""
    while page := view.items(USED, cursor, _PAGE):
        for key, value in page:
            yield unquote(key.removeprefix(USED).rstrip("/")), orjson.loads(value)
        cursor = page[-1][0]


class Worlds:
    """Notes which worlds are used, in the store that keeps them; of more than `most` the one unused longest goes.

    A world is noted once a second by each process, not with each request. So one that another process has just
    removed may be written to for that second before it is known again.
    """

    def __init__(self, store: Store, most: int, clock: Callable[[], float]) -> None:
        self._store = store
        self._most = most
        self._clock = clock
        self._noted: dict[str, float] = {}

    def touch(self, name: str) -> None:
        """Note that a world is used; raises `StoreUnavailable`."""
        now = self._clock()
        if not name or abs(now - self._noted.get(name, -math.inf)) < _EVERY:
            return
        key = key_of(name)
        found = self._store.get(key)
        with contextlib.suppress(Conflict):  # somebody else has noted it
            self._store.put(key, orjson.dumps(now), found.version if found else None, pinned=True)
        if not found:
            self._make_room(name)
        if len(self._noted) >= self._most:
            self._noted.clear()
        self._noted[name] = now

    def forget(self) -> None:
        """Look into the store again for each world: some may be gone."""
        self._noted.clear()

    def _make_room(self, newest: str) -> None:
        if self._store.count(USED) <= self._most:
            return
        there = [(used, name) for name, used in known_worlds(View(self._store, "")) if name != newest]
        for _, name in sorted(there)[: max(0, len(there) + 1 - self._most)]:
            self._noted.pop(name, None)
            self._store.clear(beginning(name))
            self._store.delete(key_of(name))
