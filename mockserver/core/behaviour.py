"""What an operation's behaviour is given and what it gives back.

A behaviour reads through a `View` and decides; the engine writes what it says, or lets it decide again where somebody
else wrote what it had read.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import orjson

from agent_contract import Call
from agent_contract.messages import JSON, Location, Reply
from mockserver.generation.latency import Pace
from mockserver.generation.retrieval import SearchIndex
from mockserver.resources.agents import Agent
from mockserver.resources.models import Model
from mockserver.stores import Store


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost, and what the mock keeps: bytes, or numbers of things.

    `tools` bounds how many a request declares and `schema` the characters of a JSON Schema in it;
    `session` bounds one session's stored bytes, `sessions` how many are kept and `store` their bytes together:
    those that were used longest ago go first. `agents` are those of one world, configured ones included, `agent` bounds
    the stored bytes of one; `texts` and `dimensions` what one request for embeddings may ask for. `worlds` bounds the
    worlds that have a name, `journal` the requests that each world's journal keeps, 0 for none.
    """

    body: int = 2 * 1024 * 1024
    choices: int = 128
    stops: int = 1024
    tools: int = 128
    schema: int = 64 * 1024
    session: int = 4 * 1024 * 1024
    sessions: int = 10_000
    store: int = 256 * 1024 * 1024
    agents: int = 1_000
    agent: int = 256 * 1024
    texts: int = 2_048
    dimensions: int = 4_096
    worlds: int = 1000
    journal: int = 500


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays the same from request to request; `seed` is mixed into every text.

    `indexes` stand under their own ids, those of documents that an agent has to itself under the agent's.
    """

    agents: Mapping[str, Agent]
    limits: Limits = field(default_factory=Limits)
    pace: Pace = field(default_factory=Pace)
    seed: bytes = b""
    models: Mapping[str, Model] = field(default_factory=dict)
    indexes: Mapping[str, SearchIndex] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turn:
    """What one attempt to answer may use once: the time in seconds since 1970, two fresh uuids, some randomness."""

    now: float
    id: str
    session_id: str
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that is refused: `status`, why in words, the clause's name behind the dot, and what was looked at."""

    status: int
    clause: str
    why: str
    where: Location = ()
    expected: JSON = None
    got: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """A value to be written in the place of the one that was read, or None to remove it; see `Store.put`."""

    key: str
    value: bytes | None
    expires: float | None = None
    pinned: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, and what it leaves behind.

    Of several `writes` the first decides: where somebody else wrote its key since it was read, none is done. `cleared`
    are beginnings of keys, all of which are removed.
    """

    reply: Reply
    writes: tuple[Write, ...] = ()
    cleared: tuple[str, ...] = ()


def answer(value: JSON | Mapping[str, Any]) -> Outcome:
    """Return the outcome that answers with a value as JSON, and leaves nothing behind."""
    return Outcome(Reply(200, {"content-type": "application/json"}, orjson.dumps(value)))


@dataclass(slots=True)
class View:
    """What one attempt to answer sees of a world in the store; it remembers the version of each value that was read."""

    store: Store
    world: str
    _versions: dict[str, int | None] = field(default_factory=dict)

    @property
    def touched(self) -> tuple[str, ...]:
        """The keys that were read or written, in the order in which they were first."""
        return tuple(self._versions)

    def begin(self) -> None:
        """Forget what was read: the next attempt reads it again."""
        self._versions.clear()

    def within(self, beginning: str) -> View:
        """Return a view of the keys that begin so."""
        return View(self.store, self.world + beginning)

    def get(self, key: str) -> bytes | None:
        """Return what is stored under `key`, or None."""
        found = self.store.get(self.world + key)
        self._versions[key] = found.version if found else None
        return found.value if found else None

    def items(self, prefix: str, after: str = "", limit: int = 100) -> tuple[tuple[str, bytes], ...]:
        """Return at most `limit` keys that begin with `prefix` and sort behind `after`, in order, with their values."""
        behind = self.world + after if after else ""
        found = self.store.items(self.world + prefix, behind, limit)
        return tuple((key.removeprefix(self.world), item.value) for key, item in found)

    def count(self, prefix: str) -> int:
        """Return how many keys begin with `prefix`."""
        return self.store.count(self.world + prefix)

    def entries(self, log: str, before: int | None = None, limit: int = 100) -> tuple[tuple[int, bytes], ...]:
        """Return at most `limit` entries of a log with their numbers, newest first, those below `before`."""
        return self.store.entries(self.world + log, before, limit)

    def commit(self, outcome: Outcome) -> None:
        """Do what an outcome leaves behind; raise `Conflict` where a value is not any more what was read."""
        for write in outcome.writes:
            key = self.world + write.key
            if write.value is None:
                self.store.delete(key)
            else:
                expected = self._versions.setdefault(write.key, None)
                self.store.put(key, write.value, expected, expires=write.expires, pinned=write.pinned)
        for prefix in outcome.cleared:
            self.store.clear(self.world + prefix)


#: How an operation acts: the same call, setting, turn and view give the same outcome.
Behaviour: TypeAlias = Callable[[Call, Setting, Turn, View], Outcome | Refused]
