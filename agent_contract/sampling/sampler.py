"""Makes values of schemas: the same seed, the same value. Faker is imported when the first of a contract is made."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from agent_contract.contract import Contract
from agent_contract.document.json_pointer import Place, parse
from agent_contract.messages import JSON
from agent_contract.sampling.regex import text_of_pattern

#: How deep a value is filled with what it may have; below that it gets only what it must have.
_FULL_DEPTH = 4
#: How deep it may get at all: a schema that requires itself has no finite value.
_MOST_DEPTH = 60
#: How many values it may have inside: a schema can ask for more than a machine holds.
_MOST_VALUES = 100_000
#: So many characters of a text that must be long count as one more value.
_CHARACTERS = 100
TRIES = 20
_NUMBERS = ({"type": "number"}, {"type": "integer"})


class SampleError(ValueError):
    """No value of a schema was found: it contradicts itself, requires itself, or is beyond this generator."""


class Texts(Protocol):
    """Where the words in a value are from."""

    def word(self) -> str:
        """Return a word."""

    def sentence(self) -> str:
        """Return a sentence."""

    def fitting(self, format: str, name: str) -> str:
        """Return a text of a JSON Schema `format`, else one for a property of that `name`, else any."""


@dataclass(slots=True)
class Source:
    """What values are made from: schemas by their place, chance, words; and how many values may still be made.

    `at` returns the schema at a place, `follow` the place that the references there lead to.
    """

    at: Callable[[Place], JSON]
    follow: Callable[[Place], Place]
    random: random.Random
    texts: Texts
    left: int = _MOST_VALUES

    def schema(self, place: Place) -> tuple[Place, Any]:
        """Return the schema of a place, in 2020-12 words, references followed where nothing stands beside them."""
        value: Any = self.at(place)
        if isinstance(value, dict) and isinstance(value.get("$ref"), str) and len(value) == 1:
            place = self.follow(place)
            value = self.at(place)
        return place, value

    def spend(self, place: Place, values: int = 1) -> None:
        """Count values that are made; SampleError when they are too many."""
        self.left -= values
        if self.left < 0:
            raise SampleError(f"{place}: the schema asks for more values than are made; let it ask for fewer")


@dataclass(frozen=True, slots=True)
class _Want:
    """What is to be made: the keywords of a schema, where it stands, the property it is for, and how deep that is."""

    place: Place
    parts: Mapping[str, Any]
    name: str
    depth: int


def sample(contract: Contract, pointer: str, seed: int = 0) -> JSON:
    """Return a value of the schema that a pointer names; SampleError when none is found.

    The value is checked against the schema before it is returned. It is decided by the document and the seed.
    """
    from agent_contract.sampling.faker_texts import faked_texts

    place = parse(pointer)
    schemas = contract.schemas
    validator = schemas.compiled(place, "reply")
    for attempt in range(TRIES):
        number = seed * TRIES + attempt
        texts = faked_texts(number)
        source = Source(lambda at: schemas.at(at, "reply"), schemas.document.follow, random.Random(number), texts)
        value = value_of(source, place)
        if validator.is_valid(value):
            return value
    raise SampleError(f"{pointer}: no value was found in {TRIES} tries; give the schema an example")


def value_of(source: Source, place: Place, name: str = "", depth: int = 0) -> JSON:
    """Return a value of a schema, not checked against it; SampleError where it has none, or none that is finite.

    `name` is the property that it is for, which says much about a text; `depth` is how deep it stands.
    """
    if depth > _MOST_DEPTH:
        raise SampleError(f"{place}: the schema requires itself; let one of its parts be optional")
    source.spend(place)
    place, schema = source.schema(place)
    if not isinstance(schema, dict):
        return None
    if "const" in schema:
        return schema["const"]  # type: ignore[no-any-return]
    if schema.get("enum"):
        return source.random.choice(schema["enum"])  # type: ignore[no-any-return]
    known = [schema[key] for key in ("example", "default") if key in schema] + list(schema.get("examples") or ())
    if known and "properties" not in schema:
        return source.random.choice(known)  # type: ignore[no-any-return]
    for keyword in ("oneOf", "anyOf"):
        if schema.get(keyword):
            return _choice(source, place, keyword, len(schema[keyword]), name, depth)
    parts = _parts(source, place, schema)
    return _MAKERS[_type(parts)](source, _Want(place, parts, name, depth))


def _choice(source: Source, place: Place, keyword: str, count: int, name: str, depth: int) -> JSON:
    """Return a value of one branch, with what the schema asks for beside it; null last, and deep down first."""
    branches = [place.child(keyword, index) for index in range(count)]
    nulls = [branch for branch in branches if source.schema(branch)[1] == {"type": "null"}]
    others = [branch for branch in branches if branch not in nulls]
    numbers = [branch for branch in others if source.schema(branch)[1] in _NUMBERS]
    if numbers and all(branch in numbers or source.schema(branch)[1] == {"type": "string"} for branch in others):
        others = numbers  # pydantic writes a Decimal so, which is not any text
    if depth >= _FULL_DEPTH and nulls:
        return None
    value = value_of(source, source.random.choice(others or nulls), name, depth + 1)
    _, schema = source.schema(place)
    if isinstance(value, dict) and "properties" in schema:
        return {**_object(source, _Want(place, _parts(source, place, schema), name, depth)), **value}
    return value


def _parts(source: Source, place: Place, schema: Mapping[str, Any]) -> dict[str, Any]:
    """Return a schema's keywords together with those of the schemas that it extends; properties hold places."""
    parts = {key: value for key, value in schema.items() if key not in ("allOf", "$ref")}
    parts["properties"] = {key: place.child("properties", key) for key in schema.get("properties") or ()}
    parts["items"] = place.child("items") if isinstance(schema.get("items"), dict) else None
    extended = [place.child("allOf", index) for index in range(len(schema.get("allOf") or ()))]
    if "$ref" in schema:
        extended.append(source.follow(place))
    for other in extended:
        found, value = source.schema(other)
        if isinstance(value, dict):
            inherited = _parts(source, found, value)
            required = [*parts.get("required", ()), *inherited.get("required", ())]
            properties = {**inherited["properties"], **parts["properties"]}
            items = parts["items"] or inherited["items"]
            parts = {**inherited, **parts, "required": required, "properties": properties, "items": items}
    return parts


def _type(parts: Mapping[str, Any]) -> str:
    """Return the type to make: the first that is not null, else what the keywords speak of."""
    kinds = parts.get("type", [])
    kinds = [kinds] if isinstance(kinds, str) else kinds
    for kind in kinds:
        if kind != "null":
            return str(kind)
    if kinds:
        return "null"
    return next((kind for kind, keys in _SIGNS.items() if any(parts.get(key) for key in keys)), "string")


def _object(source: Source, want: _Want) -> dict[str, JSON]:
    """Return an object with all that it must have, and as long as it isn't deep inside with what it may have."""
    parts, deeper = want.parts, want.depth + 1
    required, value = list(dict.fromkeys(parts.get("required", ()))), dict[str, JSON]()
    for key, where in parts["properties"].items():
        if key in required or (want.depth < _FULL_DEPTH and _wanted(source, where)):
            value[key] = value_of(source, where, key, deeper)
    missing = int(parts.get("minProperties", 0)) - len({*required, *value})
    source.spend(want.place, max(0, missing))
    for key in (*required, *(f"{source.texts.word()}{index}" for index in range(missing))):
        if key not in value:
            typed = isinstance(parts.get("additionalProperties"), dict)
            extra = want.place.child("additionalProperties")
            value[key] = value_of(source, extra, key, deeper) if typed else source.texts.word()
    return value


def _wanted(source: Source, place: Place) -> bool:
    """Return whether an optional property is filled: not where it is only written, out of date, or forbidden."""
    _, schema = source.schema(place)
    return isinstance(schema, dict) and not (schema.get("writeOnly") or schema.get("deprecated"))


def _array(source: Source, want: _Want) -> JSON:
    parts, deeper = want.parts, want.depth + 1
    least = int(parts.get("minItems", 0))
    most = min(int(parts.get("maxItems", least + 2)), least + 2)
    count = least if want.depth >= _FULL_DEPTH else source.random.randint(min(max(least, 1), most), max(most, least))
    heads = [want.place.child("prefixItems", index) for index in range(len(parts.get("prefixItems") or ()))]
    values = [value_of(source, head, want.name, deeper) for head in heads]
    while len(values) < count:
        source.spend(want.place)
        inner, name = parts["items"], want.name.removesuffix("s")
        values.append(value_of(source, inner, name, deeper) if inner else source.texts.word())
    return values


def _integer(source: Source, want: _Want) -> JSON:
    parts = want.parts
    low, high = _bounds(parts, 0, 1000)
    step = int(parts.get("multipleOf", 1)) or 1
    low = low + 1 if low == parts.get("exclusiveMinimum") else low
    high = high - 1 if high == parts.get("exclusiveMaximum") else high
    first, last = -(-low // step), high // step
    return int(source.random.randint(int(first), max(int(first), int(last))) * step)


def _number(source: Source, want: _Want) -> JSON:
    low, high = _bounds(want.parts, 0, 1)
    if "multipleOf" in want.parts:
        step = want.parts["multipleOf"]
        return float(source.random.randint(int(-(-low // step)), int(high // step)) * step)
    return round(low + (high - low) * source.random.uniform(0.05, 0.95), 4)  # type: ignore[no-any-return]


def _bounds(parts: Mapping[str, Any], low: Any, width: Any) -> tuple[Any, Any]:
    lows = [parts[key] for key in ("minimum", "exclusiveMinimum") if key in parts]
    highs = [parts[key] for key in ("maximum", "exclusiveMaximum") if key in parts]
    low = max(lows) if lows else min(low, min(highs) - width) if highs else low
    return low, min(highs) if highs else low + width


def _string(source: Source, want: _Want) -> JSON:
    parts = want.parts
    if "contentSchema" in parts:
        return json.dumps(value_of(source, want.place.child("contentSchema"), want.name, want.depth + 1))
    if "pattern" in parts:
        return text_of_pattern(str(parts["pattern"]), source.random)
    text = source.texts.fitting(str(parts.get("format", "")), want.name)
    least, most = int(parts.get("minLength", 0)), parts.get("maxLength")
    source.spend(want.place, least // _CHARACTERS)
    while len(text) < least:
        text += " " + source.texts.sentence()
    return text if most is None else text[: int(most)]


#: What a schema without a type speaks of, by its keywords.
_SIGNS: Mapping[str, tuple[str, ...]] = {
    "object": ("properties", "required", "additionalProperties"),
    "array": ("items", "minItems", "prefixItems"),
    "number": ("minimum", "maximum", "multipleOf", "exclusiveMinimum", "exclusiveMaximum"),
}

_MAKERS: Mapping[str, Callable[[Source, _Want], JSON]] = {
    "object": _object,
    "array": _array,
    "integer": _integer,
    "number": _number,
    "boolean": lambda source, _: source.random.random() < 0.5,
    "null": lambda *_: None,
    "string": _string,
}
