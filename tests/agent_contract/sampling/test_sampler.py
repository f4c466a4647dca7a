"""Values of schemas: always valid, decided by the seed, finite."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from agent_contract import SampleError, load_contract, sample
from agent_contract.document.json_pointer import parse
from tests.agent_contract.support.documents import compiled, with_schema

POINTER = "#/components/schemas/It"


@pytest.mark.parametrize(
    "schema",
    [
        True,
        {},
        {"type": "string", "minLength": 40, "maxLength": 41},
        {"type": "string", "pattern": r"^[a-f0-9]{8}-(?:x|y+)\d?[^a-z]\w\s.$"},
        {"type": "string", "pattern": "^(a|b)\\1$"},
        {"type": ["null", "integer"], "exclusiveMinimum": 5, "exclusiveMaximum": 7},
        {"type": "integer", "multipleOf": 7, "minimum": 100, "maximum": 110},
        {"type": "integer", "maximum": -5},
        {"type": "number", "minimum": -1, "exclusiveMaximum": 0},
        {"type": "number", "multipleOf": 0.5},
        {"type": "boolean"},
        {"type": "null"},
        {"type": "array", "minItems": 4, "maxItems": 5, "items": {"type": "integer"}},
        {"type": "array", "maxItems": 0, "items": {"type": "integer"}},
        {"type": "array", "prefixItems": [{"const": 1}, {"type": "string"}], "items": False},
        {"type": "object", "required": ["a"], "properties": {"a": {"type": "integer"}}, "additionalProperties": False},
        {"type": "object", "required": ["x"], "additionalProperties": {"type": "integer"}},
        {"type": "object", "minProperties": 3, "additionalProperties": {"type": "boolean"}},
        {
            "allOf": [
                {"required": ["a"], "properties": {"a": {"type": "string"}}},
                {"properties": {"b": {"type": "null"}}},
            ]
        },
        {"oneOf": [{"type": "object", "required": ["k"], "properties": {"k": {"const": n}}} for n in (1, 2)]},
        {"anyOf": [{"type": "null"}, {"type": "string", "format": "uuid"}]},
        {"properties": {"a": {}}, "oneOf": [{"required": ["a"]}, {"required": ["b"]}], "additionalProperties": False},
        {"enum": [None, 1, "a"]},
        {"const": {"a": [1]}},
        *({"type": "string", "format": name} for name in ("uuid", "date-time", "date", "email", "uri", "ipv4", "time")),
        *({"type": "string", "format": name} for name in ("ipv6", "hostname")),
        {"type": "object", "properties": {"a": {"type": "string", "examples": ["this"]}}, "required": ["a"]},
    ],
    ids=json.dumps,
)
def test_a_value_is_valid_under_every_seed(tmp_path: Path, schema: Any) -> None:
    contract = compiled(tmp_path, with_schema({}, It=schema))
    validator = contract.schemas.compiled(parse(POINTER), "reply")
    for seed in range(20):
        assert validator.is_valid(sample(contract, POINTER, seed))


def test_the_same_seed_gives_the_same_value_in_another_process() -> None:
    pointer = "#/components/schemas/AgentChatCompletionsRequestPayload"
    code = "import agent_contract, json; contract = agent_contract.load_contract(); "
    code += f"print(json.dumps([agent_contract.sample(contract, {pointer!r}, seed) for seed in range(5)]))"
    run = [sys.executable, "-c", code]
    first, second = (subprocess.run(run, capture_output=True, check=True, text=True).stdout for _ in range(2))
    assert first == second
    values = json.loads(first)
    assert values[0] != values[1]


@pytest.mark.parametrize(
    "schema",
    [
        {"type": "object", "properties": {"next": {"$ref": POINTER}}},
        {"type": "object", "required": ["list"], "properties": {"list": {"type": "array", "items": {"$ref": POINTER}}}},
        {
            "type": "object",
            "required": ["next"],
            "properties": {"next": {"anyOf": [{"$ref": POINTER}, {"type": "null"}]}},
        },
        {"type": "object", "additionalProperties": {"$ref": POINTER}},
    ],
)
def test_a_schema_that_contains_itself_has_a_finite_value(tmp_path: Path, schema: Any) -> None:
    contract = compiled(tmp_path, with_schema({}, It=schema))
    for seed in range(10):
        assert len(json.dumps(sample(contract, POINTER, seed))) < 100_000


def test_a_schema_that_requires_itself_is_an_error(tmp_path: Path) -> None:
    schema = {"type": "object", "required": ["next"], "properties": {"next": {"$ref": POINTER}}}
    with pytest.raises(SampleError, match="requires itself"):
        sample(compiled(tmp_path, with_schema({}, It=schema)), POINTER)


@pytest.mark.parametrize("schema", [False, {"type": "integer", "minimum": 2, "maximum": 1}, {"not": {}}])
def test_a_schema_that_nothing_satisfies_is_an_error(tmp_path: Path, schema: Any) -> None:
    with pytest.raises(SampleError, match="or give it an example"):
        sample(compiled(tmp_path, with_schema({}, It=schema)), POINTER)


def test_a_schema_of_openapi_3_0_is_sampled_in_its_own_words(tmp_path: Path) -> None:
    schema = {"type": "integer", "minimum": 1, "exclusiveMinimum": True, "maximum": 2, "nullable": True}
    contract = compiled(tmp_path, with_schema({}, "3.0.3", It=schema))
    assert {sample(contract, POINTER, seed) for seed in range(5)} == {2}


def test_every_body_of_the_kit_s_own_operations_has_a_value() -> None:
    contract = load_contract()
    for operation in contract.operations.values():
        for response in operation.responses.values():
            for media in response.content.values():
                for seed in range(10):
                    value = sample(contract, media.schema_pointer, seed)
                    assert media.validator is None or media.validator.is_valid(value)


@pytest.mark.parametrize(
    ("bounds", "lengths"),
    [
        ({}, {1, 2}),
        ({"minItems": 1}, {1, 2, 3}),
        ({"minItems": 2, "maxItems": 3}, {2, 3}),
        ({"maxItems": 1}, {1}),
        ({"maxItems": 0}, {0}),
        ({"minItems": 4, "maxItems": 4}, {4}),
        ({"prefixItems": [{"type": "null"}] * 3}, {3}),
        ({"prefixItems": [{"type": "null"}] * 3, "maxItems": 2}, {2}),
        ({"prefixItems": [{"type": "null"}], "items": False}, {1}),
        ({"prefixItems": [{"type": "null"}], "minItems": 3}, {3, 4, 5}),
    ],
    ids=str,
)
def test_an_array_is_never_longer_than_it_may_be_and_two_items_longer_than_it_must_be(
    tmp_path: Path, bounds: dict[str, Any], lengths: set[int]
) -> None:
    contract = compiled(tmp_path, with_schema({}, It={"type": "array", "items": {"type": "boolean"}, **bounds}))
    values = [sample(contract, POINTER, seed) for seed in range(40)]
    assert {len(value) for value in values if isinstance(value, list)} == lengths


def test_an_array_deep_inside_a_value_has_no_more_items_than_it_must(tmp_path: Path) -> None:
    deep: dict[str, Any] = {"type": "array", "minItems": 1, "items": {"type": "null"}}
    for _ in range(4):
        deep = {"type": "array", "minItems": 1, "maxItems": 1, "items": deep}
    contract = compiled(tmp_path, with_schema({}, It=deep))
    assert all(sample(contract, POINTER, seed) == [[[[[None]]]]] for seed in range(20))
