"""The file of the SQLite store: its schema, how an older file becomes a new one, and which files are refused."""

from __future__ import annotations

import os
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from mockserver.stores.errors import StoreError, store_error
from mockserver.stores.patience import CALL

#: Says that a file is ours: "agcs", as SQLite's `application_id`.
APPLICATION = 0x61676373
_PAUSE = 0.01  # seconds between two tries
_HEADER = b"SQLite format 3\0"


def _first_schema(connection: sqlite3.Connection) -> None:
    """Create items, their totals, and logs.

    An item's version is its rowid, which AUTOINCREMENT never gives twice. `size` stands in front of the value, so that
    reading it reads no value. Triggers keep the totals, so that no way to remove an item can forget them.
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


#: Each brings a file from the version of its place to the next; none is ever changed once it was released.
MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_first_schema, _count_everything)


def open_file(
    file: Path, migrations: Sequence[Callable[[sqlite3.Connection], None]] = MIGRATIONS, patience: float = CALL
) -> sqlite3.Connection:
    """Return a connection to a file of the newest version, made or migrated where needed.

    Raises `StoreError`, and leaves the file as it was, where it can't be used.
    """
    place = _place(file)
    if not file.parent.is_dir():
        raise store_error(place, f"there is no folder {file.parent}", "make it, or name a file in another folder")
    if file.is_dir():
        raise store_error(place, "that is a folder", "name a file")
    if _begins_otherwise(file):
        raise store_error(place, *_WHY["SQLITE_NOTADB"])
    _make(file)
    try:
        connection = sqlite3.connect(file, timeout=patience, isolation_level=None, check_same_thread=False)
        try:
            _prepare(connection, place, migrations, patience)
        except BaseException:
            connection.close()
            raise
    except sqlite3.Error as error:
        raise refusal(file, error) from None
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
    patience: float,
) -> None:
    connection.execute("BEGIN")  # one look at a file that another process may just be making
    _version(connection, place, len(migrations))
    connection.execute("COMMIT")
    mode = _in_wal_mode(connection, patience)
    if mode != "wal":
        what = f"SQLite can't share a file there (its journal is {mode})"
        raise store_error(place, what, "name a file on a local disk")
    connection.execute("PRAGMA synchronous = NORMAL")
    connection.execute("BEGIN IMMEDIATE")
    version = _version(connection, place, len(migrations))  # again: another process may have migrated it meanwhile
    missing = migrations[version:]
    for migrate in missing:
        migrate(connection)
    if missing:
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
    connection.execute("COMMIT")


def _in_wal_mode(connection: sqlite3.Connection, patience: float) -> str:
    """Return the mode of the journal, which is `wal` where the file can be shared.

    Of several that make one new file at once SQLite refuses all but one, without the patience of its other locks.
    """
    deadline = time.monotonic() + patience
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
    """Return the version of the file's schema, 0 where it is empty; raise `StoreError` where it is none of ours."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if application != APPLICATION and (application or version or tables):
        raise store_error(
            place, "that is a database of something else", "name another file; one that is not there is made"
        )
    if version > newest:
        what = f"the file is of version {version}, which a newer agent-contract wrote; this one reads up to {newest}"
        raise store_error(place, what, "upgrade, or name another file")
    return int(version)


def _begins_otherwise(file: Path) -> bool:
    """Return whether a file has something in it that is no database; SQLite takes one of a single byte for empty."""
    try:
        with file.open("rb") as opened:
            return bool(file.stat().st_size) and opened.read(len(_HEADER)) != _HEADER
    except OSError:  # not there, or not ours to read, which SQLite says
        return False


def refusal(file: Path, error: BaseException | None) -> StoreError:
    """Return what is said of a file that SQLite can't open or write."""
    found = (why for name, why in _WHY.items() if error_name(error).startswith(name))
    return store_error(_place(file), *next(found, (str(error), "look at the file and the disk that it is on")))


def _place(file: Path) -> str:
    return f"sqlite:///{file}"


#: What is wrong and what to do when a file can't be opened, by the beginning of the error's name in SQLite.
_WHY = {
    "SQLITE_NOTADB": ("that is a file of something else", "name another file; one that is not there is made"),
    "SQLITE_READONLY": (
        "the file can be read but not written",
        "let this user write it and its folder, or name another",
    ),
    "SQLITE_CANTOPEN": ("this user may not read and write the file and its folder", "allow it, or name another file"),
    "SQLITE_PERM": ("this user may not read and write the file and its folder", "allow it, or name another file"),
    "SQLITE_FULL": ("the disk is full", "make room, or name a file on another disk"),
    "SQLITE_IOERR": ("the file can't be written: its disk is full or broken", "look at the disk, or name another file"),
    "SQLITE_BUSY": ("another process has locked the file", "end that process, or name another file"),
    "SQLITE_CORRUPT": ("the file is broken", "restore it, or name another file"),
}


def error_name(error: BaseException | None) -> str:
    """Return an error's name in SQLite, such as `SQLITE_FULL`; "" where Python raised it."""
    return getattr(error, "sqlite_errorname", "") or ""
