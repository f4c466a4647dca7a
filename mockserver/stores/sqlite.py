"""The store in an SQLite file, which processes on one machine can share.

The file is in WAL mode with `synchronous=NORMAL`: the operating system has each write before the answer is sent, so the
write survives a crash of any process. A power failure may lose the last writes, but does not damage the file. FULL
would keep them, but would wait for the disk at every turn.

Source: https://www.sqlite.org/pragma.html#pragma_synchronous, https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

from mockserver.stores.base import (
    ITEMS,
    MAX_SWEPT,
    SIZE,
    Conflict,
    Entry,
    StoreFull,
    StoreUnavailable,
    Versioned,
    decoded,
    encoded,
    end_of,
    full_message,
)
from mockserver.stores.circuit_breaker import CALL, CircuitBreaker
from mockserver.stores.sqlite_schema import error_name, open_error, open_file

#: The log, and the bytes, that `ready` writes to check that the file can grow. No key is encoded to this name.
_PROBE = b"\xff"
_PROBE_SIZE = 32 * 1024
#: Bytes that must be free on the disk.
_MIN_FREE = 1024 * 1024
_NEWEST = 2**63 - 1  # greater than every version
#: The version of an item, the one that it had when it was created, the number of its last line, the bytes of its lines.
_ITEM = """SELECT version, coalesce(origin, version), last, size - length(value) FROM item
           WHERE key = ? AND (expires IS NULL OR expires >= ?)"""
_VERSION = "SELECT version FROM item WHERE key = ? AND (expires IS NULL OR expires >= ?)"


class SQLiteStore:
    """A `Store` in a file, which processes on one machine can share.

    `items` limits the number of unpinned items, `size` the bytes of everything; a single value may be larger.
    `clock` returns seconds since 1970; a write waits up to `timeout` seconds for one of another process. Raises
    `StoreError` if the file can't be used.
    """

    blocking = True
    groups_writes = True

    def __init__(
        self,
        file: Path,
        items: int = ITEMS,
        size: int = SIZE,
        clock: Callable[[], float] = time.time,
        timeout: float = CALL,
    ) -> None:
        self._file = file.absolute()
        self._items = items
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()  # one connection is enough: writers wait for each other anyway
        self._timeout = timeout
        self._breaker = CircuitBreaker(str(self._file))
        self._connection = open_file(self._file, timeout=timeout)
        self._group: _WriteGroup | None = None

    def get(self, key: str) -> Versioned | None:
        """Return what is stored under `key`, or None."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT value, version FROM item WHERE key = ? AND (expires IS NULL OR expires >= ?)",
                (encoded(key), self._clock()),
            ).fetchone()
        return Versioned(*found) if found else None

    def put(
        self,
        key: str,
        value: bytes,
        expected: int | None,
        *,
        expires: float | None = None,
        pinned: bool = False,
        lines: Sequence[bytes] = (),
        keep: int | None = None,
    ) -> int:
        """Store `value` and return its version; raise `Conflict` unless the key has the version `expected`."""
        name, now = encoded(key), self._clock()
        with self._writing() as connection:
            found = connection.execute(_ITEM, (name, now)).fetchone()
            version, origin, last, size = found or (None, None, 0, 0)
            if version != expected:
                raise Conflict(key)
            first, last = last + 1, last + len(lines)
            size += len(value) + sum(map(len, lines)) - self._dropped(connection, origin, lines, last, keep)
            if pinned and self._held_without(connection, name) + size > self._size:
                raise StoreFull(full_message(self._size))
            if found:
                connection.execute("DELETE FROM item WHERE version = ?", (version,))
            else:  # an expired one, with its lines
                _remove(connection, "key = ?", name)
            version = connection.execute(
                "INSERT INTO item (key, expires, pinned, size, value, origin, last) VALUES (?, ?, ?, ?, ?, ?, ?)",
                (name, expires, pinned, size, value, origin, last),
            ).lastrowid
            assert version is not None
            if lines:
                numbered = ((origin or version, number, line) for number, line in enumerate(lines, first))
                connection.executemany("INSERT INTO line VALUES (?, ?, ?)", numbered)
            if keep is not None and last > keep:
                connection.execute("DELETE FROM line WHERE item = ? AND number <= ?", (origin or version, last - keep))
            expired = connection.execute(
                "SELECT version FROM item WHERE expires < ? ORDER BY expires LIMIT ?", (now, MAX_SWEPT)
            ).fetchall()
            for row in expired:
                _remove(connection, "version = ?", *row)
            self._make_room(connection, version)
        return version

    def lines(self, key: str, first: int, limit: int) -> tuple[bytes, ...]:
        """Return the lines of an item with the numbers from `first` on, at most `limit`, without dropped ones."""
        with self._reading() as connection:
            found = connection.execute(_ITEM, (encoded(key), self._clock())).fetchone()
            if not found:
                return ()
            rows = connection.execute(
                "SELECT value FROM line WHERE item = ? AND number >= ? AND number < ? ORDER BY number",
                (found[1], first, first + limit),
            ).fetchall()
        return tuple(value for (value,) in rows)

    def delete(self, key: str) -> bool:
        """Delete `key`; return whether it existed."""
        name = encoded(key)
        with self._writing() as connection:
            found = connection.execute(_VERSION, (name, self._clock())).fetchone()
            _remove(connection, "key = ?", name)
        return found is not None

    def items(self, prefix: str = "", after: str = "", limit: int = 100) -> tuple[tuple[str, Versioned], ...]:
        """Return at most `limit` keys that begin with `prefix` and sort after `after`, in order, with their values."""
        # One lower bound: with two, SQLite seeks the first and scans up to the second.
        bounds = (encoded(max(prefix, after)), end_of(prefix))
        with self._reading() as connection:
            found = connection.execute(
                f"""SELECT key, value, version FROM item WHERE key {">=" if prefix > after else ">"} ? AND key < ?
                    AND (expires IS NULL OR expires >= ?) ORDER BY key LIMIT ?""",
                (*bounds, self._clock(), limit),
            ).fetchall()
        return tuple((decoded(key), Versioned(value, version)) for key, value, version in found)

    def count(self, prefix: str = "") -> int:
        """Return how many keys begin with `prefix`; some of them may be over, but not yet forgotten."""
        with self._reading() as connection:
            bounds = (encoded(prefix), end_of(prefix))
            (found,) = connection.execute("SELECT count(*) FROM item WHERE key >= ? AND key < ?", bounds).fetchone()
        return int(found)

    def append(self, log: str, entry: Entry, keep: int) -> int:
        """Add an entry to a log and return its number; the log keeps its newest `keep` entries."""
        name, value = encoded(log), bytes(entry)
        with self._writing() as connection:
            (last,) = connection.execute("SELECT max(number) FROM entry WHERE log = ?", (name,)).fetchone()
            number = int(last or 0) + 1
            connection.execute("INSERT INTO entry VALUES (?, ?, ?)", (name, number, value))
            connection.execute("DELETE FROM entry WHERE log = ? AND number <= ?", (name, number - keep))
            over = self._make_room(connection, _NEWEST)
            if over > 0:
                self._shorten(connection, name, number, over)
        return number

    def entries(self, log: str, before: int | None = None, limit: int = 100) -> tuple[tuple[int, bytes], ...]:
        """Return at most `limit` entries with their numbers, newest first: those below `before`, by default all."""
        with self._reading() as connection:
            found = connection.execute(
                """SELECT number, value FROM entry WHERE log = ?1 AND (?2 IS NULL OR number < ?2)
                   ORDER BY number DESC LIMIT ?3""",
                (encoded(log), before, limit),
            ).fetchall()
        return tuple(found)

    def clear(self, prefix: str) -> None:
        """Delete all keys and logs that begin with `prefix`."""
        with self._writing() as connection:
            _remove(connection, "key >= ? AND key < ?", encoded(prefix), end_of(prefix))
            connection.execute("DELETE FROM entry WHERE log >= ? AND log < ?", (encoded(prefix), end_of(prefix)))

    @contextmanager
    def together(self) -> Iterator[None]:
        """Write what this thread writes within the block in one transaction, which begins with the first write."""
        with self._locked() as connection:
            group = self._group = _WriteGroup(threading.get_ident())
            try:
                yield
                if group.failure is not None:
                    raise StoreUnavailable(str(group.failure), group.failure.retry_after)
                if connection.in_transaction:
                    connection.execute("COMMIT")
            finally:
                self._group = None
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def ready(self) -> None:
        """Return if the file can be written and can grow; raise `StoreUnavailable` otherwise.

        A small write fits into free pages even on a full disk, so this checks the free space and writes a large value.
        """
        free = shutil.disk_usage(self._file.parent).free
        if free < _MIN_FREE:
            raise StoreUnavailable(f"The disk of the store {self._file} has {free} bytes left. {_REMEDIES[_FULL]}")
        with self._writing() as connection:
            connection.execute("DELETE FROM entry WHERE log = ?", (_PROBE,))
            connection.execute("INSERT INTO entry VALUES (?, 0, zeroblob(?))", (_PROBE, _PROBE_SIZE))
        with self._writing() as connection:
            connection.execute("DELETE FROM entry WHERE log = ?", (_PROBE,))

    def check(self) -> None:
        """Raise `StoreError` if the file can't be written."""
        try:
            self.ready()
        except StoreUnavailable as error:
            raise open_error(self._file, error.__cause__) from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _make_room(self, connection: sqlite3.Connection, newest: int) -> int:
        """Remove the oldest items before the version `newest`; return by how many bytes the rest is too large."""
        items, used = connection.execute("SELECT items, bytes + held FROM total").fetchone()
        if items <= self._items and used <= self._size:
            return 0
        last = 0
        oldest = connection.execute(
            "SELECT version, size FROM item WHERE NOT pinned AND version < ? ORDER BY version", (newest,)
        )
        with closing(oldest):
            while items > self._items or used > self._size:
                found = oldest.fetchone()
                if found is None:
                    break
                last, items, used = found[0], items - 1, used - found[1]
        if last:
            _remove(connection, "NOT pinned AND version <= ?", last)
        return int(used) - self._size

    def _dropped(
        self, connection: sqlite3.Connection, origin: int | None, lines: Sequence[bytes], last: int, keep: int | None
    ) -> int:
        """Return the bytes of the lines that a write drops: stored ones and, of many at once, new ones."""
        if keep is None or last <= keep:
            return 0
        (stored,) = connection.execute(
            "SELECT coalesce(sum(length(value)), 0) FROM line WHERE item = ? AND number <= ?", (origin, last - keep)
        ).fetchone()
        return int(stored) + sum(map(len, lines[: max(0, len(lines) - keep)]))

    def _held_without(self, connection: sqlite3.Connection, name: bytes) -> int:
        """Return the bytes of pinned items and logs, without the item with this key."""
        (held,) = connection.execute(
            "SELECT held - (SELECT coalesce(sum(size), 0) FROM item WHERE key = ? AND pinned) FROM total", (name,)
        ).fetchone()
        return int(held)

    def _shorten(self, connection: sqlite3.Connection, log: bytes, newest: int, over: int) -> None:
        """Remove the oldest entries of a log, but not the newest, with at least `over` bytes if it has as many."""
        last = 0
        entries = connection.execute(
            "SELECT number, length(value) FROM entry WHERE log = ? AND number < ? ORDER BY number", (log, newest)
        )
        for number, size in entries.fetchall():
            if over <= 0:
                break
            last, over = number, over - size
        connection.execute("DELETE FROM entry WHERE log = ? AND number <= ?", (log, last))

    @contextmanager
    def _reading(self) -> Iterator[sqlite3.Connection]:
        group = self._group
        if group is None or group.thread != threading.get_ident():
            with self._locked() as connection:
                yield connection
            return
        if group.failure is not None:
            raise StoreUnavailable(str(group.failure), group.failure.retry_after)
        try:
            yield self._connection
        except sqlite3.Error as error:  # SQLite may have undone the transaction
            group.failure = self._unavailable(error)
            raise group.failure from error

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a transaction; it is committed after the block, or rolled back if the block raises.

        Within `together` it is the one of the group: then what raises must not have written anything.
        """
        with self._reading() as connection:
            if self._group is not None:
                if not connection.in_transaction:
                    connection.execute("BEGIN IMMEDIATE")
                yield connection
                return
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    @contextmanager
    def _locked(self) -> Iterator[sqlite3.Connection]:
        """Yield the connection, which no other thread uses meanwhile."""
        with self._breaker.call() as recheck:
            # Longer than the call that holds it, which then fails with the cause.
            if not self._lock.acquire(timeout=1.2 * self._timeout):
                raise StoreUnavailable(f"The store {self._file} is too slow: another request still waits for it.")
            try:
                recheck()
                yield self._connection
            except sqlite3.Error as error:
                raise self._unavailable(error) from error
            finally:
                self._lock.release()

    def _unavailable(self, error: sqlite3.Error) -> StoreUnavailable:
        remedy = next((remedy for name, remedy in _REMEDIES.items() if error_name(error).startswith(name)), _LOOK)
        return StoreUnavailable(f"The store {self._file} is unavailable: {error}. {remedy}")


@dataclass(slots=True)
class _WriteGroup:
    """Writes of one thread that are committed together, and why they can't be."""

    thread: int
    failure: StoreUnavailable | None = None


def _remove(connection: sqlite3.Connection, condition: str, *values: int | bytes) -> None:
    """Delete the items that meet a condition, with their lines."""
    found = f"SELECT coalesce(origin, version) FROM item WHERE last > 0 AND {condition}"
    connection.execute(f"DELETE FROM line WHERE item IN ({found})", values)
    connection.execute(f"DELETE FROM item WHERE {condition}", values)


_FULL = "SQLITE_FULL"
_LOOK = "Check the file and its disk."
#: Remedies by the beginning of the error's name in SQLite.
_REMEDIES = {
    _FULL: "Free some space on the disk.",
    "SQLITE_IOERR": "Check whether the disk is full or broken.",
    "SQLITE_BUSY": "Another process holds the write lock. Try again.",
    "SQLITE_READONLY": "Allow this user to write the file and its folder.",
    "SQLITE_CORRUPT": "The file is damaged: restore it, or restart with another file.",
}
