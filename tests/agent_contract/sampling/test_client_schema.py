"""Schemas that a client sends: values that they accept, or a clear refusal, and never more work than is stated."""

from __future__ import annotations

import json
import random
import time
from typing import Any

import pytest

from agent_contract import SampleError, SchemaRefused, read_schema
from mockserver.generation.answer_strings import AnswerStrings


def strings(chance: random.Random) -> AnswerStrings:
    return AnswerStrings(chance, "What is the weather in Paris?")


def wide(depth: int) -> dict[str, Any]:
    """Return a schema that judges one value two to the power of `depth` times."""
    both = {f"d{level}": {"allOf": [{"$ref": f"#/$defs/d{level + 1}"}] * 2} for level in range(depth)}
    return {"$ref": "#/$defs/d0", "$defs": {**both, f"d{depth}": {"type": "object"}}}


def nested(depth: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(depth):
        schema = {"type": "array", "items": schema}
    return schema


def widening_by_depth(depth: int) -> dict[str, Any]:
    """Return a schema that judges the value at each depth twice as often as the one above it."""
    inner = {f"d{level}": {"properties": {"x": {"$ref": f"#/$defs/d{level + 1}"}}} for level in range(depth)}
    both = {name: {"allOf": [one, one]} for name, one in inner.items()}
    return {"$ref": "#/$defs/d0", "$defs": {**both, f"d{depth}": {"type": "object"}}}


def unevaluated(depth: int) -> dict[str, Any]:
    """Return a schema that takes the validator a minute for one small object."""
    schema: dict[str, Any] = {}
    for level in range(depth):
        schema = {"allOf": [schema, {"properties": {f"p{level}": {}}}], "unevaluatedProperties": {"type": "integer"}}
    return schema


NODE = {
    "type": "object",
    "required": ["name", "children"],
    "properties": {
        "name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#/$defs/Node"}},
    },
}


#: A tuple as drafts up to 2019-09 write it.
PAIR = {
    "type": "array",
    "items": [{"type": "string"}, {"$ref": "#/$defs/count"}],
    "additionalItems": False,
    "minItems": 2,
    "$defs": {"count": {"type": "integer"}},
}
FORMATS = ("uuid", "date-time", "date", "time", "duration", "email", "uri", "uri-reference", "iri", "hostname", "regex")


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {}},
        {"type": "object", "properties": {"a": {"enum": ["x", 1, None]}, "b": {"const": {"c": []}}}, "required": ["a"]},
        {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer", "minimum": 5, "maximum": 5}}},
        {"type": "object", "required": ["x"], "properties": {"x": {"type": "number", "exclusiveMinimum": 1e15}}},
        {"type": "string", "minLength": 300, "maxLength": 301},
        {"type": "string", "pattern": r"^[A-Z]{3}-\d{4}$"},
        {"type": "string", "pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"},
        {"type": "array", "items": {"type": "boolean"}, "minItems": 30},
        {"type": "array", "items": {"enum": ["a", "b", "c"]}, "uniqueItems": True, "minItems": 2},
        {"anyOf": [{"type": "string"}, {"type": "null"}]},
        {"$ref": "#/$defs/Node", "$defs": {"Node": NODE}},
        {"allOf": [{"$ref": "#/definitions/A"}], "definitions": {"A": {"type": "object", "required": ["a"]}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "type": "object", "additionalProperties": False},
        {"$schema": "http://json-schema.org/draft-07/schema#", **PAIR},
        {**PAIR, "additionalItems": {"type": "boolean"}, "minItems": 4},
        {"type": "object", "properties": {"pair": {"allOf": [PAIR]}}, "required": ["pair"], "$defs": PAIR["$defs"]},
        {"prefixItems": [{"type": "string"}, {"type": "integer"}, {}], "items": False, "maxItems": 2},
        {"type": "object", "properties": {"$ref": {"type": "string"}}, "required": ["$ref"]},
        *({"type": "string", "format": name} for name in (*FORMATS, "ipv4", "ipv6", "json-pointer")),
    ],
    ids=json.dumps,
)
def test_a_value_is_accepted_by_its_schema(schema: Any) -> None:
    read = read_schema(schema)
    values = [read.sample(seed, strings) for seed in range(20)]
    assert all(read.validator.is_valid(value) for value in values)
    assert values[:3] == [read.sample(seed, strings) for seed in range(3)]


@pytest.mark.parametrize(
    ("schema", "says"),
    [
        ({"type": "banana"}, "banana"),
        ({"minimum": "one"}, "one"),
        ({"$ref": "http://127.0.0.1:9/schema"}, "not a pointer"),
        ({"$ref": "file:///etc/passwd"}, "not a pointer"),
        ({"$ref": "other.json#/a"}, "not a pointer"),
        ({"$ref": "#name"}, "not a pointer"),
        ({"$dynamicRef": "#name"}, "not a pointer"),
        ({"$ref": "#/$defs/none"}, "none"),
        ({"pattern": "("}, "not a regular expression"),
        ({"pattern": "(a{1000}){1000}"}, "1048576 bytes"),
        ({"patternProperties": {"(a{1000}){1000}": {}}}, "1048576 bytes"),
        ({"anyOf": [{"pattern": f"\\p{{L}}{{1,9}}{n}"} for n in range(250)]}, "4194304 bytes of compiled"),
        (wide(30), "20000 schemas"),
        ({"allOf": [{}] * 3_000}, "2000 times"),
        (widening_by_depth(26), "20000 schemas"),
        (unevaluated(20), "2000 times"),
        (nested(900), ""),
        ({"pattern": "(" * 20 + "a" + "{2,3})" * 20}, ""),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_a_schema_that_can_not_be_used_is_refused_with_the_reason(schema: Any, says: str) -> None:
    with pytest.raises(SchemaRefused) as caught:
        read_schema(schema)
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "schema",
    [
        {"not": {}},
        {"type": "integer", "minimum": 2, "maximum": 1},
        {"type": "string", "minLength": 10**9},
        {"type": "array", "minItems": 10**9, "items": {"type": "string"}},
        {"type": "object", "minProperties": 10**9},
        {"type": "array", "minItems": 50, "items": {"type": "string", "pattern": "^[a-z]{9000}$"}},
        {"type": "array", "minItems": 500, "items": {"const": "x" * 10_000}},
        {"enum": [{"a": [[]] * 30_000}], "not": {}},
        {"type": "array", "items": {"type": "integer", "minimum": 10**4000}, "minItems": 900},
        {"anyOf": [{"type": "object", "required": ["a"], "not": {"properties": {"b": {}}}}] * 600},
        {"type": "object", "required": ["me"], "properties": {"me": {"$ref": "#"}}},
        {"$ref": "#"},
        {"allOf": [{"$ref": "#"}], "type": "string", "minLength": 3, "maxLength": 1},
        {"properties": {f"p{n}": {"$ref": "#"} for n in range(100)}, "required": [f"p{n}" for n in range(100)]},
    ],
    ids=lambda value: json.dumps(value)[:60],
)
def test_the_search_for_a_value_ends_soon(schema: Any) -> None:
    read = read_schema(schema)
    begun = time.perf_counter()
    with pytest.raises(SampleError):
        read.sample(0, strings)
    assert time.perf_counter() - begun < 2


@pytest.mark.parametrize(
    ("inner", "bound"),
    [
        ({"type": "integer", "minimum": 10**4000}, "1048576 characters of generated values"),
        ({"const": "x" * 10_000}, "1048576 characters of generated values"),
        ({"type": "string", "pattern": "^[a-z]{9000}$"}, "20000 steps of work"),
        ({"type": "array", "minItems": 10**9}, "20000 steps of work"),
    ],
    ids=lambda value: json.dumps(value)[:40],
)
def test_an_exceeded_bound_is_named_with_the_place_of_the_schema(inner: Any, bound: str) -> None:
    schema: Any = {"type": "array", "minItems": 900, "items": inner}
    with pytest.raises(SampleError) as caught:
        read_schema(schema).sample(0, strings)
    assert str(caught.value).startswith("#/items: it exceeds a bound")
    assert bound in str(caught.value)


def test_a_schema_that_refers_to_itself_from_all_its_properties_stays_small() -> None:
    schema: Any = {"type": "object", "properties": {f"p{n}": {"$ref": "#"} for n in range(3)}}
    assert len(json.dumps(read_schema(schema).sample(1, strings))) < 100_000


def test_a_number_is_preferred_to_a_string_if_both_are_valid() -> None:
    read = read_schema({"anyOf": [{"type": "string"}, {"type": "number"}, {"type": "null"}]})
    assert {type(read.sample(seed, strings)) for seed in range(20)} == {float}


def test_free_strings_repeat_what_the_user_wrote() -> None:
    schema: Any = {"type": "object", "properties": {name: {"type": "string"} for name in ("query", "city")}}
    schema["required"] = ["query", "city"]
    assert read_schema(schema).sample(0, strings) == {"query": "What is the weather in Paris?", "city": "Paris"}


def test_the_formats_of_a_schema_are_checked() -> None:
    validator = read_schema({"type": "string", "format": "date"}).validator
    assert validator.is_valid("2026-11-25")
    assert not validator.is_valid("tomorrow")
