"""Schemas whose parts constrain each other: each has a value, and the sampler finds one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_contract import SampleError, sample
from agent_contract.document.json_pointer import parse
from tests.agent_contract.support.documents import compiled, with_schema

POINTER = "#/components/schemas/It"
REF = {"$ref": "#/components/schemas/Other"}

#: The case -> the schema, and the schema "Other" that it may refer to.
SCHEMAS: dict[str, tuple[Any, Any]] = {
    "allOf narrows an enumeration": ({"allOf": [{"enum": ["a", "b"]}, {"enum": ["b", "c"]}]}, {}),
    "allOf adds a constant": ({"allOf": [{"type": "string"}, {"const": "x"}]}, {}),
    "allOf adds a choice": (
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "integer"}},
            "allOf": [{"oneOf": [{"required": ["b"]}, {"required": ["c"]}]}],
        },
        {},
    ),
    "anyOf inside allOf with an empty default": (
        {
            "allOf": [
                {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]},
                {"anyOf": [REF]},
            ],
            "default": {},
        },
        {"type": "object", "required": ["k"], "properties": {"k": {"type": "string"}}},
    ),
    "an enumeration through a reference with siblings": (
        {**REF, "enum": ["b"], "description": "narrower"},
        {"type": "string", "enum": ["a", "b"]},
    ),
    "a reference with a default of another type": ({**REF, "default": 7}, {"type": "string", "minLength": 3}),
    "a constant tells the branches apart": (
        {
            "type": "object",
            "required": ["kind"],
            "properties": {"kind": {"const": "dog"}},
            "oneOf": [
                {"required": ["meow"], "properties": {"kind": {"const": "cat"}, "meow": {"type": "boolean"}}},
                {"required": ["bark"], "properties": {"kind": {"const": "dog"}, "bark": {"type": "boolean"}}},
            ],
        },
        {},
    ),
    "branches overlap": ({"oneOf": [{"type": "integer"}, {"type": "number"}, {"type": "integer", "minimum": 0}]}, {}),
    "branches of objects overlap": (
        {
            "oneOf": [
                {"type": "object", "properties": {"a": {"type": "string"}}},
                {"type": "object", "required": ["b"], "properties": {"b": {"type": "string"}}},
            ]
        },
        {},
    ),
    "a property's example is null": (
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "string", "example": None}}},
        {},
    ),
    "a property's example has another type": (
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "object", "example": "text"}}},
        {},
    ),
    "a default does not fit": ({"type": "integer", "minimum": 5, "default": 1}, {}),
    "an example breaks a format": ({"type": "string", "format": "date-time", "example": "yesterday"}, {}),
    "a pattern is longer than usual": ({"type": "string", "pattern": "^[a-z]+$", "minLength": 30}, {}),
    "a pattern is shorter than usual": ({"type": "string", "pattern": "^[a-z]*$", "maxLength": 1}, {}),
    "a pattern has a group of fixed length": (
        {"type": "string", "pattern": "^(ab)+$", "minLength": 8, "maxLength": 9},
        {},
    ),
    "a pattern names a class of Unicode": ({"type": "string", "pattern": r"^[\p{L}\p{N} ]{3,5}$"}, {}),
    "a pattern names a group": ({"type": "string", "pattern": "^(?<year>[0-9]{4})-x$"}, {}),
    "a pattern looks ahead": (
        {"type": "string", "pattern": r"^(?=.*[a-z])(?=.*[A-Z])(?=.*\d).{8,}$", "maxLength": 12},
        {},
    ),
    "a pattern looks ahead and forbids": ({"type": "string", "pattern": "^(?!admin)[a-z]{5}$"}, {}),
    "two patterns": ({"allOf": [{"type": "string", "pattern": "^a"}, {"pattern": "^[a-c]{3}$"}]}, {}),
    "a format and a length": ({"type": "string", "format": "uri", "minLength": 60, "maxLength": 80}, {}),
    "a format and a pattern": ({"type": "string", "format": "uri", "pattern": "^https://"}, {}),
    "a format of an e-mail address and a short length": ({"type": "string", "format": "email", "maxLength": 20}, {}),
    "a condition is met": (
        {
            "type": "object",
            "required": ["country"],
            "properties": {"country": {"enum": ["US", "CA"]}},
            "if": {"properties": {"country": {"const": "US"}}},
            "then": {"required": ["zip"], "properties": {"zip": {"type": "string", "pattern": "^[0-9]{5}$"}}},
            "else": {"required": ["postcode"]},
        },
        {},
    ),
    "a condition has only an else": (
        {"type": "integer", "if": {"minimum": 10}, "else": {"multipleOf": 3}, "maximum": 20, "minimum": 1},
        {},
    ),
    "a property requires another": (
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "string"}, "b": {"type": "integer"}},
            "dependentRequired": {"a": ["b"]},
        },
        {},
    ),
    "a property demands a schema": (
        {
            "type": "object",
            "required": ["a"],
            "properties": {"a": {"type": "string"}},
            "dependentSchemas": {"a": {"required": ["c"], "properties": {"c": {"const": 3}}}},
        },
        {},
    ),
    "an array contains a value": ({"type": "array", "items": {"type": "integer"}, "contains": {"const": 7}}, {}),
    "an array contains two values": (
        {"type": "array", "items": {"type": "integer"}, "contains": {"minimum": 100}, "minContains": 2},
        {},
    ),
    "items of an array differ": (
        {"type": "array", "items": {"enum": [1, 2, 3]}, "uniqueItems": True, "minItems": 3},
        {},
    ),
    "the first items have schemas": (
        {
            "type": "array",
            "prefixItems": [{"const": "a"}, {"type": "integer"}],
            "items": {"type": "boolean"},
            "minItems": 4,
        },
        {},
    ),
    "names follow a pattern": (
        {
            "type": "object",
            "patternProperties": {"^x-[a-z]+$": {"type": "integer"}},
            "additionalProperties": False,
            "minProperties": 2,
        },
        {},
    ),
    "names have a schema": (
        {
            "type": "object",
            "propertyNames": {"pattern": "^[A-Z]{3}$"},
            "additionalProperties": {"type": "number"},
            "minProperties": 2,
        },
        {},
    ),
    "no more properties than allowed": (
        {"type": "object", "maxProperties": 1, "properties": {name: {"type": "integer"} for name in "abc"}},
        {},
    ),
    "a closed object in allOf": (
        {
            "allOf": [REF, {"required": ["b"], "properties": {"b": {"type": "integer"}}}],
            "unevaluatedProperties": False,
        },
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "string"}}},
    ),
    "a property must be absent": (
        {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}},
            "not": {"required": ["a"]},
        },
        {},
    ),
    "two properties must not exist together": (
        {
            "type": "object",
            "properties": {"a": {"type": "string"}, "b": {"type": "string"}, "c": {"type": "string"}},
            "not": {"required": ["a", "b"]},
            "minProperties": 2,
        },
        {},
    ),
    "the example of an object is wrong deep inside": (
        {
            "type": "object",
            "required": ["a"],
            "properties": {
                "a": {"type": "array", "items": {"type": "object", "properties": {"b": {"type": "string"}}}}
            },
            "example": {"a": [{"b": None}]},
        },
        {},
    ),
    "branches deep inside differ by optional properties": (
        {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "array",
                "minItems": 1,
                "items": {
                    "type": "object",
                    "required": ["x"],
                    "properties": {
                        "x": {
                            "type": "array",
                            "minItems": 1,
                            "items": {
                                "oneOf": [
                                    {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "properties": {"a": {"type": "string"}},
                                    },
                                    {
                                        "type": "object",
                                        "additionalProperties": False,
                                        "properties": {"b": {"type": "string"}},
                                    },
                                ]
                            },
                        }
                    },
                },
            },
        },
        {},
    ),
    "optional properties make branches overlap": (
        {
            "type": "object",
            "required": ["t"],
            "properties": {"t": {"const": 1}, "a": {"type": "string"}, "b": {"type": "string"}},
            "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
        },
        {},
    ),
    "a value is excluded": ({"enum": ["a", "b"], "not": {"const": "a"}}, {}),
    "a type is excluded": ({"not": {"type": "string"}}, {}),
    "two steps": (
        {"type": "integer", "allOf": [{"multipleOf": 4}, {"multipleOf": 6}], "minimum": 1, "maximum": 13},
        {},
    ),
    "a step of an integer is a fraction": ({"type": "integer", "multipleOf": 0.5, "minimum": 3, "maximum": 3}, {}),
    "limits of several schemas": ({"allOf": [{"type": "integer", "minimum": 5}, {"maximum": 6}, {"minimum": 6}]}, {}),
    "an optional property that requires the object": (
        REF,
        {"type": "object", "properties": {"next": REF, "n": {"type": "integer"}}, "required": ["n"]},
    ),
    "a required property that may be null at last": (
        REF,
        {"type": "object", "properties": {"next": {"anyOf": [REF, {"type": "null"}]}}, "required": ["next"]},
    ),
    "a discriminator names the branch": (
        {
            "oneOf": [REF],
            "discriminator": {"propertyName": "type", "mapping": {"other": "#/components/schemas/Other"}},
        },
        {"type": "object", "required": ["type"], "properties": {"type": {"type": "string"}}},
    ),
}


@pytest.mark.parametrize("case", SCHEMAS)
def test_a_difficult_schema_has_a_value_under_every_seed(tmp_path: Path, case: str) -> None:
    schema, other = SCHEMAS[case]
    contract = compiled(tmp_path, with_schema({}, It=schema, Other=other))
    validator = contract.schemas.compiled(parse(POINTER), "reply")

    for seed in range(8):
        value = sample(contract, POINTER, seed)
        assert validator.is_valid(value), value
        assert value == sample(contract, POINTER, seed), "the same seed gives the same value"


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        ({"type": "integer", "minimum": 5, "maximum": 3}, "no number is both at least 5 and at most 3"),
        ({"type": "string", "minLength": 5, "maxLength": 3}, "minLength 5 is above maxLength 3"),
        ({"allOf": [{"type": "string"}, {"type": "integer"}]}, "its types exclude each other"),
        ({"allOf": [{"enum": [1]}, {"enum": [2]}]}, "its enumerations have no common value"),
        ({"type": "object", "required": ["a"], "additionalProperties": False}, "'a' is not allowed"),
        ({"type": "array", "items": {"const": 1}, "minItems": 2, "uniqueItems": True}, "too few different items"),
        ({"$ref": "#/components/schemas/Other"}, "requires itself"),
        ({"type": "string", "pattern": "^a$", "minLength": 2}, "no string of 2 to"),
        (False, "no value is allowed"),
    ],
    ids=str,
)
def test_a_schema_without_a_value_is_reported_with_the_reason(tmp_path: Path, schema: Any, reason: str) -> None:
    other = {"type": "object", "required": ["it"], "properties": {"it": {"$ref": "#/components/schemas/Other"}}}
    contract = compiled(tmp_path, with_schema({}, It=schema, Other=other))

    with pytest.raises(SampleError, match=reason):
        sample(contract, POINTER)


@pytest.mark.parametrize("narrowed", [{}, {"allOf": [{"minProperties": 1, "not": {"required": ["x"]}}]}])
def test_a_description_may_name_the_value_of_a_type(tmp_path: Path, narrowed: Any) -> None:
    properties = {
        "object": {"type": "string", "description": "The type of the object (`list`)."},
        "type": {"type": "string", "description": "`a` or `b`."},
        "note": {"type": "string", "description": "Such as `list`."},
    }
    schema = {"type": "object", "required": [*properties], "properties": properties, **narrowed}
    value: Any = sample(compiled(tmp_path, with_schema({}, It=schema)), POINTER)

    assert value["object"] == "list"
    assert value["type"] not in ("a", "b")
    assert value["note"] != "list"


def test_a_discriminators_value_names_the_branch(tmp_path: Path) -> None:
    schema, other = SCHEMAS["a discriminator names the branch"]
    schema = {"allOf": [schema, {"required": ["note"], "properties": {"note": {"const": json.dumps(1)}}}]}
    contract = compiled(tmp_path, with_schema({}, It=schema, Other=other))

    assert sample(contract, POINTER)["type"] == "other"  # type: ignore[index, call-overload]
