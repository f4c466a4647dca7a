"""Stores that can't be opened, and stores that fail later: what is said, and that nothing is broken by it."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from types import SimpleNamespace

import pytest

from mockserver.stores import StoreError, StoreUnavailable, open_store
from mockserver.stores.redis import RedisStore
from mockserver.stores.sqlite import SQLiteStore
from mockserver.stores.sqlite_schema import APPLICATION, MIGRATIONS, open_file
from tests.mockserver.support.redis_server import RedisServer, free_port

NOBODY = 65534


def refusal(url: str) -> StoreError:
    with pytest.raises(StoreError) as caught:
        open_store(url)
    assert len(caught.value.problems) == 1
    assert "Traceback" not in str(caught.value)
    return caught.value


def at(file: Path) -> str:
    return f"sqlite:///{file}"


def pragma(file: Path, name: str) -> object:
    with closing(sqlite3.connect(file)) as connection:
        return connection.execute(f"PRAGMA {name}").fetchone()[0]


@pytest.mark.parametrize(
    "url", ["", "memory:", "disk", "sqlite:", "sqlite:///", "sqlite://a.db", "redis:/0", "file.db"]
)
def test_an_address_of_no_store_is_refused_with_those_that_there_are(url: str) -> None:
    error = refusal(url)
    assert all(store in error.remedy for store in ("memory", "sqlite:///FILE", "redis://HOST/N"))


@pytest.mark.parametrize(
    "url",
    [
        "redis://",
        "redis://h/x",
        "redis://h:99999/0",
        "redis://h:x/0",
        "redis://h/0?x=1",
        "redis://[::1",
        "redis://h/-1",
        "redis://h/1/2",
        "redis://h/0#x",
    ],
)
def test_an_odd_address_of_a_redis_is_refused_with_its_form(url: str) -> None:
    assert "redis://HOST:PORT/N" in refusal(url).remedy


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    error = refusal(at(tmp_path / "no" / "state.db"))
    assert str(tmp_path / "no") in error.problem
    assert not (tmp_path / "no").exists()


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "folder" in refusal(at(tmp_path)).problem


@pytest.mark.parametrize("content", [b"x", b"agents:\n  - name: demo\n" * 200])
def test_a_file_that_is_not_a_database_is_refused_and_not_changed(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "mock.yaml"
    file.write_bytes(content)
    assert "not an SQLite database" in refusal(at(file)).problem
    assert file.read_bytes() == content
    assert list(tmp_path.iterdir()) == [file]


@pytest.mark.parametrize("statement", ["CREATE TABLE x (y)", "PRAGMA user_version = 1", "PRAGMA application_id = 7"])
def test_a_database_of_another_application_is_refused_and_not_changed(tmp_path: Path, statement: str) -> None:
    file = tmp_path / "other.db"
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(statement)
    before = file.read_bytes()
    assert "another application" in refusal(at(file)).problem
    assert file.read_bytes() == before


def test_an_empty_file_becomes_a_store(tmp_path: Path) -> None:
    (tmp_path / "state.db").touch()
    open_store(at(tmp_path / "state.db")).close()
    assert pragma(tmp_path / "state.db", "application_id") == APPLICATION


def test_a_newer_schema_is_refused_and_not_changed(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    open_store(at(file)).close()
    with closing(sqlite3.connect(file)) as connection:
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS) + 1}")
    before = file.read_bytes()
    assert "newer agent-contract" in refusal(at(file)).problem
    assert file.read_bytes() == before


def test_an_older_schema_is_brought_to_the_newest_and_keeps_its_values(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with closing(open_store(at(file))) as store:
        store.put("a", b"one", None)
    later = (*MIGRATIONS, lambda connection: connection.execute("CREATE TABLE later (x)") and None)
    open_file(file, later).close()
    assert pragma(file, "user_version") == len(later)
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT value FROM item, (SELECT count(*) FROM later)").fetchall() == [(b"one",)]


def test_a_migration_that_fails_leaves_the_file_as_it_was(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with closing(open_store(at(file))) as store:
        store.put("a", b"one", None)

    def breaks(connection: sqlite3.Connection) -> None:
        connection.execute("DROP TABLE item")
        connection.execute("nonsense")

    with pytest.raises(StoreError):
        open_file(file, (*MIGRATIONS, breaks))
    assert pragma(file, "user_version") == len(MIGRATIONS)
    with closing(open_store(at(file))) as store:
        assert [key for key, _ in store.items()] == ["a"]


def test_several_processes_can_create_one_file_at_once(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        stores = list(pool.map(lambda _: open_store(at(tmp_path / "state.db")), range(8)))
    versions = {store.put(str(number), b"", None) for number, store in enumerate(stores)}
    assert len(versions) == len(stores[0].items()) == 8
    for store in stores:
        store.close()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that other users may enter, unlike those of pytest."""
    with TemporaryDirectory() as folder:
        path = Path(folder)
        path.chmod(0o777)
        yield path


@contextmanager
def without_rights() -> Iterator[None]:
    """Run the block as an unprivileged user, if the tests run as root."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(user)


def test_a_file_that_may_only_be_read_is_refused(open_folder: Path) -> None:
    file = open_folder / "state.db"
    open_store(at(file)).close()
    file.chmod(0o444)
    with without_rights():
        error = refusal(at(file))
    assert "read-only" in error.problem
    assert "allow this user to write" in error.remedy


def test_a_folder_that_may_not_be_written_is_refused(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    with without_rights():
        assert "may not" in refusal(at(open_folder / "state.db")).problem
    open_folder.chmod(0o777)


FILLS = """
import json, resource, signal, sys
from mockserver.stores import StoreError, StoreUnavailable, open_store
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # a write to a file that is too large fails, as on a full disk
def limit(size):
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
store = open_store(sys.argv[1])
store.put("kept", b"kept", None)
limit(300_000)
written, said = [], ""
while not said:
    try:
        store.put(f"key/{len(written)}", b"x" * 5_000, None)
        written.append(f"key/{len(written)}")
    except StoreUnavailable as error:
        said, retry_after = str(error), error.retry_after
try:
    store.ready()
    ready = "ready"
except StoreUnavailable as error:
    ready = str(error)
there = [key for key, _ in store.items("key/", limit=1000)]
limit(resource.RLIM_INFINITY)
store.put("later", b"later", None)
store.close()
print(json.dumps([said, retry_after, sorted(written) == there, len(written), ready]))
"""


def test_a_full_disk_is_reported_loses_nothing_and_is_used_again_after_it_has_space(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    printed = subprocess.check_output([sys.executable, "-c", FILLS, at(file)])
    said, retry_after, all_there, written, ready = json.loads(printed)
    assert "disk is full" in ready
    assert "disk is full" in said
    assert str(file) in said
    assert retry_after > 0
    assert all_there
    assert written
    assert pragma(file, "integrity_check") == "ok"
    with closing(open_store(at(file))) as store:
        assert [store.get(key) is not None for key in ("kept", "later", "key/0")] == [True] * 3


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's device that is always full")
def test_a_full_disk_is_an_error_at_start() -> None:
    error = refusal("sqlite:////dev/full")
    assert "full" in error.problem or "may not" in error.problem


def test_a_file_that_another_process_locks_is_reported_and_nothing_is_written(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    store = SQLiteStore(file, timeout=0.01)
    with closing(sqlite3.connect(file, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StoreUnavailable, match=r"locked.*Another process"):
            store.put("a", b"", None)
        other.execute("ROLLBACK")
    assert store.get("a") is None
    store.put("a", b"", None)
    store.close()


def test_many_that_wait_for_a_locked_file_are_refused_together(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with (
        closing(SQLiteStore(file, timeout=0.6)) as store,
        closing(sqlite3.connect(file, isolation_level=None)) as other,
        ThreadPoolExecutor(16) as threads,
    ):
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        writes = [threads.submit(store.put, str(number), b"", None) for number in range(48)]
        assert all(isinstance(write.exception(), StoreUnavailable) for write in writes)
        assert time.monotonic() - begun < 3  # one after the other they would take half a minute
        other.execute("ROLLBACK")


def test_a_disk_with_little_space_is_not_ready(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(open_store(at(tmp_path / "state.db"))) as store:
        store.ready()
        monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=1000))
        with pytest.raises(StoreUnavailable, match=r"1000 bytes left\. Free some space"):
            store.ready()


def test_a_file_that_is_broken_meanwhile_is_said(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with closing(open_store(at(file))) as store:
        for number in range(20):
            store.put(str(number), b"x" * 3000, None)
    content = file.read_bytes()
    file.write_bytes(content[:4096] + b"\x99" * (len(content) - 4096))
    with closing(SQLiteStore(file)) as store, pytest.raises(StoreUnavailable, match="damaged"):
        store.put("a", b"", None)


def test_a_closed_store_is_unavailable(tmp_path: Path) -> None:
    store = open_store(at(tmp_path / "state.db"))
    store.close()
    with pytest.raises(StoreUnavailable):
        store.get("a")


def test_a_redis_that_does_not_answer_is_an_error_at_start_and_no_secret_is_shown() -> None:
    port = free_port()
    error = refusal(f"redis://user:hunter2@127.0.0.1:{port}/3")
    assert error.problems[0].pointer == f"redis://127.0.0.1:{port}/3"
    assert "refused" in error.problem
    assert "start Redis" in error.remedy
    assert "hunter2" not in str(error)


def test_a_redis_that_drops_any_key_when_it_is_full_is_refused(redis: RedisServer) -> None:
    redis.command("CONFIG", "SET", "maxmemory", "100mb")
    open_store(redis.url).close()
    redis.command("CONFIG", "SET", "maxmemory-policy", "allkeys-lru")
    error = refusal(redis.url)
    assert "allkeys-lru" in error.problem
    assert "noeviction" in error.remedy


def test_the_error_of_a_redis_with_a_password_explains_how_to_send_it(redis: RedisServer) -> None:
    redis.command("CONFIG", "SET", "requirepass", "hunter2")
    assert "USER:PASSWORD" in refusal(redis.url).remedy
    open_store(redis.url.replace("//", "//:hunter2@")).close()


def test_a_redis_without_memory_is_said_and_nothing_is_half_written(redis: RedisServer) -> None:
    with closing(open_store(redis.url)) as store:
        version = store.put("a", b"one", None)
        redis.command("CONFIG", "SET", "maxmemory", "1")
        with pytest.raises(StoreUnavailable, match="give Redis more memory"):
            store.put("a", b"two", version)
        with pytest.raises(StoreUnavailable):
            store.ready()
        redis.command("CONFIG", "SET", "maxmemory", "0")
        assert store.put("a", b"two", version) > version


@pytest.mark.parametrize("kill", [False, True])
def test_a_redis_that_was_gone_is_used_again_by_itself_with_all_that_was_acknowledged(
    redis: RedisServer, kill: bool
) -> None:
    with closing(open_store(redis.url)) as store:
        version = store.put("a", b"one", None)
        redis.stop(kill)
        for _ in range(2):
            with pytest.raises(StoreUnavailable, match="start Redis"):
                store.get("a")
        with pytest.raises(StoreUnavailable):
            store.ready()
        redis.start()
        store.ready()
        found = store.get("a")
        assert found is not None
        assert (found.value, found.version) == (b"one", version)
        assert store.put("a", b"two", version) > version


def test_a_redis_that_hangs_is_waited_for_no_longer_than_the_patience(redis: RedisServer) -> None:
    with closing(RedisStore(redis.url, timeout=0.05)) as store:
        store.put("a", b"one", None)
        redis.pause()
        with pytest.raises(StoreUnavailable, match="overloaded or stopped"):
            store.get("a")
        redis.pause(False)
        until_ready = RedisStore(redis.url)
        until_ready.ready()
        until_ready.close()
        assert store.get("a") is not None


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_the_file_is_its_owner_s_alone(tmp_path: Path) -> None:
    """So are the two files that SQLite keeps next to it."""
    with closing(open_store(at(tmp_path / "state.db"))) as store:
        store.put("a", b"what a client sent", None)
        assert {file.stat().st_mode & 0o777 for file in tmp_path.iterdir()} == {0o600}
