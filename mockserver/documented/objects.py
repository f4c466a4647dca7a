"""Puts what a client has set into a documented value, as far as the schema accepts it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from agent_contract.messages import JSON
from agent_contract.model.operations import MediaType

#: Names of the property of a list that holds its items, the most usual first.
_ITEMS = ("data", "items", "results", "records", "entries", "values", "value", "content", "list")
_PREFIX = re.compile(r"([A-Za-z]+[_-])[A-Za-z0-9]{3,}")
#: How many fields are tried one by one if not all are accepted.
_MOST_FIELDS = 200
_MOST_FAULTS = 50


def id_names(parameter: str, collection: str) -> tuple[str, ...]:
    """Return the names that the property with the id may have, the most likely first."""
    noun = singular(collection.rstrip("/").rpartition("/")[2])
    short = "".join(part.capitalize() for part in re.split(r"[-_]", noun))
    derived = (f"{noun}_id", f"{noun}Id", f"{short[:1].lower()}{short[1:]}Id", "uuid", "key", "slug", "name")
    return tuple(dict.fromkeys(name for name in (parameter, "id", *derived) if name))


def singular(noun: str) -> str:
    """Return the singular of an English noun, roughly."""
    if noun.endswith("ies"):
        return noun[:-3] + "y"
    return noun[:-1] if noun.endswith("s") and not noun.endswith("ss") else noun


def id_name(value: Mapping[str, JSON], names: Sequence[str]) -> str:
    """Return the name of the property with the id, empty if there is none."""
    return next((name for name in names if name in value and isinstance(value[name], (str, int))), "")


def holder_path(value: JSON, names: Sequence[str]) -> tuple[str, ...] | None:
    """Return the keys that lead to the object with the id: none, or the one it is wrapped in; None if it has none."""
    if not isinstance(value, dict):
        return None
    if id_name(value, names):
        return ()
    for key, inner in value.items():
        if isinstance(inner, dict) and id_name(inner, names):
            return (key,)
    return None


def new_id(example: JSON, number: int, digits: str) -> JSON:
    """Return a new id that looks like a documented one: a number, one with the same prefix, or a uuid."""
    if isinstance(example, int) and not isinstance(example, bool):
        return number
    text = str(example or "")
    if prefix := _PREFIX.fullmatch(text):
        return prefix[1] + digits.replace("-", "")[:24]
    if text.isascii() and text.isdigit():
        return str(number)
    return digits


def overlaid(base: JSON, fields: Mapping[str, JSON], media: MediaType, path: tuple[str, ...] = ()) -> JSON:
    """Return a documented value with fields in the object at `path`; fields that its schema refuses are left out.

    A field that is null removes the property if null is not accepted.
    """
    whole = _with(base, path, fields)
    if media.validator is None or media.validator.is_valid(whole):
        return whole
    value, faults = base, _faults(base, media)  # of an invalid example too, which its warning says
    for name, one in list(fields.items())[:_MOST_FIELDS]:
        for candidate in _candidates(value, path, name, one):
            if _faults(candidate, media) <= faults:
                value = candidate
                break
    return value


def _faults(value: JSON, media: MediaType) -> int:
    """Return how many faults a value has, up to a limit."""
    return sum(1 for _ in islice(media.validator.iter_errors(value), _MOST_FAULTS)) if media.validator else 0


def _candidates(value: JSON, path: tuple[str, ...], name: str, one: JSON) -> Iterator[JSON]:
    yield _with(value, path, {name: one})
    if one is None:
        yield _with(value, path, {}, without=name)


def _with(value: JSON, path: tuple[str, ...], fields: Mapping[str, JSON], without: str = "") -> JSON:
    """Return a copy of a value with fields in the object at a path."""
    if not isinstance(value, dict):
        return value
    if path:
        return {**value, path[0]: _with(value.get(path[0]), path[1:], fields, without)}
    return {name: one for name, one in {**value, **fields}.items() if name != without}


def items_path(value: JSON, collection: str) -> tuple[str, ...] | None:
    """Return the keys that lead to the items of a documented list; None if it has no array."""
    if isinstance(value, list):
        return ()
    if not isinstance(value, dict):
        return None
    arrays = [name for name, one in value.items() if isinstance(one, list)]
    usual = (*_ITEMS, collection.rstrip("/").rpartition("/")[2])
    chosen = next((name for name in usual if name in arrays), arrays[0] if len(arrays) == 1 else None)
    return None if chosen is None else (chosen,)


def merge_patch(target: JSON, patch: JSON) -> JSON:
    """Return a value changed by a merge patch; a null is kept, since the document may have a value to remove.

    Source: RFC 7396, section 2.
    """
    if not isinstance(patch, dict):
        return patch
    result: dict[str, Any] = dict(target) if isinstance(target, dict) else {}
    for name, one in patch.items():
        result[name] = merge_patch(result.get(name), one) if isinstance(one, dict) else one
    return result
