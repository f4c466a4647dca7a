"""The protocol of stores: values under keys, written by compare-and-set, and logs; and what several stores share."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol, TypeVar

from agent_contract.document.errors import ContractError, Problem
from agent_contract.value_class import value_class

_Value = TypeVar("_Value")

#: Default limits of a store: the number of unpinned items, and the bytes of everything.
ITEMS = 10_000
SIZE = 256 * 1024 * 1024
#: Maximum number of expired items that one `put` deletes, so that it stays fast.
MAX_SWEPT = 1_000


@value_class(frozen=True, slots=True)
class Versioned:
    """A stored value and its version."""

    value: bytes
    version: int


class Entry(Protocol):
    """What is added to a log: bytes, or a value that makes them when they are first needed.

    `len` estimates the memory that it holds until then; it may differ from the number of bytes.
    """

    def __bytes__(self) -> bytes: ...

    def __len__(self) -> int: ...


#: What `together` returns in a store that does not group writes.
NOT_GROUPED = nullcontext()


class Conflict(Exception):
    """The key does not have the expected version: another writer has changed it."""


class StoreUnavailable(Exception):
    """The store can't be read or written now. A write that raises this was either done completely or not at all.

    The message states the problem and what to do; `retry_after` is in seconds.
    """

    def __init__(self, why: str, retry_after: int = 1) -> None:
        super().__init__(why)
        self.retry_after = retry_after


class StoreFull(StoreUnavailable):
    """The pinned items and the logs leave no room for a pinned item; nothing was written."""


class Store(Protocol):
    """Values under keys, written by compare-and-set so that no concurrent write is lost, and logs.

    A key is text whose parts are separated by `/`; a value is bytes. An item also has lines, numbered from 1: a write
    appends to them instead of writing them again, and they exist as long as the item. Every method may be called from
    any thread, and every one but `close` may raise `StoreUnavailable`. An expired item no longer exists. Items that are
    not pinned are bounded in number. All values, lines and log entries together are bounded in bytes: the unpinned
    items that were written longest ago are evicted first, but never the one that was written last; then a log loses its
    oldest entries, and a pinned item that still has no room raises `StoreFull`.
    """

    @property
    def blocking(self) -> bool:
        """Whether a call may wait for a disk or the network; an event loop must then make it in a thread."""

    @property
    def groups_writes(self) -> bool:
        """Whether `together` groups writes, which makes them cheaper; then one thread should answer many requests."""

    def together(self) -> AbstractContextManager[None]:
        """Group what this thread writes within the block: all of it is written at its end.

        Other threads and processes wait meanwhile. None of it is written if the block raises, or if a call within it
        raises `StoreUnavailable`, which the end of the block raises again. A store that does not group writes does
        nothing here.
        """

    def get(self, key: str) -> Versioned | None:
        """Return what is stored under `key`, or None."""

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
        """Store `value` and return its version, greater than any that the key ever had, deleted or not.

        `expected` is the version to replace, None if the key must be new; raises `Conflict` otherwise. The item expires
        at `expires`, in seconds since 1970, or never if it is None. A pinned item is never evicted. `lines` are
        appended to the item's lines; then all but the newest `keep` of them are dropped, or none if it is None.
        """

    def lines(self, key: str, first: int, limit: int) -> tuple[bytes, ...]:
        """Return the lines of an item with the numbers from `first` on, at most `limit`, without dropped ones."""

    def delete(self, key: str) -> bool:
        """Delete `key`; return whether it existed."""

    def items(self, prefix: str = "", after: str = "", limit: int = 100) -> tuple[tuple[str, Versioned], ...]:
        """Return at most `limit` keys that begin with `prefix` and sort after `after`, in order, with their values.

        Keys sort by code point.
        """

    def count(self, prefix: str = "") -> int:
        """Return how many keys begin with `prefix`; some of them may be over, but not yet forgotten."""

    def append(self, log: str, entry: Entry, keep: int) -> int:
        """Add an entry to a log and return its number, counted from 1; the log keeps its newest `keep` entries.

        A store in this process may keep the entry as it is and encode it when it is read.
        """

    def entries(self, log: str, before: int | None = None, limit: int = 100) -> tuple[tuple[int, bytes], ...]:
        """Return at most `limit` entries with their numbers, newest first: those below `before`, by default all."""

    def clear(self, prefix: str) -> None:
        """Delete all keys and logs that begin with `prefix`, including pinned items; a new log counts from 1."""

    def ready(self) -> None:
        """Return if the store can be read and written; raise `StoreUnavailable` otherwise."""

    def close(self) -> None:
        """Close connections and files."""


def full_message(size: int) -> str:
    """Return the message of `StoreFull` for a store of `size` bytes."""
    return f"The store is full: agents and journals use its {size} bytes (limits.store)."


class StoreError(ContractError):
    """A store can't be opened; `problems` holds its address, the problem and the remedy."""


def store_error(place: str, problem: str, remedy: str) -> StoreError:
    """Return the error for one problem of the store at the address `place`."""
    return StoreError([Problem("--store", place, problem, remedy)])


def all_items(
    read: Callable[[str, str, int], tuple[tuple[str, _Value], ...]], prefix: str, after: str = "", page: int = 1000
) -> Iterator[tuple[str, _Value]]:
    """Yield every key under `prefix` that sorts after `after`, with its value, in order.

    `read` is the `items` of a store or of a transaction; it is called for `page` items at a time.
    """
    while found := read(prefix, after, page):
        yield from found
        if len(found) < page:
            return
        after = found[-1][0]


def encoded(key: str) -> bytes:
    """Return a key as UTF-8, which sorts by code point like the keys; a key may contain lone surrogates."""
    return key.encode("utf-8", "surrogatepass")


def decoded(name: bytes) -> str:
    """Return the key that `encoded` encoded."""
    return name.decode("utf-8", "surrogatepass")


def end_of(prefix: str) -> bytes:
    """Return bytes that sort after every key that begins with `prefix`: UTF-8 never contains the byte 255."""
    return encoded(prefix) + b"\xff"
