"""Which parts of a schema a value uses: the properties that it has, and the constants that it equals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent_contract.document.document import Document
from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON
from agent_contract.versions.versions import is_within

_CHOICES = ("allOf", "anyOf", "oneOf")


def in_place(document: Document, schema: Place) -> Iterator[Place]:
    """Yield a schema and everything that it applies to the same value, references followed."""
    value: Any = document.at(schema)
    if not isinstance(value, dict):
        return
    yield schema
    if isinstance(value.get("$ref"), str):
        yield from in_place(document, document.target(value["$ref"], schema.file))
    for keyword in _CHOICES:
        for index in range(len(value.get(keyword) or ())):
            yield from in_place(document, schema.child(keyword, index))


def properties_of(document: Document, schema: Place) -> dict[str, list[Place]]:
    """Return the place of each property's description, by name."""
    found: dict[str, list[Place]] = {}
    for place in in_place(document, schema):
        value: Any = document.at(place)
        for name in value.get("properties") or ():
            found.setdefault(name, []).append(place.child("properties", name))
    return found


def uses(document: Document, parts: set[Place], schema: Place, value: JSON) -> bool:
    """Return whether a value contains something that only these parts of a schema describe."""
    if is_within(parts, schema):
        return False
    if isinstance(value, dict):
        for name, described in properties_of(document, schema).items():
            if name in value:
                left = [place for place in described if not is_within(parts, place)]
                if not left or any(uses(document, parts, place, value[name]) for place in left):
                    return True
        return False
    if isinstance(value, list):
        inner = [one for place in in_place(document, schema) for one in _items(document, place)]
        return any(uses(document, parts, place, item) for place in inner for item in value)
    constants = [place for place in in_place(document, schema) if _is(document, place, value)]
    return bool(constants) and all(is_within(parts, place) for place in constants)


def _items(document: Document, schema: Place) -> Iterator[Place]:
    value: Any = document.at(schema)
    if isinstance(value.get("items"), dict):
        yield schema.child("items")


def _is(document: Document, schema: Place, constant: JSON) -> bool:
    value: Any = document.at(schema)
    return "const" in value and value["const"] == constant
