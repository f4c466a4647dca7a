"""Documents of OpenAPI 3.0 are read by the rules of 3.0, and pointers lead into the document as written."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.agent_contract.support.documents import compiled, refusal, violations, with_schema, words


@pytest.mark.parametrize(
    ("schema", "body", "rule"),
    [
        ({"type": "string", "nullable": True}, b"null", ""),
        ({"type": "string", "nullable": True}, b"1", "type"),
        ({"type": "string", "nullable": False}, b"null", "type"),
        ({"type": "string"}, b"null", "type"),
        ({"type": "string", "nullable": True, "enum": ["a"]}, b"null", "enum"),
        ({"type": "string", "nullable": True, "enum": ["a", None]}, b"null", ""),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, b"1", "exclusiveMinimum"),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": True}, b"2", ""),
        ({"type": "integer", "minimum": 1, "exclusiveMinimum": False}, b"1", ""),
        ({"type": "integer", "maximum": 1, "exclusiveMaximum": True}, b"1", "exclusiveMaximum"),
        ({"type": "integer", "maximum": 1, "exclusiveMaximum": False}, b"2", "maximum"),
        ({"type": "integer", "example": 7}, b"7", ""),
    ],
)
def test_a_keyword_has_its_meaning_in_3_0(tmp_path: Path, schema: Any, body: bytes, rule: str) -> None:
    contract = compiled(tmp_path, with_schema(schema, "3.0.3"))
    found = violations(contract, body)
    assert [violation.rule for violation in found] == ([rule] if rule else [])
    for violation in found:
        contract.at(violation.pointer)  # leads into the document as it was written


def test_an_exclusive_limit_has_its_number_in_the_words(tmp_path: Path) -> None:
    contract = compiled(tmp_path, with_schema({"minimum": 1, "exclusiveMinimum": True}, "3.0.3"))
    assert words(contract, b"1") == [("body", "greater_than")]
    assert violations(contract, b"1")[0].expected == 1


def test_nullable_is_understood_in_nested_schemas_and_through_a_reference(tmp_path: Path) -> None:
    part = {"type": "object", "nullable": True, "properties": {"n": {"type": "integer", "nullable": True}}}
    schema = {
        "type": "object",
        "properties": {"list": {"type": "array", "items": {"$ref": "#/components/schemas/Part"}}},
    }
    contract = compiled(tmp_path, with_schema(schema, "3.0.3", Part=part))
    assert words(contract, b'{"list": [null, {"n": null}, {"n": "x"}]}') == [("body/list/2/n", "int_type")]


def test_the_document_itself_is_left_as_it_was(tmp_path: Path) -> None:
    contract = compiled(tmp_path, with_schema({"type": "string", "nullable": True}, "3.0.3"))
    schema = contract.document["paths"]["/things"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema == {"type": "string", "nullable": True}


def test_a_type_list_is_not_taken_for_granted_in_3_0(tmp_path: Path) -> None:
    assert "'type' must be text" in refusal(tmp_path, with_schema({"type": ["string", "null"]}, "3.0.3")).problem


@pytest.mark.parametrize("version", ["3.0.0", "3.0.4", "3.1.0", "3.1.1"])
def test_every_patch_of_both_versions_is_read(tmp_path: Path, version: str) -> None:
    assert compiled(tmp_path, with_schema({}, version)).operations
