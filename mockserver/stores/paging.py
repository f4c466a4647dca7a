"""Reads everything under a prefix, page by page."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TypeVar

_Value = TypeVar("_Value")


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
