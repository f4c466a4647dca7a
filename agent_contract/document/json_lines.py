"""Finds the line of a value in JSON text: only what leads to it is read, the rest is skipped."""

from __future__ import annotations

import json
import re
from functools import lru_cache

_SPACE = re.compile(r"[ \t\r\n]*")
_scan = json.JSONDecoder(strict=False).raw_decode


def find_json_line(text: str, tokens: tuple[str, ...]) -> int | None:
    """Return the line, from 1, on which the key or item that these keys lead to begins; None if it is not JSON."""
    position = key = _skip(text, 0)
    try:
        for token in tokens:
            members = _members(text, position)
            if token not in members:
                break
            key, position = members[token]
    except (ValueError, IndexError, RecursionError):
        return None
    return text.count("\n", 0, key) + 1


@lru_cache(maxsize=64)
def _members(text: str, start: int) -> dict[str, tuple[int, int]]:
    """Return where each key or item of the object or list at `start` begins, and where its value does."""
    opening, found = text[start], dict[str, tuple[int, int]]()
    if opening not in "{[":
        return found
    position, index = _skip(text, start + 1), 0
    while text[position] not in "}]":
        name, key = str(index), position
        if opening == "{":
            name, position = _scan(text, position)
            position = _skip(text, _skip(text, position) + 1)  # after the colon
        found[name] = key, position
        _, position = _scan(text, position)
        position, index = _skip(text, position), index + 1
        if text[position] == ",":
            position = _skip(text, position + 1)
    return found


def _skip(text: str, position: int) -> int:
    found = _SPACE.match(text, position)
    return found.end() if found else position
