"""Writes to an SQLite file that are grouped: all of them are written at once, or none."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from pathlib import Path
from threading import Event

import pytest

from mockserver.stores import Conflict, StoreUnavailable
from mockserver.stores.sqlite import SQLiteStore


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "state.db"


@pytest.fixture
def store(file: Path) -> Iterator[SQLiteStore]:
    with closing(SQLiteStore(file, timeout=0.01)) as opened:
        yield opened


def test_another_process_sees_a_group_whole_or_not_at_all(store: SQLiteStore, file: Path) -> None:
    with closing(SQLiteStore(file)) as other:
        with store.together():
            store.put("a", b"1", None)
            assert store.append("log", b"2", 10) == 1
            assert store.get("a")
            assert (other.get("a"), other.entries("log")) == (None, ())
        assert other.get("a") == store.get("a")
        assert other.entries("log") == ((1, b"2"),)


def test_nothing_of_a_group_that_raises_is_written(store: SQLiteStore) -> None:
    def fail() -> None:
        with store.together():
            store.put("a", b"1", None)
            store.append("log", b"2", 10)
            raise ValueError("stop")

    with pytest.raises(ValueError, match="stop"):
        fail()
    assert (store.get("a"), store.entries("log")) == (None, ())
    store.put("a", b"1", None)


def test_a_conflict_leaves_the_other_writes_of_its_group(store: SQLiteStore) -> None:
    with store.together():
        store.put("a", b"1", None)
        with pytest.raises(Conflict):
            store.put("a", b"2", None, lines=[b"line"])
        store.put("b", b"3", None)
    assert [(key, found.value) for key, found in store.items()] == [("a", b"1"), ("b", b"3")]
    assert store.lines("a", 1, 10) == ()


def test_a_failed_call_fails_its_group_and_all_that_follows_in_it(store: SQLiteStore, file: Path) -> None:
    def write_twice() -> None:
        with closing(sqlite3.connect(file, isolation_level=None)) as other, store.together():
            other.execute("BEGIN IMMEDIATE")
            with suppress(StoreUnavailable):
                store.append("log", b"1", 10)
            other.execute("ROLLBACK")
            with suppress(StoreUnavailable):
                store.put("a", b"2", None)

    with pytest.raises(StoreUnavailable, match="locked"):
        write_twice()
    assert (store.get("a"), store.entries("log")) == (None, ())


def test_another_thread_never_sees_what_a_group_does_not_keep(file: Path) -> None:
    reading = Event()
    with closing(SQLiteStore(file)) as store, ThreadPoolExecutor(1) as thread:

        def read() -> object:
            reading.set()
            return store.get("a")

        with suppress(ValueError), store.together():
            store.put("a", b"1", None)
            found = thread.submit(read)
            reading.wait()
            raise ValueError
        assert found.result() is None
