"""Chooses the media type of an answer. Source: RFC 9110, section 12.5.1 (Accept)."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple

#: What is sent for a media type that is documented as a range.
_CONCRETE = {
    "*": "application/json",
    "application": "application/json",
    "text": "text/plain",
    "image": "image/png",
    "audio": "audio/mpeg",
    "video": "video/mp4",
}


class Range(NamedTuple):
    """One range of media types that a client accepts, and how much it prefers it."""

    type: str
    quality: float

    @property
    def precision(self) -> int:
        """How precise it is: `*/*` is 0, `text/*` 1, `text/plain` 2."""
        return 0 if self.type == "*/*" else 1 if self.type.endswith("/*") else 2

    def matches(self, name: str) -> bool:
        """Return whether a media type is in the range; a documented range matches what is in it."""
        if "*/*" in (self.type, name):
            return True
        main, _, sub = self.type.partition("/")
        other, _, its = name.partition("/")
        return main == other and ("*" in (sub, its) or sub == its)


@lru_cache(256)
def accepted(header: str) -> tuple[Range, ...]:
    """Return the ranges of an Accept header; one with an invalid quality counts as 1."""
    ranges = []
    for item in header.split(","):
        name, *parameters = (part.strip().lower() for part in item.split(";"))
        quality = next((_quality(one[2:]) for one in parameters if one.startswith("q=")), 1.0)
        if "/" in name or name == "*":
            ranges.append(Range("*/*" if name == "*" else name, quality))
    return tuple(ranges)


def _quality(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


def preferred(names: Iterable[str], accept: str | None, streams: bool = False) -> str | None:
    """Return the media type that a client prefers, None if it accepts none of them.

    Of equally accepted ones JSON is chosen, else the first. With `streams`, an event stream is chosen before JSON,
    since the body of the request asks for one.
    """
    listed = list(names)
    order = sorted(listed, key=lambda name: _rank(name, streams))
    if streams and order and order[0] == "text/event-stream":
        return order[0]
    ranges = accepted(accept) if accept else ()
    if not ranges:
        return next(iter(order), None)
    weights = {name: _weight(name, ranges) for name in order}
    best = max(order, key=lambda name: weights[name], default=None)
    return best if best is not None and weights[best] > 0 else None


def _rank(name: str, streams: bool) -> int:
    if name == "text/event-stream":
        return -1 if streams else 2
    return 0 if name == "application/json" else 1


def _weight(name: str, ranges: tuple[Range, ...]) -> float:
    """Return the quality of the most precise range that a media type is in."""
    matching = [one for one in ranges if one.matches(name)]
    return max(matching, key=lambda one: one.precision).quality if matching else 0.0


def concrete(name: str, accept: str | None) -> str:
    """Return the media type to send for a documented one, which may be a range."""
    main, _, sub = name.partition("/")
    if sub != "*":
        return name
    for one in accepted(accept) if accept else ():
        if one.quality > 0 and one.precision == 2 and one.matches(name):
            return one.type
    return _CONCRETE.get(main, "application/octet-stream")
