"""What a client prefers among the documented answers: `Prefer`, `X-Mock-Seed`, `X-Mock-Array-Size`.

Source: RFC 7240; the preferences `code`, `example` and `dynamic`, and their spelling in the query, are those of Prism.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from agent_contract.messages import Request
from mockserver.core.outcome import Rejection

SEED_HEADER = "x-mock-seed"
ARRAY_SIZE_HEADER = "x-mock-array-size"
#: The seed for a value that differs each time.
RANDOM_SEED = "-1"
WARNING_HEADER = "x-mock-warning"
_PREFERENCE = re.compile(r'\s*([A-Za-z]+)\s*=\s*("(?:[^"\\]|\\.)*"|[^,;\s]*)')
_NAMES = ("code", "example", "dynamic")
_TRUE, _FALSE = ("true", "1", "yes"), ("false", "0", "no")
_STATUS = re.compile(r"[1-5][0-9][0-9]")
#: The largest array that may be wished for.
_MOST_ITEMS = 1_000


@dataclass(frozen=True, slots=True)
class Preferences:
    """What a client prefers: a status, a named example, a sampled value instead of an example, its seed and size."""

    code: str = ""
    example: str = ""
    dynamic: bool = False
    seed: int | None = None
    array_size: int | None = None


NONE = Preferences()


def read_preferences(request: Request) -> Preferences:
    """Return what a request prefers; raises `Rejection` for a preference that can't be read."""
    headers = request.headers
    wishes = {name[2:]: value for name, value in request.query if name.startswith("__") and name[2:] in _NAMES}
    if "prefer" in headers:
        found = ((name.lower(), value.strip('"')) for name, value in _PREFERENCE.findall(headers["prefer"]))
        wishes.update((name, value) for name, value in found if name in _NAMES)
    if not wishes and SEED_HEADER not in headers and ARRAY_SIZE_HEADER not in headers:
        return NONE
    code, dynamic = wishes.get("code", ""), wishes.get("dynamic", "").lower()
    if code and not _STATUS.fullmatch(code):
        raise _refusal("prefer", f"code={code[:20]}", "a status such as 404")
    if dynamic not in ("", *_TRUE, *_FALSE):
        raise _refusal("prefer", f"dynamic={dynamic[:20]}", "true or false")
    seed = None if headers.get(SEED_HEADER) == RANDOM_SEED else _number(headers, SEED_HEADER, 2**63)
    size = _number(headers, ARRAY_SIZE_HEADER, _MOST_ITEMS)
    sampled = dynamic in _TRUE or (dynamic == "" and (SEED_HEADER in headers or size is not None))
    return Preferences(code, wishes.get("example", ""), sampled, seed, size)


def _number(headers: Mapping[str, str], name: str, most: int) -> int | None:
    text = headers.get(name)
    if text is None:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 19 or int(text) > most:
        raise _refusal(name, text[:20], f"a number from 0 to {most}")
    return int(text)


def _refusal(header: str, got: str, expected: str) -> Rejection:
    why = f"The header {header} has {got!r}. Expected {expected}."
    return Rejection(400, "", why, ("header", header), expected, got)
