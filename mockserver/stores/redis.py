"""The store in Redis: many machines on one state. It comes with the extra `redis`."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, NoPermissionError, OutOfMemoryError, RedisError, ResponseError
from redis.exceptions import ConnectionError as NoConnection
from redis.exceptions import TimeoutError as NoAnswer
from redis.retry import Retry

from mockserver.stores.base import ITEMS, SIZE, SWEPT, Conflict, Entry, StoreFull, StoreUnavailable, Versioned, full
from mockserver.stores.errors import store_error
from mockserver.stores.key_encoding import behind, decoded, encoded
from mockserver.stores.patience import CALL, Patience
from mockserver.stores.redis_scripts import KEYS, LOG, NO_ROOM, SCRIPTS


class RedisStore:
    """A `Store` in a Redis, which processes of many machines may share; it connects again by itself.

    `items` bounds the number of items that are not pinned, `size` the bytes of everything; one value may be larger.
    `clock` returns seconds since 1970; `patience` is in seconds. What was answered is lost only where Redis loses it.
    """

    blocking = True

    def __init__(
        self,
        url: str,
        items: int = ITEMS,
        size: int = SIZE,
        clock: Callable[[], float] = time.time,
        patience: float = CALL,
    ) -> None:
        self._place = place_of(url)
        self._patience = Patience(self._place)
        self._items = items
        self._size = size
        self._clock = clock
        # A write that got no answer may have been done: done again, it would be refused as a conflict with itself.
        self._client = Redis.from_url(
            url,
            protocol=2,
            socket_timeout=patience,
            socket_connect_timeout=patience,
            retry=Retry(NoBackoff(), 0),
            driver_info=None,
        )
        self._scripts = {name: self._client.register_script(script) for name, script in SCRIPTS.items()}

    def get(self, key: str) -> Versioned | None:
        """Return what is stored under `key`, or None."""
        found = self._run("get", encoded(key), self._clock())
        return Versioned(found[1], found[0]) if found else None

    def put(
        self, key: str, value: bytes, expected: int | None, *, expires: float | None = None, pinned: bool = False
    ) -> int:
        """Store `value` and return its version; raise `Conflict` unless the key has the version `expected`."""
        version = "" if expected is None else expected
        end = "-" if expires is None else expires
        bounds = (self._items, self._size, SWEPT)
        written = self._run("put", encoded(key), value, version, end, int(pinned), self._clock(), *bounds)
        if written == NO_ROOM:
            raise StoreFull(full(self._size))
        if not written:
            raise Conflict(key)
        return int(written)

    def delete(self, key: str) -> bool:
        """Remove `key`; return whether it was there."""
        return bool(self._run("delete", encoded(key), self._clock()))

    def items(self, prefix: str = "", after: str = "", limit: int = 100) -> tuple[tuple[str, Versioned], ...]:
        """Return at most `limit` keys that begin with `prefix` and sort behind `after`, in order, with their values."""
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
        """Remove all keys and all logs that begin with `prefix`."""
        self._run("clear", *_range(prefix), LOG)

    def ready(self) -> None:
        """Return when Redis takes writes; raise `StoreUnavailable` otherwise."""
        with self._reaching():
            self._client.incrby(KEYS[0], 0)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def check(self) -> None:
        """Raise `StoreError` where this Redis can't keep a state: not there, not writable, or forgetting at will."""
        try:
            self.ready()
        except StoreUnavailable as error:
            raise store_error(self._place, str(error.__cause__), _remedy(error.__cause__)) from None
        try:
            settings: Any = self._client.config_get("maxmemory*")
        except RedisError:  # not everybody may ask
            return
        policy = settings.get("maxmemory-policy", "")
        if settings.get("maxmemory", "0") != "0" and policy.startswith("allkeys-"):
            what = (
                f"this Redis drops any key when its memory is full (maxmemory-policy {policy}): the state would be lost"
            )
            raise store_error(self._place, what, "set maxmemory-policy noeviction there, or name another Redis")

    def _run(self, script: str, *arguments: bytes | str | float, log: str | None = None) -> Any:
        keys: Sequence[str | bytes] = KEYS if log is None else (*KEYS, LOG.encode() + encoded(log))
        with self._reaching():
            return self._scripts[script](keys, arguments)

    @contextmanager
    def _reaching(self) -> Iterator[None]:
        with self._patience.call():
            try:
                yield
            except RedisError as error:
                why = f"The store {self._place} can't be used now: {error}. To mend it, {_remedy(error)}."
                raise StoreUnavailable(why) from error


#: What to do about an error of Redis; the first that fits.
_REMEDIES: tuple[tuple[type[Exception], str], ...] = (
    (AuthenticationError, "give user and password, as redis://USER:PASSWORD@HOST/N"),
    (NoPermissionError, "let this user run scripts and write"),
    (NoAnswer, "see whether it is overloaded or stopped"),
    (NoConnection, "start it, or name another"),
    (OutOfMemoryError, "give it more memory, or keep less with --max-sessions"),
    (ResponseError, "do what its message asks for"),
)


def _remedy(error: BaseException | None) -> str:
    return next((remedy for kind, remedy in _REMEDIES if isinstance(error, kind)), "look at its log")


def place_of(url: str) -> str:
    """Return the address without user and password; raise `StoreError` where it is none of a Redis."""
    try:
        parts = urlsplit(url)
        port = parts.port or 6379
    except ValueError as error:
        raise store_error("redis://…", f"that is no address: {error}", _FORM) from None
    number = parts.path.removeprefix("/") or "0"
    if not parts.hostname or not number.isdecimal() or parts.query or parts.fragment:
        raise store_error(f"redis://{parts.hostname or ''}…", "that is no address of a Redis", _FORM)
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    return f"{parts.scheme}://{host}:{port}/{number}"


_FORM = "write it as redis://HOST/N or redis://HOST:PORT/N, where N is the number of the database"


def _range(prefix: str) -> tuple[bytes, bytes]:
    """Return the bounds of all keys that begin with `prefix`, as ZRANGEBYLEX has them."""
    return b"[" + encoded(prefix), b"(" + behind(prefix)
