"""The kinds of stores that the tests ask, each empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

from mockserver.stores import Store, open_store

KINDS = ("memory", "sqlite")


@contextmanager
def opened(kind: str) -> Iterator[Callable[..., Store]]:
    """Yield what opens a store of this kind, on a place of its own that is gone behind the block."""
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield partial(open_store, {"memory": "memory", "sqlite": f"sqlite:///{Path(folder) / 'state.db'}"}[kind])
