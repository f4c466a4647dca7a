"""The store in Redis, which many machines can share. It needs the extra `redis`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, RedisError, ResponseError
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoAnswer
from redis.retry import Retry

from mockserver.stores.base import (
    ITEMS,
    MAX_SWEPT,
    NOT_GROUPED,
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
    store_error,
)
from mockserver.stores.circuit_breaker import CALL, CircuitBreaker
from mockserver.stores.redis_scripts import KEYS, LOG, NO_ROOM, SCRIPTS


class RedisStore:
    """A `Store` in Redis, which processes on many machines can share; it reconnects automatically.

    `items` limits the number of unpinned items, `size` the bytes of everything; a single value may be larger.
    `clock` returns seconds since 1970; `timeout` is in seconds.
    """

    blocking = True
    groups_writes = False

    def __init__(
        self,
        url: str,
        items: int = ITEMS,
        size: int = SIZE,
        clock: Callable[[], float] = time.time,
        timeout: float = CALL,
    ) -> None:
        self._place = place_of(url)
        self._breaker = CircuitBreaker(self._place)
        self._items = items
        self._size = size
        self._clock = clock
        # No retries: a write without an answer may have been done, and its repetition would conflict with it.
        self._client = Redis.from_url(
            url,
            protocol=2,
            socket_timeout=timeout,
            socket_connect_timeout=timeout,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )
        self._scripts = {name: self._client.register_script(script) for name, script in SCRIPTS.items()}

    def get(self, key: str) -> Versioned | None:
        """Return what is stored under `key`, or None."""
        found = self._run("get", encoded(key), self._clock())
        return Versioned(found[1], found[0]) if found else None

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
        version = "" if expected is None else expected
        end = "-" if expires is None else expires
        bounds = (self._items, self._size, MAX_SWEPT, "" if keep is None else keep)
        written = self._run("put", encoded(key), value, version, end, int(pinned), self._clock(), *bounds, *lines)
        if written == NO_ROOM:
            raise StoreFull(full_message(self._size))
        if not written:
            raise Conflict(key)
        return int(written)

    def lines(self, key: str, first: int, limit: int) -> tuple[bytes, ...]:
        """Return the lines of an item with the numbers from `first` on, at most `limit`, without dropped ones."""
        return tuple(self._run("lines", encoded(key), self._clock(), first, limit))

    def delete(self, key: str) -> bool:
        """Delete `key`; return whether it existed."""
        return bool(self._run("delete", encoded(key), self._clock()))

    def items(self, prefix: str = "", after: str = "", limit: int = 100) -> tuple[tuple[str, Versioned], ...]:
        """Return at most `limit` keys that begin with `prefix` and sort after `after`, in order, with their values."""
        begin, end = _range(prefix)
        begin = begin if prefix > after else b"(" + encoded(after)
        found = iter(self._run("items", begin, end, limit, self._clock()))
        return tuple(
            (decoded(key), Versioned(value, version)) for key, version, value in zip(found, found, found, strict=True)
        )

    def count(self, prefix: str = "") -> int:
        """Return how many keys begin with `prefix`; some of them may be over, but not yet forgotten."""
        return int(self._run("count", *_range(prefix)))

    def append(self, log: str, entry: Entry, keep: int) -> int:
        """Add an entry to a log and return its number; the log keeps its newest `keep` entries."""
        return int(self._run("append", encoded(log), bytes(entry), keep, self._items, self._size, log=log))

    def entries(self, log: str, before: int | None = None, limit: int = 100) -> tuple[tuple[int, bytes], ...]:
        """Return at most `limit` entries with their numbers, newest first: those below `before`, by default all."""
        found = self._run("entries", encoded(log), "" if before is None else before, limit, log=log)
        if not found:
            return ()
        last, values = found
        return tuple(zip(range(last, 0, -1), reversed(values), strict=False))

    def clear(self, prefix: str) -> None:
        """Delete all keys and logs that begin with `prefix`."""
        self._run("clear", *_range(prefix), LOG)

    def together(self) -> AbstractContextManager[None]:
        """Return a context that does nothing."""
        return NOT_GROUPED

    def ready(self) -> None:
        """Return if Redis accepts writes; raise `StoreUnavailable` otherwise."""
        with self._reaching():
            self._client.incrby(KEYS[0], 0)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def check(self) -> None:
        """Raise `StoreError` if this Redis can't be reached or written, or if it may evict any key."""
        try:
            self.ready()
        except StoreUnavailable as error:
            raise store_error(self._place, str(error.__cause__), _remedy(error.__cause__)) from None
        try:
            settings: Any = self._client.config_get("maxmemory*")
        except RedisError:  # this user may not read the configuration
            return
        policy = settings.get("maxmemory-policy", "")
        if settings.get("maxmemory", "0") != "0" and policy.startswith("allkeys-"):
            what = (
                f"this Redis evicts any key when its memory is full (maxmemory-policy {policy}), so state would be lost"
            )
            raise store_error(self._place, what, "set maxmemory-policy to noeviction, or use another Redis")

    def _run(self, script: str, *arguments: bytes | str | float, log: str | None = None) -> Any:
        keys: Sequence[str | bytes] = KEYS if log is None else (*KEYS, LOG.encode() + encoded(log))
        with self._reaching():
            return self._scripts[script](keys, arguments)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        with self._breaker.call():
            try:
                yield
            except RedisError as error:
                why = f"The store {self._place} is unavailable: {error}. To fix this, {_remedy(error)}."
                raise StoreUnavailable(why) from error


#: Remedies for errors of Redis; the first matching type is used.
_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (AuthenticationError, "add user and password: redis://USER:PASSWORD@HOST/N"),
    (NoPermissionError, "allow this user to run scripts and to write"),
    (NoAnswer, "check whether Redis is overloaded or stopped"),
    (NoConnection, "start Redis, or use another address"),
    (OutOfMemoryError, "give Redis more memory, or lower --max-sessions"),
    (ResponseError, "follow the message of Redis"),
)


def _remedy(error: BaseException | None) -> str:
    return next((remedy for kind, remedy in _REMEDIES if isinstance(error, kind)), "look at the log of Redis")


# Not redis.connection.parse_url: it reads the path "/x" as database 0 and "/1/2" as 12, and a query sets timeouts.
def place_of(url: str) -> str:
    """Return the address without user and password; raise `StoreError` if it is not an address of a Redis."""
    try:
        parts = urlsplit(url)
        port = parts.port or 6379
    except ValueError as error:
        raise store_error("redis://…", f"is not a valid address: {error}", _FORM) from None
    number = parts.path.removeprefix("/") or "0"
    if not parts.hostname or not number.isdecimal() or parts.query or parts.fragment:
        raise store_error(f"redis://{parts.hostname or ''}…", "is not the address of a Redis", _FORM)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}/{number}"


_FORM = "use redis://HOST/N or redis://HOST:PORT/N; N is the number of the database"


def _range(prefix: str) -> tuple[bytes, bytes]:
    """Return the bounds of all keys that begin with `prefix`, in the syntax of ZRANGEBYLEX."""
    return b"[" + encoded(prefix), b"(" + end_of(prefix)
