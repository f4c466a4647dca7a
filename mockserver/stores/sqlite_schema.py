"""The file of the SQLite store: its schema, its migrations, and the checks of existing files."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mockserver.stores.base import StoreError, store_error
from mockserver.stores.circuit_breaker import CALL

#: SQLite's `application_id` of our files: "agcs".
APPLICATION = 0x61676373
_PAUSE = 0.01  # seconds between two attempts
_HEADER = b"SQLite format 3\0"
#: Pages of the write-ahead log after which SQLite copies it into the file and waits for the disk: 16 MB.
_CHECKPOINT = 4000


def _first_schema(connection: sqlite3.Connection) -> None:
    """Create items, their totals, and logs.

    An item's version is its rowid, which AUTOINCREMENT never reuses. The column `size` precedes the value, so that
    SQLite reads it without the value. Triggers update the totals, so that every deletion is counted.
    """
    for statement in (
        """CREATE TABLE item (version INTEGER PRIMARY KEY AUTOINCREMENT, key BLOB NOT NULL UNIQUE, expires REAL,
           pinned INTEGER NOT NULL, size INTEGER NOT NULL, value BLOB NOT NULL)""",
        "CREATE INDEX item_unpinned ON item (version, size) WHERE NOT pinned",
        "CREATE INDEX item_expires ON item (expires) WHERE expires IS NOT NULL",
        "CREATE TABLE total (items INTEGER NOT NULL, bytes INTEGER NOT NULL)",
        "INSERT INTO total VALUES (0, 0)",
        """CREATE TRIGGER item_added AFTER INSERT ON item WHEN NOT new.pinned
           BEGIN UPDATE total SET items = items + 1, bytes = bytes + new.size; END""",
        """CREATE TRIGGER item_removed AFTER DELETE ON item WHEN NOT old.pinned
           BEGIN UPDATE total SET items = items - 1, bytes = bytes - old.size; END""",
        """CREATE TABLE entry (log BLOB NOT NULL, number INTEGER NOT NULL, value BLOB NOT NULL,
           PRIMARY KEY (log, number)) WITHOUT ROWID""",
    ):
        connection.execute(statement)


def _count_everything(connection: sqlite3.Connection) -> None:
    """Count the bytes of pinned items and of logs too: together with the others they are bounded."""
    for statement in (
        "ALTER TABLE total ADD COLUMN held INTEGER NOT NULL DEFAULT 0",
        """UPDATE total SET held = (SELECT coalesce(sum(size), 0) FROM item WHERE pinned)
           + (SELECT coalesce(sum(length(value)), 0) FROM entry)""",
        """CREATE TRIGGER pinned_added AFTER INSERT ON item WHEN new.pinned
           BEGIN UPDATE total SET held = held + new.size; END""",
        """CREATE TRIGGER pinned_removed AFTER DELETE ON item WHEN old.pinned
           BEGIN UPDATE total SET held = held - old.size; END""",
        """CREATE TRIGGER entry_added AFTER INSERT ON entry
           BEGIN UPDATE total SET held = held + length(new.value); END""",
        """CREATE TRIGGER entry_removed AFTER DELETE ON entry
           BEGIN UPDATE total SET held = held - length(old.value); END""",
    ):
        connection.execute(statement)


def _add_lines(connection: sqlite3.Connection) -> None:
    """Add the lines of items; sessions, which have lines now, begin again.

    The lines of an item are found by its `origin`, the version that it had when it was created, because each write
    gives it a new version; NULL until the second write. `last` is the number of its last line.
    """
    for statement in (
        "ALTER TABLE item ADD COLUMN origin INTEGER",
        "ALTER TABLE item ADD COLUMN last INTEGER NOT NULL DEFAULT 0",
        """CREATE TABLE line (item INTEGER NOT NULL, number INTEGER NOT NULL, value BLOB NOT NULL,
           PRIMARY KEY (item, number)) WITHOUT ROWID""",
        "DELETE FROM item WHERE NOT pinned",
    ):
        connection.execute(statement)


#: The migration at index n changes version n to n + 1. Never change a released migration.
MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first_schema, _count_everything, _add_lines)


def open_file(
    file: Path, migrations: Sequence[Callable[[sqlite3.Connection], None]] = MIGRATIONS, timeout: float = CALL
) -> sqlite3.Connection:
    """Return a connection to a file, which is created or migrated to the newest version if necessary.

    Raises `StoreError` and does not change the file if it can't be used.
    """
    place = _place(file)
    if not file.parent.is_dir():
        raise store_error(place, f"the folder {file.parent} does not exist", "create it, or choose another folder")
    if file.is_dir():
        raise store_error(place, "is a folder", "choose a file")
    if _is_other_file(file):
        raise store_error(place, *_WHY["SQLITE_NOTADB"])
    _make(file)
    try:
        connection = sqlite3.connect(file, timeout=timeout, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, place, migrations, timeout)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise open_error(file, error) from None
    return connection


def _make(file: Path) -> None:
    """Make the file, if it does not exist, its owner's alone: SQLite would let everyone read what clients sent.

    The files next to it get the same permissions from SQLite. What prevents it is reported by SQLite.
    """
    with suppress(OSError):
        os.close(os.open(file, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))


def _prepare(
    connection: sqlite3.Connection,
    place: str,
    migrations: Sequence[Callable[[sqlite3.Connection], None]],
    timeout: float,
) -> None:
    connection.execute("BEGIN")  # a consistent view: another process may be creating the file
    _version(connection, place, len(migrations))
    connection.execute("COMMIT")
    mode = _in_wal_mode(connection, timeout)
    if mode != "wal":
        what = f"SQLite can't share a file on this disk (its journal mode is {mode})"
        raise store_error(place, what, "choose a file on a local disk")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection, place, len(migrations))  # again: another process may have migrated it meanwhile
    missing = migrations[version:]
    for migrate in missing:
        migrate(connection)
    if missing:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
    connection.execute("COMMIT")


def _in_wal_mode(connection: sqlite3.Connection, timeout: float) -> str:
    """Return the journal mode, which is `wal` if the file can be shared.

    If several processes create a file at once, SQLite refuses all but one without waiting, so the others try again.
    """
    deadline = time.monotonic() + timeout
    while True:
        try:
            (mode,) = connection.execute("PRAGMA journal_mode = WAL").fetchone()
        except sqlite3.OperationalError as error:
            if error_name(error) != "SQLITE_BUSY" or time.monotonic() > deadline:
                raise
            time.sleep(_PAUSE)
        else:
            return str(mode)


def _version(connection: sqlite3.Connection, place: str, newest: int) -> int:
    """Return the version of the file's schema, 0 if it is empty; raise `StoreError` if it is not our file."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and (application or version or tables):
        raise store_error(place, "is a database of another application", "choose another file, which may be new")
    if version > newest:
        what = f"has version {version} of a newer agent-contract; this one reads versions up to {newest}"
        raise store_error(place, what, "upgrade, or choose another file")
    return int(version)


def _is_other_file(file: Path) -> bool:
    """Return whether a file has content that is not a database; SQLite treats a single byte as empty."""
    try:
        with file.open("rb") as opened:
            return bool(file.stat().st_size) and opened.read(len(_HEADER)) != _HEADER
    except OSError:  # missing or not readable, which SQLite reports
        return False


def open_error(file: Path, error: BaseException | None) -> StoreError:
    """Return the error for a file that SQLite can't open or write."""
    found = (why for name, why in _WHY.items() if error_name(error).startswith(name))
    return store_error(_place(file), *next(found, (str(error), "check the file and its disk")))


def _place(file: Path) -> str:
    return f"sqlite:///{file}"


#: Problem and remedy if a file can't be opened, by the beginning of the error's name in SQLite.
_WHY = {
    "SQLITE_NOTADB": ("is not an SQLite database", "choose another file, which may be new"),
    "SQLITE_READONLY": (
        "the file is read-only",
        "allow this user to write it and its folder, or choose another file",
    ),
    "SQLITE_CANTOPEN": ("this user may not read and write the file and its folder", "allow it, or choose another file"),
    "SQLITE_PERM": ("this user may not read and write the file and its folder", "allow it, or choose another file"),
    "SQLITE_FULL": ("the disk is full", "free some space, or choose a file on another disk"),
    "SQLITE_IOERR": ("the file can't be written: its disk is full or broken", "check the disk, or choose another file"),
    "SQLITE_BUSY": ("another process has locked the file", "stop that process, or choose another file"),
    "SQLITE_CORRUPT": ("the file is damaged", "restore it, or choose another file"),
}


def error_name(error: BaseException | None) -> str:
    """Return an error's name in SQLite, such as `SQLITE_FULL`; "" if Python raised it."""
    return getattr(error, "sqlite_errorname", "") or ""
