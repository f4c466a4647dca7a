"""The session store: compare-and-set, order of keys, and its bounds."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from mockserver.store import Conflict, MemoryStore


@pytest.fixture
def store() -> MemoryStore:
    return MemoryStore()


def test_what_was_put_is_got_with_its_version(store: MemoryStore) -> None:
    version = store.put("a", b"one", None)
    found = store.get("a")
    assert found is not None
    assert (found.value, found.version) == (b"one", version)


def test_an_unknown_key_is_none(store: MemoryStore) -> None:
    assert store.get("a") is None


def test_a_key_that_is_there_is_not_put_as_a_new_one(store: MemoryStore) -> None:
    store.put("a", b"one", None)
    with pytest.raises(Conflict):
        store.put("a", b"two", None)


def test_a_write_over_an_older_version_conflicts_and_changes_nothing(store: MemoryStore) -> None:
    first = store.put("a", b"one", None)
    store.put("a", b"two", first)
    with pytest.raises(Conflict):
        store.put("a", b"three", first)
    found = store.get("a")
    assert found is not None
    assert found.value == b"two"


def test_a_key_that_was_deleted_and_put_again_never_has_an_old_version(store: MemoryStore) -> None:
    """Otherwise a writer that slept through both would overwrite the new one."""
    first = store.put("a", b"one", None)
    assert store.delete("a")
    store.put("a", b"two", None)
    with pytest.raises(Conflict):
        store.put("a", b"three", first)


def test_a_version_of_a_key_that_is_gone_conflicts(store: MemoryStore) -> None:
    first = store.put("a", b"one", None)
    store.delete("a")
    with pytest.raises(Conflict):
        store.put("a", b"two", first)


def test_delete_says_whether_the_key_was_there(store: MemoryStore) -> None:
    store.put("a", b"one", None)
    assert store.delete("a")
    assert not store.delete("a")


def test_keys_come_in_order_page_by_page(store: MemoryStore) -> None:
    for key in ("s/c", "s/a", "t/a", "s/b"):
        store.put(key, b"", None)
    assert store.keys("s/", limit=2) == ("s/a", "s/b")
    assert store.keys("s/", after="s/b") == ("s/c",)
    assert store.keys() == ("s/a", "s/b", "s/c", "t/a")


def test_of_too_many_keys_the_one_used_longest_ago_goes() -> None:
    store = MemoryStore(items=2)
    store.put("a", b"", None)
    store.put("b", b"", None)
    store.get("a")
    store.put("c", b"", None)
    assert store.keys() == ("a", "c")


def test_of_too_many_bytes_the_ones_used_longest_ago_go() -> None:
    store = MemoryStore(size=10)
    store.put("a", b"1234", None)
    store.put("b", b"1234", None)
    version = store.put("c", b"12", None)
    assert store.keys() == ("a", "b", "c")
    store.put("c", b"123456", version)
    assert store.keys() == ("b", "c")


def test_bytes_that_are_gone_count_no_more() -> None:
    store = MemoryStore(size=10)
    for _ in range(20):
        store.put("a", b"12345678", None)
        store.delete("a")
    store.put("a", b"1234", None)
    store.put("b", b"1234", None)
    assert store.keys() == ("a", "b")


def test_writers_that_try_again_lose_no_turn(store: MemoryStore) -> None:
    store.put("a", b"", None)

    def append(letter: bytes) -> None:
        for _ in range(100):
            while True:
                found = store.get("a")
                assert found is not None
                try:
                    store.put("a", found.value + letter, found.version)
                except Conflict:
                    continue
                break

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(append, [b"a", b"b", b"c", b"d"]))
    found = store.get("a")
    assert found is not None
    assert sorted(found.value) == sorted(b"abcd" * 100)
