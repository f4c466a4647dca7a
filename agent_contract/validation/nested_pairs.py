"""Reads objects and arrays that are spread over the pairs of a form or a query.

`a[b]=1` is a property (deepObject), `a[]=1` and `a[0]=1` are items, `a=1&a=2` is a repeated name.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TypeAlias

Nested: TypeAlias = "str | list[Nested] | dict[str, Nested]"

_KEYS = re.compile(r"\[([^\[\]]*)\]")
#: How deep brackets are read; what is deeper stays part of the name.
_MOST_DEPTH = 32


def nest(pairs: Iterable[tuple[str, str]]) -> dict[str, Nested]:
    """Return the values by name; a repeated name gives a list, brackets give objects and lists."""
    root: dict[str, Nested] = {}
    for name, text in pairs:
        _put(root, _path(name), text)
    return {name: _as_lists(value) for name, value in root.items()}


def _path(name: str) -> list[str]:
    """Return the keys of a name: `a[b][]` has `a`, `b` and an empty one."""
    first, bracket, rest = name.partition("[")
    keys = _KEYS.findall(bracket + rest)
    if not first or not bracket or "".join(f"[{key}]" for key in keys) != bracket + rest or len(keys) > _MOST_DEPTH:
        return [name]
    return [first, *keys]


def _put(root: dict[str, Nested], path: list[str], text: str) -> None:
    here = root
    for key in path[:-1]:
        below = here.setdefault(key or str(len(here)), {})
        if not isinstance(below, dict):  # the name was sent as a plain value too
            below = here[key or str(len(here))] = {"": below}
        here = below
    last = path[-1] or str(len(here))
    known = here.get(last)
    if known is None:
        here[last] = text
    elif isinstance(known, list):
        known.append(text)
    elif isinstance(known, dict):
        known[str(len(known))] = text
    else:
        here[last] = [known, text]


def _as_lists(value: Nested) -> Nested:
    """Return a value with the objects whose keys are 0, 1, 2, … as lists."""
    if not isinstance(value, dict):
        return value
    inner = {key: _as_lists(one) for key, one in value.items()}
    if inner and all(key.isascii() and key.isdigit() and len(key) < 6 for key in inner):
        return [inner[key] for key in sorted(inner, key=int)]
    return inner
