"""The kinds of stores under test."""

from __future__ import annotations

import atexit
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache, partial
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory

from mockserver.stores import Store, open_store
from tests.mockserver.support.redis_server import RedisServer

KINDS = ("memory", "sqlite", "redis")
_FILES = count()


@contextmanager
def opened(kind: str) -> Iterator[Callable[..., Store]]:
    """Yield a function that opens a store of this kind; its data is deleted after the block."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        if kind == "redis":
            redis = shared_redis()
            redis.command("FLUSHALL")
            yield partial(open_store, redis.url)
        else:
            yield partial(open_store, {"memory": "memory", "sqlite": f"sqlite:///{Path(folder) / 'state.db'}"}[kind])


@cache
def shared_redis() -> RedisServer:
    """Return the Redis that all tests of this process share; it ends with the process."""
    folder = TemporaryDirectory(ignore_cleanup_errors=True)
    server = RedisServer(Path(folder.name))
    server.start()
    atexit.register(folder.cleanup)
    atexit.register(server.stop, kill=True)
    return server
