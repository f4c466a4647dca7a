"""Generates values of schemas; the same seed gives the same value."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON
from agent_contract.sampling.budget import WorkBudget, WorkBudgetError, WorkLimits
from agent_contract.sampling.regex import string_matching
from agent_contract.sampling.sample_strings import SampleStrings, described_constant

#: The depth to which optional parts are generated; deeper, only required parts are.
_FULL_DEPTH = 4
#: The maximum depth of a value: a schema that requires itself has no finite value.
_MOST_DEPTH = 60
#: The limits for a value of the document's schemas, which are trusted.
_DOCUMENT = WorkLimits(steps=100_000, characters=16 * 1024 * 1024)
#: How many keywords, branches or names are read in one step.
_READ_AT_ONCE = 20
TRIES = 20
_NUMBERS = ({"type": "number"}, {"type": "integer"})


class SampleError(ValueError):
    """No value of a schema was found: it contradicts itself, requires itself, or is beyond this generator."""


@dataclass(slots=True)
class SampleSource:
    """What values are generated from: schemas by place, chance, strings, and the budget for the work.

    `at` returns the schema at a place, `follow` the place that the references there lead to. With `reads_descriptions`,
    a description may tell the only value of a property.
    """

    at: Callable[[Place], JSON]
    follow: Callable[[Place], Place]
    random: random.Random
    strings: SampleStrings
    budget: WorkBudget = field(default_factory=lambda: WorkBudget(_DOCUMENT))
    reads_descriptions: bool = False

    def schema(self, place: Place) -> tuple[Place, Any]:
        """Return the schema of a place, with keywords of 2020-12; a reference without other keys is followed."""
        value: Any = self.at(place)
        if isinstance(value, dict) and isinstance(value.get("$ref"), str) and len(value) == 1:
            place = self.follow(place)
            value = self.at(place)
        return place, value

    def spend(self, place: Place, steps: int = 1, characters: int = 0) -> None:
        """Count work before it is done; SampleError if it exceeds what is left."""
        try:
            self.budget.spend("steps", steps)
            self.budget.spend("characters", characters)
        except WorkBudgetError as error:
            raise SampleError(f"{place}: {error}; let the schema ask for less") from None

    def constant(self, spec: _ValueSpec) -> str:
        """Return the value that a description gives, empty for none."""
        return described_constant(spec.name, spec.parts.get("description")) if self.reads_descriptions else ""

    def given(self, place: Place, value: JSON) -> JSON:
        """Count a value that the schema itself contains, and return it."""
        self.spend(place, *size_of(value))
        return value


@dataclass(frozen=True, slots=True)
class _ValueSpec:
    """What to generate: the keywords of a schema, its place, the property it is for, and its depth."""

    place: Place
    parts: Mapping[str, Any]
    name: str
    depth: int


def size_of(value: JSON) -> tuple[int, int]:
    """Return how many values are in a value, itself included, and how many characters they have."""
    rest, values, characters = [value], 0, 0
    while rest:
        one = rest.pop()
        values += 1
        if isinstance(one, dict):
            characters += sum(map(len, one))
            rest.extend(one.values())
        elif isinstance(one, list):
            rest.extend(one)
        elif isinstance(one, int):
            characters += one.bit_length() // 3 + 1
        else:
            characters += len(one) if isinstance(one, str) else 8
    return values, characters


def value_of(source: SampleSource, place: Place, name: str = "", depth: int = 0) -> JSON:
    """Return a value of a schema, not checked against it; SampleError if no finite value was found.

    `name` is the property that it is for, a hint for strings; `depth` is its depth in the whole value.
    """
    if depth > _MOST_DEPTH:
        raise SampleError(f"{place}: the schema requires itself; let one of its parts be optional")
    source.spend(place)
    place, schema = source.schema(place)
    if not isinstance(schema, dict):
        return None
    source.spend(place, len(schema) // _READ_AT_ONCE)
    if "const" in schema:
        return source.given(place, schema["const"])
    if schema.get("enum"):
        return source.given(place, source.random.choice(schema["enum"]))
    known = [schema[key] for key in ("example", "default") if key in schema] + list(schema.get("examples") or ())
    if known and "properties" not in schema:
        return source.given(place, source.random.choice(known))
    for keyword in ("oneOf", "anyOf"):
        if schema.get(keyword):
            return _choice(source, place, keyword, len(schema[keyword]), name, depth)
    parts = _parts(source, place, schema)
    return _MAKERS[_type(parts)](source, _ValueSpec(place, parts, name, depth))


def _choice(source: SampleSource, place: Place, keyword: str, count: int, name: str, depth: int) -> JSON:
    """Return a value of one branch, with the schema's own properties; null only deep down or without another branch."""
    source.spend(place, count // 2)
    branches = [place.child(keyword, index) for index in range(count)]
    schemas = [(branch, source.schema(branch)[1]) for branch in branches]
    nulls = [branch for branch, schema in schemas if schema == {"type": "null"}]
    others = [branch for branch, schema in schemas if schema != {"type": "null"}]
    numbers = [branch for branch, schema in schemas if schema in _NUMBERS]
    kinds = [schema for _, schema in schemas if schema not in _NUMBERS and schema != {"type": "null"}]
    if numbers and all(schema == {"type": "string"} for schema in kinds):
        others = numbers  # pydantic writes a Decimal like this; most strings are not one
    if depth >= _FULL_DEPTH and nulls:
        return None
    value = value_of(source, source.random.choice(others or nulls), name, depth + 1)
    _, schema = source.schema(place)
    if isinstance(value, dict) and "properties" in schema:
        return {**_object(source, _ValueSpec(place, _parts(source, place, schema), name, depth)), **value}
    return value


def _parts(source: SampleSource, place: Place, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema's keywords together with those of the schemas that it extends; properties hold places."""
    parts = {key: value for key, value in schema.items() if key not in ("allOf", "$ref")}
    parts["properties"] = {key: place.child("properties", key) for key in schema.get("properties") or ()}
    source.spend(place, len(parts["properties"]) // _READ_AT_ONCE)
    parts["heads"], parts["items"], parts["closed"] = _items(place, schema)
    source.spend(place, len(parts["heads"]) // 2 + len(schema.get("allOf") or ()))
    extended = [place.child("allOf", index) for index in range(len(schema.get("allOf") or ()))]
    if "$ref" in schema:
        extended.append(source.follow(place))
    for other in extended:
        found, value = source.schema(other)
        if isinstance(value, dict):
            inherited = _parts(source, found, value)
            required = [*parts.get("required", ()), *inherited.get("required", ())]
            properties = {**inherited["properties"], **parts["properties"]}
            source.spend(place, (len(required) + len(properties)) // _READ_AT_ONCE)
            heads, items = parts["heads"] or inherited["heads"], parts["items"] or inherited["items"]
            arrays = {"heads": heads, "items": items, "closed": parts["closed"] or inherited["closed"]}
            parts = {**inherited, **parts, "required": required, "properties": properties, **arrays}
    return parts


def _items(place: Place, schema: Mapping[str, Any]) -> tuple[list[Place], Place | None, bool]:
    """Return the schemas of an array's first items, that of the rest, and whether there must be no rest.

    Up to draft 2019-09 a list of `items` are the first ones, and `additionalItems` is the rest.
    """
    first, rest = ("items", "additionalItems") if isinstance(schema.get("items"), list) else ("prefixItems", "items")
    heads = [place.child(first, index) for index in range(len(schema.get(first) or ()))]
    return heads, place.child(rest) if isinstance(schema.get(rest), dict) else None, schema.get(rest) is False


def _type(parts: Mapping[str, Any]) -> str:
    """Return the type to generate: the first that is not null, else the type that the keywords imply."""
    kinds = parts.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    for kind in kinds:
        if kind != "null":
            return str(kind)
    if kinds:
        return "null"
    return next((kind for kind, keys in _SIGNS.items() if any(parts.get(key) for key in keys)), "string")


def _object(source: SampleSource, spec: _ValueSpec) -> dict[str, JSON]:
    """Return an object with all required properties, and with optional ones above the full depth."""
    parts, deeper = spec.parts, spec.depth + 1
    required, value = dict.fromkeys(parts.get("required", ())), dict[str, JSON]()
    missing = int(parts.get("minProperties", 0)) - len(required)
    source.spend(spec.place, len(required) // _READ_AT_ONCE + max(0, missing - len(parts["properties"])))
    for key, where in parts["properties"].items():
        if key in required or (spec.depth < _FULL_DEPTH and _is_filled(source, where)):
            source.spend(spec.place, 0, len(key))
            value[key] = value_of(source, where, key, deeper)
    missing = int(parts.get("minProperties", 0)) - len({**required, **value})
    source.spend(spec.place, max(0, missing))
    for key in (*required, *(f"{source.strings.word()}{index}" for index in range(missing))):
        if key not in value:
            source.spend(spec.place, 1, len(key))
            typed = isinstance(parts.get("additionalProperties"), dict)
            extra = spec.place.child("additionalProperties")
            value[key] = value_of(source, extra, key, deeper) if typed else source.strings.word()
    return value


def _is_filled(source: SampleSource, place: Place) -> bool:
    """Return whether an optional property is filled: not if it is write-only, deprecated or forbidden."""
    _, schema = source.schema(place)
    return isinstance(schema, dict) and not (schema.get("writeOnly") or schema.get("deprecated"))


def _array(source: SampleSource, spec: _ValueSpec) -> JSON:
    parts, deeper = spec.parts, spec.depth + 1
    least = int(parts.get("minItems", 0))
    most = min(int(parts.get("maxItems", least + 2)), least + 2)
    count = least if spec.depth >= _FULL_DEPTH else source.random.randint(min(max(least, 1), most), max(most, least))
    heads = parts["heads"][: int(parts.get("maxItems", len(parts["heads"])))]
    source.spend(spec.place, len(heads) // _READ_AT_ONCE)
    count = min(count, len(heads)) if parts["closed"] else count
    values = [value_of(source, head, spec.name, deeper) for head in heads]
    while len(values) < count:
        source.spend(spec.place)
        inner, name = parts["items"], spec.name.removesuffix("s")
        values.append(value_of(source, inner, name, deeper) if inner else source.strings.word())
    return values


def _integer(source: SampleSource, spec: _ValueSpec) -> JSON:
    parts = spec.parts
    low, high = _bounds(parts, 0, 1000)
    step = int(parts.get("multipleOf", 1)) or 1
    low = low + 1 if low == parts.get("exclusiveMinimum") else low
    high = high - 1 if high == parts.get("exclusiveMaximum") else high
    first, last = -(-low // step), high // step
    value = source.random.randint(int(first), max(int(first), int(last))) * step
    return source.given(spec.place, int(value))


def _number(source: SampleSource, spec: _ValueSpec) -> JSON:
    low, high = _bounds(spec.parts, 0, 1)
    if "multipleOf" in spec.parts:
        step = spec.parts["multipleOf"]
        return float(source.random.randint(int(-(-low // step)), int(high // step)) * step)
    return round(low + (high - low) * source.random.uniform(0.05, 0.95), 4)  # type: ignore[no-any-return]


def _bounds(parts: Mapping[str, Any], low: Any, width: Any) -> tuple[Any, Any]:
    lows = [parts[key] for key in ("minimum", "exclusiveMinimum") if key in parts]
    highs = [parts[key] for key in ("maximum", "exclusiveMaximum") if key in parts]
    low = max(lows) if lows else min(low, min(highs) - width) if highs else low
    return low, min(highs) if highs else low + width


def _string(source: SampleSource, spec: _ValueSpec) -> JSON:
    parts = spec.parts
    if "contentSchema" in parts:
        inside = value_of(source, spec.place.child("contentSchema"), spec.name, spec.depth + 1)
        return str(source.given(spec.place, json.dumps(inside)))
    if "pattern" in parts:
        return str(source.given(spec.place, string_matching(str(parts["pattern"]), source.random, source.budget)))
    text = source.constant(spec) or source.strings.string_for(str(parts.get("format", "")), spec.name)
    source.spend(spec.place, 0, len(text))
    least, most = int(parts.get("minLength", 0)), parts.get("maxLength")
    source.spend(spec.place, least // 1_000, least)
    while len(text) < least:
        text += " " + source.strings.sentence()
    return text if most is None else text[: int(most)]


#: The type that keywords imply in a schema without `type`.
_SIGNS: Mapping[str, tuple[str, ...]] = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "heads", "minItems"),
    "number": ("minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"),
}

_MAKERS: Mapping[str, Callable[[SampleSource, _ValueSpec], JSON]] = {
    "object": _object,
    "array": _array,
    "integer": _integer,
    "number": _number,
    "boolean": lambda source, _: source.random.random() < 0.5,
    "null": lambda *_: None,
    "string": _string,
}
