"""Reads and writes of one attempt to answer a request."""

from __future__ import annotations

from dataclasses import dataclass, field

from mockserver.core import keys
from mockserver.core.outcome import Outcome, Reset
from mockserver.stores import Store


@dataclass(slots=True)
class Transaction:
    """Reads and writes a scope in the store.

    All keys are relative to the scope. The transaction remembers the version of each value that it reads.
    Unless it `expires`, nothing that it writes expires in the store, which has another clock than the scope.
    """

    store: Store
    scope: str = ""
    expires: bool = True
    _prefix: str = field(init=False)
    _versions: dict[str, int | None] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self._prefix = keys.scope(self.scope)

    @property
    def touched(self) -> tuple[str, ...]:
        """The keys that were read or written, in the order of their first use."""
        return tuple(self._versions)

    def get(self, key: str) -> bytes | None:
        """Return the value stored under `key`, or None."""
        found = self.store.get(self._prefix + key)
        self._versions[key] = found.version if found else None
        return found.value if found else None

    def lines(self, key: str, first: int, limit: int) -> tuple[bytes, ...]:
        """Return the lines of an item with the numbers from `first` on, at most `limit`, without dropped ones."""
        return self.store.lines(self._prefix + key, first, limit)

    def items(self, prefix: str, after: str = "", limit: int = 100) -> tuple[tuple[str, bytes], ...]:
        """Return at most `limit` keys that begin with `prefix` and sort after `after`, in order, with their values."""
        start = self._prefix + after if after else ""
        found = self.store.items(self._prefix + prefix, start, limit)
        return tuple((key.removeprefix(self._prefix), item.value) for key, item in found)

    def count(self, prefix: str) -> int:
        """Return the number of keys that begin with `prefix`."""
        return self.store.count(self._prefix + prefix)

    def entries(self, log: str, before: int | None = None, limit: int = 100) -> tuple[tuple[int, bytes], ...]:
        """Return at most `limit` entries of a log with numbers below `before`, newest first."""
        return self.store.entries(self._prefix + log, before, limit)

    def commit(self, outcome: Outcome) -> None:
        """Write what an outcome changes; raises `Conflict` if a value was changed after it was read."""
        for write in outcome.writes:
            key = self._prefix + write.key
            if write.value is None:
                self.store.delete(key)
            else:
                expected = self._versions.setdefault(write.key, None)
                self.store.put(
                    key,
                    write.value,
                    expected,
                    expires=write.expires if self.expires else None,
                    pinned=write.pinned,
                    lines=write.lines,
                    keep=write.keep,
                )
        for prefix in outcome.cleared:
            self.store.clear(self._prefix + prefix)
        if outcome.reset is Reset.SCOPE:
            self.store.clear(self._prefix)
            self.store.delete(keys.registered(self.scope))
        elif outcome.reset is Reset.ALL:
            self.store.clear(keys.SCOPES)
            self.store.clear(keys.REGISTER)
