"""Random JSON Schemas as a hostile client sends them: nested, recursive, contradictory, wrong, or with huge bounds."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any, TypeAlias

_SMALL = (0, 1, 2, 3, 7, 50)
_ODD = (400, 3_000, 10**5, 10**9, 2**63, -1, 0.5, 1e-300, 1e300, -(10**12))
_FORMATS = ("uuid", "date-time", "email", "uri", "ipv6", "regex", "hostname", "json-pointer", "duration", "x")
_PATTERNS = (
    "^(a+)+$",
    "(a|a|aa)+(?=b)c",
    "[a-z]{9000}",
    r"\p{L}{1,99}",
    r"(\w{1,50}){1,50}",
    "((a{0,99}){0,99}){0,99}",
    r"^(?=.*\d)(?!.*[aeiou]).{8,}$",
    r"(.)\1{20}",
    "(",
    "[^\\s\\S]",
    "(?<=x)y",
    r"^\u{1F600}?$",
    "a{2,1}",
    ".{100000}",
    "(" * 50 + ")" * 50,
    "(|a|(|b|(|c))){30}",
)
_ATOMS = ("a", ".", r"\d", r"\w", "[^x]", r"\p{Greek}", "(?:ab|cd|)", "^", "$", r"\b", "(?=a)", "(?!b)", "é")
_REPEATS = ("", "", "", "*", "+", "?", "{3}", "{0,99}", "{500}", "*?", "{2,}")
_REFERENCES = ("#", *(f"#/$defs/d{number}" for number in range(3)))
_BAD_REFERENCES = ("#/properties/p0", "#/$defs/none", "#name", "http://x/y")


def random_schema(chance: random.Random) -> Any:
    """Return a schema; one in ten is nested a hundred deep or more, one in ten repeats a part many times."""
    schema = _schema(chance, chance.randint(1, 5))
    if chance.random() < 0.1:
        keyword = chance.choice(("items", "not", "additionalProperties", "allOf", "anyOf", "unevaluatedProperties"))
        for _ in range(chance.choice((20, 100, 120, 250))):
            schema = {keyword: [schema, {}] if keyword.endswith("Of") else schema}
    if chance.random() < 0.1:
        part = _schema(chance, 2)
        times = max(1, min(chance.choice((50, 400, 3_000)), 60_000 // len(json.dumps(part))))
        schema = {chance.choice(("allOf", "anyOf", "oneOf", "prefixItems")): [part] * times}
    if isinstance(schema, dict):
        schema["$defs"] = {f"d{number}": _schema(chance, 2) for number in range(3)}
    return schema


def random_pattern(chance: random.Random) -> str:
    """Return a regular expression, or something like one."""
    if chance.random() < 0.2:
        return chance.choice(_PATTERNS)
    parts = [chance.choice(_ATOMS) + chance.choice(_REPEATS) for _ in range(chance.randint(1, 6))]
    return f"({''.join(parts)}){chance.choice(_REPEATS)}"


def _schema(chance: random.Random, depth: int) -> Any:
    if depth <= 0:
        return chance.choice(({}, True, {"type": "string"}, {"type": "null"}, {"$ref": _reference(chance)}))
    kind = chance.choice(tuple(_KEYWORDS))
    schema: dict[str, Any] = {"type": kind} if chance.random() < 0.9 else {}
    for _ in range(chance.randint(0, 2)):
        schema.update(chance.choice(_KEYWORDS[kind])(chance, depth - 1))
    if chance.random() < 0.15:
        schema.update(chance.choice(_FOR_ALL)(chance, depth - 1))
    if schema and chance.random() < 0.01:
        schema[chance.choice(list(schema))] = chance.choice((None, -1, "x", [], {}, [[]], {"a": {}}))
    return schema


def _reference(chance: random.Random) -> str:
    return chance.choice(_REFERENCES if chance.random() < 0.97 else _BAD_REFERENCES)


def _bound(chance: random.Random) -> Any:
    return chance.choice(_SMALL if chance.random() < 0.9 else _ODD)


def _bounds(*names: str) -> _Keyword:
    """Return what makes a bound of one of these names."""
    return lambda chance, _: {chance.choice(names): _bound(chance)}


def _one(*names: str) -> _Keyword:
    """Return what makes a keyword of one of these names that holds a schema."""
    return lambda chance, depth: {chance.choice(names): _schema(chance, depth)}


def _several(*names: str) -> _Keyword:
    """Return what makes a keyword of one of these names that holds a list of schemas."""
    return lambda chance, depth: {chance.choice(names): [_schema(chance, depth) for _ in range(chance.randint(1, 4))]}


def _properties(chance: random.Random, depth: int) -> dict[str, Any]:
    names = [f"p{number}" for number in range(chance.choice((1, 2, 5, 40)))]
    properties = dict.fromkeys(names, _schema(chance, depth)) | {"own": _schema(chance, depth)}
    return {"properties": properties, "required": chance.sample(names, len(names) // 2 + 1)}


def _by_pattern(chance: random.Random, depth: int) -> dict[str, Any]:
    return {"patternProperties": {random_pattern(chance): _schema(chance, depth)}}


def _values(chance: random.Random, _: int) -> dict[str, Any]:
    value: Any = chance.choice((None, 7, [None] * 900, "x" * 9_000, [[]] * 500, {"p0": 1}))
    return chance.choice(({"const": value}, {"default": value}, {"examples": [value] * 3}, {"enum": [value, 1]}))


_Keyword: TypeAlias = Callable[[random.Random, int], dict[str, Any]]
#: What makes the keywords of each type, and those that suit every type.
_KEYWORDS: dict[str, tuple[_Keyword, ...]] = {
    "string": (
        lambda chance, _: {"pattern": random_pattern(chance)},
        lambda chance, _: {"format": chance.choice(_FORMATS)},
        _bounds("minLength"),
        _bounds("maxLength"),
    ),
    "integer": (_bounds("minimum", "exclusiveMinimum"), _bounds("multipleOf")),
    "number": (_bounds("maximum", "exclusiveMaximum"), _bounds("minimum"), _bounds("multipleOf")),
    "boolean": (_values,),
    "null": (_values,),
    "array": (
        _one("items"),
        _bounds("minItems"),
        _bounds("maxItems"),
        _several("prefixItems", "items"),
        _one("contains", "unevaluatedItems"),
        lambda chance, _: {"uniqueItems": True, "minItems": _bound(chance)},
    ),
    "object": (
        _properties,
        _properties,
        _by_pattern,
        _bounds("minProperties"),
        _one("additionalProperties", "unevaluatedProperties", "propertyNames"),
    ),
}
_FOR_ALL: tuple[_Keyword, ...] = (
    _values,
    _several("allOf", "anyOf", "oneOf"),
    _one("not", "if", "then", "else"),
    lambda chance, _: {"$ref": _reference(chance)},
)
