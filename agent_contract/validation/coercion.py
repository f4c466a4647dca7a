"""Turns text into the values that a schema wants: forms, queries and XML have only strings."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson

from agent_contract.document.errors import ContractError
from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON
from agent_contract.model.parameters import scalar
from agent_contract.model.schemas import Schemas

_MOST_DEPTH = 8


@dataclass(frozen=True, slots=True, eq=False)
class Form:
    """The form that the schemas of a value require: its types, and the schemas of its parts."""

    types: tuple[str, ...]
    properties: dict[str, Place]
    items: Place | None
    rest: Place | None


@lru_cache(maxsize=4096)
def form_of(schemas: Schemas, place: Place) -> Form:
    """Return the form of a schema, with those of all schemas that it applies to the same value."""
    types: dict[str, None] = {}
    properties: dict[str, Place] = {}
    items = rest = None
    for where, schema in _applied(schemas, place, 0):
        own = schema.get("type", ())
        types.update(dict.fromkeys([own] if isinstance(own, str) else [str(kind) for kind in own]))
        types.update(dict.fromkeys(kind for value in _constants(schema) if (kind := _kind(value))))
        named = schema.get("properties")
        for name in named if isinstance(named, dict) else ():
            properties.setdefault(name, where.child("properties", name))
        items = items or (where.child("items") if isinstance(schema.get("items"), dict) else None)
        extra = schema.get("additionalProperties")
        rest = rest or (where.child("additionalProperties") if isinstance(extra, dict) else None)
    if not types:
        types.update({"object": None} if properties else {"array": None} if items else {})
    return Form(tuple(types), properties, items, rest)


def _applied(schemas: Schemas, place: Place, depth: int) -> Iterator[tuple[Place, dict[str, Any]]]:
    """Yield a schema and those that it applies to the same value, references followed."""
    try:
        place = schemas.document.follow(place)
        schema = schemas.at(place)
    except (LookupError, ContractError):
        return
    if not isinstance(schema, dict) or depth > _MOST_DEPTH:
        return
    yield place, schema
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index in range(len(schema.get(keyword) or ())):  # type: ignore[arg-type]
            yield from _applied(schemas, place.child(keyword, index), depth + 1)


def _constants(schema: dict[str, Any]) -> list[Any]:
    listed = schema.get("enum")
    return [schema["const"]] if "const" in schema else listed if isinstance(listed, list) else []


def _kind(value: Any) -> str:
    kinds = {bool: "boolean", int: "integer", float: "number", type(None): "null", str: "string"}
    return kinds.get(type(value), "")


def coerce(schemas: Schemas, place: Place | None, value: Any, separator: str = "") -> JSON:
    """Return a value whose strings have become what the schema wants, as far as they can.

    An array or an object may also be sent as JSON text, an array as one string with `separator` between its items.
    """
    if place is None:
        return value  # type: ignore[no-any-return]
    form = form_of(schemas, place)
    if isinstance(value, dict):
        places = form.properties
        return {name: coerce(schemas, places.get(name, form.rest), one) for name, one in value.items()}
    if isinstance(value, list):
        if "array" not in form.types and form.types and value:
            return coerce(schemas, place, value[-1])
        return [coerce(schemas, form.items, one) for one in value]
    if not isinstance(value, str):
        return value  # type: ignore[no-any-return]
    if "array" in form.types or "object" in form.types:
        inside = _from_json(value, form.types)
        if inside is not None:
            return inside
    plain = scalar(value, form.types)
    if "array" in form.types and "string" not in form.types and isinstance(plain, str):
        parts = value.split(separator) if separator and value else [value] if value else []
        return [coerce(schemas, form.items, part) for part in parts]
    return plain


def _from_json(text: str, types: tuple[str, ...]) -> JSON:
    """Return the array or object that a string holds as JSON; None if it holds neither."""
    if text[:1] not in ("[", "{"):
        return None
    try:
        value: JSON = orjson.loads(text)
    except ValueError:
        return None
    return value if ("array" if isinstance(value, list) else "object") in types else None
