"""The kinds of stores that the tests ask, each empty."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from mockserver.stores import Store, open_store

KINDS = ("memory",)


@contextmanager
def opened(kind: str) -> Iterator[Callable[..., Store]]:
    """Yield what opens a store of this kind, on a place of its own that is gone behind the block."""
    yield partial(open_store, kind)
