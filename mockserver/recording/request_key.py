"""The predicate that the recorder and the matcher share: when two requests are the same.

Two requests are the same if their method, path, query and body are, without secrets and without what changes from run
to run: the order of keys and parameters, headers, the ids of tool calls and messages, and what the user ignores.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any

import orjson

from agent_contract.messages import JSON, Request
from agent_contract.redaction import Redaction
from agent_contract.validation.json_body import BodyProblem, Malformed, parse_json
from mockserver.recording.exchange_json import excerpt
from mockserver.recording.recording import form_fields, hiding, redacted_request

#: Text that changes from run to run, by the name under which it can be ignored.
NAMED_PATTERNS: Mapping[str, str] = {
    "dates": r"\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}:?\d{2})?)?\b",
    "times": r"\b\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?\b",
    "uuids": r"\b[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}\b",
}
_PATTERN = "re:"
_PARTS = ("body", "query")
_IGNORED = "*"
#: Fields of messages that hold ids of tool calls and messages, which some clients draw themselves.
_IDS = ("id", "tool_call_id")
_SHOWN = 100  # characters of a value in a difference
#: Maximum number of values of a request that are compared with those of a recording.
_MOST_VALUES = 2000

Form = dict[str, Any]


class IgnoreError(ValueError):
    """A setting of what is ignored is invalid; the message has the reason and the remedy."""


@dataclass(frozen=True, slots=True)
class Ignored:
    """What does not count when requests are compared: places, `*` for any key or index, and patterns of text."""

    places: tuple[tuple[str, ...], ...] = ()
    patterns: tuple[re.Pattern[str], ...] = ()


def read_ignored(settings: Iterable[str]) -> Ignored:
    """Return what these settings ignore: places such as `body/user`, named patterns, and `re:PATTERN`.

    Raises `IgnoreError`.
    """
    places: list[tuple[str, ...]] = []
    patterns: list[re.Pattern[str]] = []
    for setting in settings:
        if setting in NAMED_PATTERNS or setting.startswith(_PATTERN):
            try:
                patterns.append(re.compile(NAMED_PATTERNS.get(setting) or setting.removeprefix(_PATTERN)))
            except re.error as error:
                raise IgnoreError(
                    f"{setting}: {error}. Write a regular expression of Python after {_PATTERN}"
                ) from None
        elif setting.partition("/")[0] in _PARTS:
            places.append(tuple(setting.split("/")))
        else:
            known = ", ".join(NAMED_PATTERNS)
            raise IgnoreError(f"{setting} is not known. Use a place such as body/user, {known}, or {_PATTERN}PATTERN.")
    return Ignored(tuple(places), tuple(patterns))


def canonical(request: Request, ignored: Ignored, redaction: Redaction) -> Form:
    """Return what two requests that are the same have in common; `redaction` hides the server's own tokens."""
    clean = redacted_request(request, hiding(request, redaction))
    query: dict[str, JSON] = {}
    for name, text in sorted(clean.query):
        query[name] = text if name not in query else f"{query[name]}&{text}"
    ids: dict[str, str] = {}
    form = {"method": clean.method, "path": clean.path, "query": query, "body": _parsed(clean)}
    try:
        return {name: _without(value, (name,), ignored, ids) for name, value in form.items()}
    except RecursionError:
        return {**form, "body": clean.body.decode("latin-1")}


def key_of(form: Form) -> bytes:
    """Return a digest that is equal for the same requests."""
    try:
        text = orjson.dumps(form, option=orjson.OPT_SORT_KEYS)
    except TypeError:  # nested too deep, or an integer over 64 bits
        text = repr(sorted(_leaves(form, ""))).encode()
    return blake2b(text, digest_size=16).digest()


def differences(recorded: Form, sent: Form) -> list[str]:
    """Return a line for each place at which a request differs from a recorded one."""
    before, after = (dict(_limited(form)) for form in (recorded, sent))
    lines = []
    for place in dict.fromkeys((*before, *after)):
        old, new = (_shown(values, place) for values in (before, after))
        if old != new:
            lines.append(f"{place}: recorded {old}, sent {new}")
    return lines


def _parsed(request: Request) -> Any:
    form = form_fields(request.headers.get("content-type", ""), request.body)
    if form is not None:  # the border between the parts of a multipart form is drawn by chance
        return sorted(form)
    value = parse_json(request.body) if request.body else ""
    if isinstance(value, (Malformed, BodyProblem)):
        return request.body.decode("latin-1")
    return value


def _without(value: Any, place: tuple[str, ...], ignored: Ignored, ids: dict[str, str]) -> Any:
    """Return a value without what is ignored, and with ids in messages by the order in which they first appear."""
    if any(_matches(pattern, place) for pattern in ignored.places):
        return _IGNORED
    if isinstance(value, dict):
        return {name: _without(part, (*place, name), ignored, ids) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without(part, (*place, str(index)), ignored, ids) for index, part in enumerate(value)]
    if not isinstance(value, str):
        return value
    if place[:2] == ("body", "messages") and place[-1] in _IDS:
        return ids.setdefault(value, f"id {len(ids) + 1}")
    for pattern in ignored.patterns:
        value = pattern.sub(_IGNORED, value)
    return value


def _matches(pattern: tuple[str, ...], place: tuple[str, ...]) -> bool:
    return len(pattern) == len(place) and all(
        wanted in (_IGNORED, part) for wanted, part in zip(pattern, place, strict=True)
    )


def _limited(form: Form) -> Iterator[tuple[str, str]]:
    leaves = _leaves(form, "")
    yield from (leaf for _, leaf in zip(range(_MOST_VALUES), leaves, strict=False))


def _leaves(value: Any, place: str) -> Iterator[tuple[str, str]]:
    """Yield the place and the text of each value that holds no others."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else None
    if not parts:
        yield place, excerpt(value, 10_000)
    else:
        for name, part in parts:
            yield from _leaves(part, f"{place}/{name}" if place else str(name))


def _shown(values: Mapping[str, str], place: str) -> str:
    text = values.get(place)
    return "nothing" if text is None else text if len(text) <= _SHOWN else text[:_SHOWN] + "…"
