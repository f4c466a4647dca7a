"""What every store promises, asked of each of them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from itertools import count

import pytest

from mockserver.stores import Conflict, Store, StoreFull
from tests.mockserver.support.chat_client import NOW, Clock
from tests.mockserver.support.store_kinds import KINDS, opened

#: Opens an empty store of the kind that is tested, with these bounds.
Open = Callable[..., Store]


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=KINDS)
def open_one(request: pytest.FixtureRequest, clock: Clock) -> Iterator[Open]:
    with ExitStack() as stack:
        kept = stack.enter_context(opened(request.param))
        yield lambda **bounds: stack.enter_context(closing(kept(clock=clock, **bounds)))


@pytest.fixture
def store(open_one: Open) -> Store:
    return open_one()


def keys(store: Store) -> list[str]:
    return [key for key, _ in store.items()]


def value(store: Store, key: str) -> bytes | None:
    found = store.get(key)
    return found.value if found else None


def test_what_was_put_is_got_with_its_version(store: Store) -> None:
    version = store.put("a", b"one\0\xff", None)
    found = store.get("a")
    assert found is not None
    assert (found.value, found.version) == (b"one\0\xff", version)


def test_a_value_does_not_keep_the_larger_buffer_that_it_was_written_in(store: Store) -> None:
    value = b"one"
    store.put("a", value, None)
    found = store.get("a")
    assert found is not None
    assert found.value is not value


def test_reading_an_unknown_key_returns_none(store: Store) -> None:
    assert store.get("a") is None


def test_an_existing_key_is_not_put_as_a_new_one(store: Store) -> None:
    store.put("a", b"one", None)
    with pytest.raises(Conflict):
        store.put("a", b"two", None)


def test_a_write_over_an_older_version_conflicts_and_changes_nothing(store: Store) -> None:
    first = store.put("a", b"one", None)
    second = store.put("a", b"two", first)
    assert second > first
    with pytest.raises(Conflict):
        store.put("a", b"three", first)
    assert value(store, "a") == b"two"


def test_a_key_that_was_deleted_and_put_again_never_has_an_old_version(store: Store) -> None:
    """Otherwise a writer that slept through both would overwrite the new one."""
    first = store.put("a", b"one", None)
    assert store.delete("a")
    assert store.put("a", b"two", None) > first
    with pytest.raises(Conflict):
        store.put("a", b"three", first)


def test_a_cleared_key_never_has_an_old_version(store: Store) -> None:
    first = store.put("a", b"one", None)
    store.clear("")
    assert store.put("a", b"two", None) > first


def test_a_version_of_a_key_that_is_gone_conflicts(store: Store) -> None:
    first = store.put("a", b"one", None)
    store.delete("a")
    with pytest.raises(Conflict):
        store.put("a", b"two", first)


def test_delete_returns_whether_the_key_existed(store: Store) -> None:
    store.put("a", b"one", None)
    assert store.delete("a")
    assert not store.delete("a")


def test_items_come_in_order_page_by_page_with_their_values(store: Store) -> None:
    versions = {key: store.put(key, key.encode(), None) for key in ("s/c", "s/a", "t/a", "s/b", "s")}
    first, second = store.items("s/", limit=2)
    assert (first[0], second[0]) == ("s/a", "s/b")
    assert (second[1].value, second[1].version) == (b"s/b", versions["s/b"])
    assert [key for key, _ in store.items("s/", after="s/b")] == ["s/c"]
    assert keys(store) == ["s", "s/a", "s/b", "s/c", "t/a"]
    assert store.items(limit=0) == ()
    assert store.items("s/", after="z") == ()


ODD = ["", "\0", "a\0b", "a%b", "a*b", "a_b", "é", "\ud800", "\uffff", "\U0001f4a9", "\U0010ffff", "\U0010ffffz"]


def test_any_text_is_a_key_and_keys_sort_by_code_point(store: Store) -> None:
    for key in ODD:
        store.put(key, key.encode("utf-8", "surrogatepass"), None)
    assert keys(store) == sorted(ODD)[1:]  # all other keys sort after the empty key
    assert all(value(store, key) == key.encode("utf-8", "surrogatepass") for key in ODD)
    assert [key for key, _ in store.items("\U0010ffff")] == ["\U0010ffff", "\U0010ffffz"]
    assert [key for key, _ in store.items("a_")] == ["a_b"]


def test_an_item_is_there_until_its_time_is_over(store: Store, clock: Clock) -> None:
    version = store.put("a", b"one", None, expires=NOW + 60)
    store.put("b", b"two", None)
    clock.now += 60
    assert value(store, "a") == b"one"
    clock.now += 0.5
    assert store.get("a") is None
    assert keys(store) == ["b"]
    assert not store.delete("a")
    with pytest.raises(Conflict):
        store.put("a", b"two", version)
    assert store.put("a", b"three", None) > version


def test_a_write_moves_the_end_of_an_item(store: Store, clock: Clock) -> None:
    first = store.put("a", b"one", None, expires=NOW + 60)
    second = store.put("a", b"two", first, expires=NOW + 120)
    clock.now += 90
    store.put("b", b"", None)
    assert value(store, "a") == b"two"
    store.put("a", b"three", second)
    clock.now += 900
    store.put("c", b"", None)
    assert value(store, "a") == b"three"


def test_what_is_over_takes_no_room(open_one: Open, clock: Clock) -> None:
    store = open_one(items=2)
    store.put("live", b"", None)
    for key in ("a", "b"):
        store.delete("a")
        store.put(key, b"", None, expires=NOW + 60)
    clock.now += 61
    store.put("c", b"", None)
    assert keys(store) == ["c", "live"]


def test_of_too_many_items_the_one_written_longest_ago_goes(open_one: Open) -> None:
    store = open_one(items=2)
    first = store.put("a", b"", None)
    store.put("b", b"", None)
    store.put("a", b"", first)
    store.get("b")
    store.put("c", b"", None)
    assert keys(store) == ["a", "c"]


def test_of_too_many_bytes_the_ones_written_longest_ago_go(open_one: Open) -> None:
    store = open_one(size=10)
    store.put("a", b"1234", None)
    store.put("b", b"1234", None)
    version = store.put("c", b"12", None)
    assert keys(store) == ["a", "b", "c"]
    version = store.put("c", b"123456", version)
    assert keys(store) == ["b", "c"]
    store.put("c", b"1234567890+", version)
    assert keys(store) == ["c"]


def test_pinned_items_stay(open_one: Open) -> None:
    store = open_one(items=1, size=10)
    version = store.put("agent", b"1234567890", None, pinned=True)
    store.put("a", b"12345678", None)
    store.put("b", b"12345678", None)
    assert keys(store) == ["agent", "b"]
    store.put("agent", b"1234567890", version)
    assert keys(store) == ["agent"]


def test_bytes_that_are_gone_count_no_more(open_one: Open) -> None:
    store = open_one(size=10)
    for remove in (store.delete, store.clear) * 5:
        store.put("a", b"12345678", None)
        remove("a")
    store.put("a", b"1234", None)
    store.put("b", b"1234", None)
    assert keys(store) == ["a", "b"]


def test_a_log_gives_its_newest_entries_first_with_their_numbers(store: Store) -> None:
    assert [store.append("log", b"%d\0" % number, 3) for number in range(1, 6)] == [1, 2, 3, 4, 5]
    assert store.entries("log") == ((5, b"5\0"), (4, b"4\0"), (3, b"3\0"))
    assert store.entries("log", limit=1) == ((5, b"5\0"),)
    assert store.entries("log", before=5, limit=1) == ((4, b"4\0"),)
    assert store.entries("log", before=100) == store.entries("log")
    assert store.entries("log", before=3) == ()
    assert store.entries("log", limit=0) == ()


def test_a_log_that_keeps_less_than_before_drops_the_rest(store: Store) -> None:
    for _ in range(5):
        store.append("log", b"", 5)
    store.append("log", b"last", 2)
    assert store.entries("log") == ((6, b"last"), (5, b""))


def test_logs_and_keys_do_not_meet(store: Store) -> None:
    store.append("a", b"entry", 10)
    store.append("a/b", b"other", 10)
    store.put("a", b"value", None)
    assert store.entries("a") == ((1, b"entry"),)
    assert store.entries("b") == ()
    assert keys(store) == ["a"]


def test_clear_removes_keys_and_logs_below_a_prefix_and_nothing_else(store: Store) -> None:
    for key in ("w/1/a", "w/1/b", "w/10", "w"):
        store.put(key, b"", None, pinned=key.endswith("a"), expires=NOW + 60)
        store.append(key, b"entry", 10)
    store.clear("w/1/")
    assert keys(store) == ["w", "w/10"]
    assert store.entries("w/1/a") == store.entries("w/1/b") == ()
    assert store.entries("w/10") == store.entries("w") == ((1, b"entry"),)
    assert store.append("w/1/a", b"new", 10) == 1
    store.clear("")
    assert keys(store) == []
    assert store.entries("w") == ()


def test_lines_are_appended_and_the_newest_kept_and_keep_their_numbers(store: Store) -> None:
    version = store.put("a", b"one", None, lines=(b"1", b"2", b"3"))
    assert store.lines("a", 1, 10) == (b"1", b"2", b"3")
    assert store.lines("a", 2, 1) == (b"2",)
    version = store.put("a", b"two", version, lines=(b"4",), keep=2)
    assert store.lines("a", 1, 10) == (b"3", b"4")
    assert store.lines("a", 4, 10) == (b"4",)
    assert store.lines("a", 1, 2) == ()  # both are dropped
    store.put("a", b"three", version)
    assert store.lines("a", 3, 10) == (b"3", b"4")


def test_a_write_that_conflicts_appends_no_lines(store: Store) -> None:
    version = store.put("a", b"one", None, lines=(b"1",))
    with pytest.raises(Conflict):
        store.put("a", b"two", version + 1, lines=(b"2",))
    assert store.lines("a", 1, 10) == (b"1",)


@pytest.mark.parametrize("end", ["delete", "clear", "evict", "expire"])
def test_lines_end_with_their_item(open_one: Open, clock: Clock, end: str) -> None:
    store = open_one(items=1)
    store.put("a", b"one", None, lines=(b"1", b"2"), expires=NOW + 60)
    if end == "evict":
        store.put("b", b"", None)
    elif end == "expire":
        clock.now += 61
    else:
        getattr(store, end)("a")
    assert store.lines("a", 1, 10) == ()
    store.put("a", b"two", None, lines=(b"3",))
    assert store.lines("a", 1, 10) == (b"3",)


def test_lines_count_until_they_are_dropped(open_one: Open) -> None:
    store = open_one(size=20)
    version = store.put("a", b"", None, lines=(b"1" * 10, b"2" * 5))
    store.put("b", b"4" * 5, None)
    assert keys(store) == ["a", "b"]
    version = store.put("a", b"", version, lines=(b"3" * 5,), keep=2)
    store.put("c", b"5" * 5, None)
    assert keys(store) == ["a", "b", "c"]
    store.put("a", b"", version, lines=(b"3" * 1,))
    assert keys(store) == ["a", "c"]


def test_a_store_that_works_is_ready(store: Store) -> None:
    store.ready()


def test_writers_that_try_again_lose_no_turn(store: Store) -> None:
    store.put("a", b"", None)

    def append(letter: bytes) -> None:
        for _ in range(50):
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
    assert sorted(found.value) == sorted(b"abcd" * 50)


def quickest(action: Callable[[], object]) -> float:
    """Return the seconds that an action takes when nothing disturbs it."""
    times = []
    for _ in range(40):
        begin = time.perf_counter()
        action()
        times.append(time.perf_counter() - begin)
    return min(times)


def test_a_page_of_many_items_and_a_write_among_them_cost_what_they_cost_among_few(store: Store) -> None:
    """A scan would cost a hundred times as much."""

    def costs() -> tuple[float, float]:
        write = quickest(lambda: store.put(f"b/{next(numbers)}", b"", None))
        return write, quickest(lambda: store.items("b/", limit=5))

    numbers = count()
    few = costs()
    for number in range(4000):
        store.put(f"a/{number}", b"", None, expires=NOW + number)
        store.put(f"c/{number}", b"", None, expires=NOW + number)
    many = costs()
    assert many[0] < 10 * few[0]
    assert many[1] < 10 * few[1]


def test_keys_are_counted_by_their_beginning(open_one: Open) -> None:
    store = open_one()
    for key in ("a/1", "a/2", "ab", "b/1"):
        store.put(key, b"", None)
    store.delete("a/2")

    assert [store.count(prefix) for prefix in ("a/", "a", "", "c")] == [1, 2, 3, 0]


def test_pinned_items_and_logs_count_and_push_out_what_may_go(open_one: Open) -> None:
    store = open_one(size=1_000)
    store.put("session", b"x" * 500, None)
    store.put("agent", b"x" * 400, None, pinned=True)
    assert store.get("session") is not None
    store.append("log", b"x" * 200, 10)
    assert store.get("session") is None
    assert store.get("agent") is not None


def test_a_pinned_item_without_room_is_refused_and_one_that_shrinks_or_is_removed_gives_room(open_one: Open) -> None:
    store = open_one(size=1_000)
    version = store.put("one", b"x" * 900, None, pinned=True)
    with pytest.raises(StoreFull, match="1000 bytes"):
        store.put("two", b"x" * 200, None, pinned=True)
    assert store.get("two") is None
    store.put("one", b"x" * 800, version, pinned=True)
    store.put("two", b"x" * 200, None, pinned=True)
    store.delete("one")
    store.put("three", b"x" * 800, None, pinned=True)


def test_a_log_without_room_loses_its_oldest_entries_but_not_the_newest(open_one: Open) -> None:
    store = open_one(size=1_000)
    for number in range(10):
        store.append("log", b"%d" % number * 300, 10)
    assert [number for number, _ in store.entries("log")] == [10, 9, 8]
    store.append("log", b"x" * 2_000, 10)
    assert [number for number, _ in store.entries("log")] == [11]
    store.clear("log")
    store.put("agent", b"x" * 1_000, None, pinned=True)
