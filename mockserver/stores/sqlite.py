"""The store in an SQLite file: one machine, many processes, and nothing that was answered is lost with a process.

The file is in WAL mode with `synchronous=NORMAL`: what was written is with the operating system before the answer
goes out, so that it outlives the death of any process. With the power the last moments may go, the file stays whole;
FULL would keep them at the cost of waiting for the disk in every turn, which a mock's state is not worth.

Source: https://www.sqlite.org/pragma.html#pragma_synchronous, https://www.sqlite.org/wal.html
"""

from __future__ import annotations

import shutil
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from mockserver.stores.base import ITEMS, SIZE, SWEPT, Conflict, Entry, StoreFull, StoreUnavailable, Versioned, full
from mockserver.stores.key_encoding import behind, decoded, encoded
from mockserver.stores.patience import CALL, Patience
from mockserver.stores.sqlite_schema import error_name, open_file, refusal

#: The log that is written to see whether the file can grow, by so many bytes; no key is encoded to its name.
_PROBE = b"\xff"
_ROOM = 32 * 1024
#: Bytes that must be free on the disk.
_FREE = 1024 * 1024
_NEWEST = 2**63 - 1  # greater than every version
_VERSION = "SELECT version FROM item WHERE key = ? AND (expires IS NULL OR expires >= ?)"


class SQLiteStore:
    """A `Store` in a file, which processes of one machine may share.

    `items` bounds the number of items that are not pinned, `size` the bytes of everything; one value may be larger.
    `clock` returns seconds since 1970; a write waits `patience` seconds for another process's. Raises `StoreError`
    where the file can't be used.
    """

    blocking = True

    def __init__(
        self,
        file: Path,
        items: int = ITEMS,
        size: int = SIZE,
        clock: Callable[[], float] = time.time,
        patience: float = CALL,
    ) -> None:
        self._file = file.absolute()
        self._items = items
        self._size = size
        self._clock = clock
        self._lock = threading.Lock()  # one connection: writers of a file wait for each other anyhow
        self._wait = patience
        self._patience = Patience(str(self._file))
        self._connection = open_file(self._file, patience=patience)

    def get(self, key: str) -> Versioned | None:
        """Return what is stored under `key`, or None."""
        with self._reading() as connection:
            found = connection.execute(
                "SELECT value, version FROM item WHERE key = ? AND (expires IS NULL OR expires >= ?)",
                (encoded(key), self._clock()),
            ).fetchone()
        return Versioned(*found) if found else None

    def put(
        self, key: str, value: bytes, expected: int | None, *, expires: float | None = None, pinned: bool = False
    ) -> int:
        """Store `value` and return its version; raise `Conflict` unless the key has the version `expected`."""
        name, now = encoded(key), self._clock()
        with self._writing() as connection:
            found = connection.execute(_VERSION, (name, now)).fetchone()
            if (found[0] if found else None) != expected:
                raise Conflict(key)
            if pinned and self._held_without(connection, name) + len(value) > self._size:
                raise StoreFull(full(self._size))
            connection.execute("DELETE FROM item WHERE key = ?", (name,))
            version = connection.execute(
                "INSERT INTO item (key, expires, pinned, size, value) VALUES (?, ?, ?, ?, ?)",
                (name, expires, pinned, len(value), value),
            ).lastrowid
            assert version is not None
            connection.execute(
                """DELETE FROM item WHERE version IN
                   (SELECT version FROM item WHERE expires < ? ORDER BY expires LIMIT ?)""",
                (now, SWEPT),
            )
            self._make_room(connection, version)
        return version

    def delete(self, key: str) -> bool:
        """Remove `key`; return whether it was there."""
        name = encoded(key)
        with self._writing() as connection:
            found = connection.execute(_VERSION, (name, self._clock())).fetchone()
            connection.execute("DELETE FROM item WHERE key = ?", (name,))
        return found is not None

    def items(self, prefix: str = "", after: str = "", limit: int = 100) -> tuple[tuple[str, Versioned], ...]:
        """Return at most `limit` keys that begin with `prefix` and sort behind `after`, in order, with their values."""
        # One lower bound: of two SQLite would seek only the first, and step through all that lies between them.
        bounds = (encoded(max(prefix, after)), behind(prefix))
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
            bounds = (encoded(prefix), behind(prefix))
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
            self._make_room(connection, _NEWEST)
            self._shorten(connection, name, number)
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
        """Remove all keys and all logs that begin with `prefix`."""
        with self._writing() as connection:
            connection.execute("DELETE FROM item WHERE key >= ? AND key < ?", (encoded(prefix), behind(prefix)))
            connection.execute("DELETE FROM entry WHERE log >= ? AND log < ?", (encoded(prefix), behind(prefix)))

    def ready(self) -> None:
        """Return when the file can be written and grow; raise `StoreUnavailable` otherwise.

        A write that fits into free pages would succeed on a full disk, so this one is large, and space is looked at.
        """
        free = shutil.disk_usage(self._file.parent).free
        if free < _FREE:
            raise StoreUnavailable(f"The disk of the store {self._file} has {free} bytes left. {_REMEDIES[_FULL]}")
        with self._writing() as connection:
            connection.execute("DELETE FROM entry WHERE log = ?", (_PROBE,))
            connection.execute("INSERT INTO entry VALUES (?, 0, zeroblob(?))", (_PROBE, _ROOM))
        with self._writing() as connection:
            connection.execute("DELETE FROM entry WHERE log = ?", (_PROBE,))

    def check(self) -> None:
        """Raise `StoreError` where the file can't be written."""
        try:
            self.ready()
        except StoreUnavailable as error:
            raise refusal(self._file, error.__cause__) from None

    def close(self) -> None:
        """Close the file."""
        with self._lock:
            self._connection.close()

    def _make_room(self, connection: sqlite3.Connection, newest: int) -> None:
        items, used = connection.execute("SELECT items, bytes + held FROM total").fetchone()
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
            connection.execute("DELETE FROM item WHERE NOT pinned AND version <= ?", (last,))

    def _held_without(self, connection: sqlite3.Connection, name: bytes) -> int:
        """Return the bytes of pinned items and logs, without the item of this key."""
        (held,) = connection.execute(
            "SELECT held - (SELECT coalesce(sum(size), 0) FROM item WHERE key = ? AND pinned) FROM total", (name,)
        ).fetchone()
        return int(held)

    def _shorten(self, connection: sqlite3.Connection, log: bytes, newest: int) -> None:
        """Remove the oldest entries of a log, but not the newest, while pinned items and logs have no room."""
        (over,) = connection.execute("SELECT held - ? FROM total", (self._size,)).fetchone()
        if over <= 0:
            return
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
        with self._patience.call() as recheck:
            if not self._lock.acquire(timeout=self._wait):
                raise StoreUnavailable(f"The store {self._file} is too slow: another request waits for it.")
            try:
                recheck()
                yield self._connection
            except sqlite3.Error as error:
                raise self._unavailable(error) from error
            finally:
                self._lock.release()

    @contextmanager
    def _writing(self) -> Iterator[sqlite3.Connection]:
        """Yield a transaction that is committed behind the block, or rolled back when anything is raised in it."""
        with self._reading() as connection:
            connection.execute("BEGIN IMMEDIATE")
            try:
                yield connection
                connection.execute("COMMIT")
            finally:
                if connection.in_transaction:
                    connection.execute("ROLLBACK")

    def _unavailable(self, error: sqlite3.Error) -> StoreUnavailable:
        remedy = next((remedy for name, remedy in _REMEDIES.items() if error_name(error).startswith(name)), _LOOK)
        return StoreUnavailable(f"The store {self._file} can't be used now: {error}. {remedy}")


_FULL = "SQLITE_FULL"
_LOOK = "Look at the file and the disk that it is on."
#: What to do about an error, by the beginning of its name in SQLite.
_REMEDIES = {
    _FULL: "Make room on its disk.",
    "SQLITE_IOERR": "Look whether its disk is full or broken.",
    "SQLITE_BUSY": "Another process writes for long; it is tried again with the next request.",
    "SQLITE_READONLY": "Let this user write the file and its folder.",
    "SQLITE_CORRUPT": "The file is broken: restore it, or name another file and start again.",
}
