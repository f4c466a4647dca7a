"""Random JSON Schemas as a hostile client sends them: nested, recursive, contradictory, wrong, or with huge bounds."""

from __future__ import annotations

import json
import random
from typing import Any

_TYPES = ("string", "integer", "number", "boolean", "null", "array", "object")
_BOUNDS = (0, 1, 2, 3, 7, 50, 400, 3_000, 10**5, 10**9, 2**63, -1, 0.5, 1e-300, 1e300, -(10**12))
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
        for _ in range(chance.choice((100, 120, 250))):
            schema = {keyword: [schema, {}] if keyword.endswith("Of") else schema}
    if chance.random() < 0.1:
        part = _schema(chance, 2)
        times = max(1, min(chance.choice((50, 400, 3_000)), 60_000 // len(json.dumps(part))))
        schema = {chance.choice(("allOf", "anyOf", "oneOf", "prefixItems")): [part] * times}
    if isinstance(schema, dict):
        schema["$defs"] = {f"d{number}": _schema(chance, 3) for number in range(3)}
    return schema


def random_pattern(chance: random.Random) -> str:
    """Return a regular expression, or something like one."""
    if chance.random() < 0.3:
        return chance.choice(_PATTERNS)
    parts = [chance.choice(_ATOMS) + chance.choice(_REPEATS) for _ in range(chance.randint(1, 6))]
    return f"({''.join(parts)}){chance.choice(_REPEATS)}"


def _reference(chance: random.Random) -> str:
    return chance.choice(_REFERENCES if chance.random() < 0.97 else _BAD_REFERENCES)


def _schema(chance: random.Random, depth: int) -> Any:
    if depth <= 0 or chance.random() < 0.03:
        return chance.choice(({}, True, {"type": chance.choice(_TYPES)}, {"$ref": _reference(chance)}))
    schema: dict[str, Any] = {}
    if chance.random() < 0.8:
        schema["type"] = chance.choice(_TYPES)
    for _ in range(chance.randint(1, 4)):
        schema.update(_keyword(chance, depth - 1))
    if chance.random() < 0.01:
        schema[chance.choice(list(schema))] = chance.choice((None, -1, "x", [], {}, [[]], {"a": {}}))
    return schema


def _keyword(chance: random.Random, depth: int) -> dict[str, Any]:
    """Return one keyword, or a few that belong together."""

    def one() -> Any:
        return _schema(chance, depth)

    def several() -> list[Any]:
        return [one() for _ in range(chance.randint(1, 4))]

    def bound() -> Any:
        return chance.choice(_BOUNDS)

    kind = chance.randrange(16)
    if kind == 0:
        return {"pattern": random_pattern(chance)}
    if kind == 1:
        return {chance.choice(("minLength", "maxLength", "minItems", "maxItems", "minProperties")): bound()}
    if kind == 2:
        return {chance.choice(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf")): bound()}
    if kind == 3:
        return {
            "enum": [chance.choice((None, 1, "a", [1], {"a": 1}, 1e300)) for _ in range(chance.choice((1, 3, 900)))]
        }
    if kind == 4:
        return {chance.choice(("const", "default", "example")): chance.choice((None, 7, "x" * 9_000, [[]] * 500))}
    if kind == 5:
        return {"format": chance.choice(_FORMATS)}
    if kind in (6, 7):
        names = [f"p{number}" for number in range(chance.choice((1, 2, 5, 40)))]
        shared = one()
        return {"properties": dict.fromkeys(names, shared), "required": chance.sample(names, len(names) // 2 + 1)}
    if kind in (8, 9):
        return {"items": one(), "minItems": chance.choice((0, 1, 3, 60))}
    if kind == 10:
        return {"items": several() if chance.random() < 0.3 else one(), "uniqueItems": True, "minItems": bound()}
    if kind == 11:
        return {chance.choice(("allOf", "anyOf", "oneOf", "prefixItems")): several()}
    if kind == 12:
        return {chance.choice(("not", "if", "then", "else", "contains", "propertyNames")): one()}
    if kind == 13:
        return {"$ref": _reference(chance)}
    if kind == 14:
        return {"patternProperties": {random_pattern(chance): one()}, "additionalProperties": one()}
    return {chance.choice(("unevaluatedProperties", "unevaluatedItems", "additionalProperties", "items")): one()}
