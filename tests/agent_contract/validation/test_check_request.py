"""Requests against schemas: the violations, their places, rules and order."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_contract import Found, Request, check_request, error_detail, parse_call
from tests.agent_contract.support.documents import call, compiled, only, violations, with_parameters, with_schema, words


def test_a_valid_request_breaks_nothing(tmp_path: Path) -> None:
    assert violations(compiled(tmp_path, with_schema({"type": "integer"})), b"1") == ()


def test_a_violation_has_place_rule_expected_and_actual_value_and_a_pointer_into_the_document(
    tmp_path: Path,
) -> None:
    contract = compiled(tmp_path, with_schema({"properties": {"a/b": {"items": {"maximum": 2}}}}))
    (violation,) = violations(contract, b'{"a/b": [1, 3]}')
    assert violation.where == ("body", "a/b", 1)
    assert (violation.rule, violation.expected, violation.got) == ("maximum", 2, 3)
    assert violation.pointer.endswith("/schema/properties/a~1b/items/maximum")
    assert contract.at(violation.pointer) == 2


@pytest.mark.parametrize(
    ("schema", "body", "expected"),
    [
        ({"type": "boolean"}, "true", "string_type|bool_type"),
        ({"type": "integer"}, 0.5, "int_type"),
        ({"type": "integer", "minimum": 1}, 0.5, "int_type"),
        ({"type": "number"}, "1", "float_type"),
        ({"type": "number"}, True, "float_type"),
        ({"type": "string"}, 1, "string_type"),
        ({"type": "array"}, {}, "list_type"),
        ({"type": "object"}, [], "dict_type"),
        ({"type": "object", "properties": {"a": {}}}, [], "model_attributes_type"),
        ({"type": "null"}, 1, "none_required"),
        ({"type": "string", "format": "uuid"}, 1, "uuid_type"),
        ({"format": "uuid"}, "x", "uuid_parsing"),
        ({"minimum": 1}, 0, "greater_than_equal"),
        ({"maximum": 1}, 2, "less_than_equal"),
        ({"exclusiveMinimum": 1}, 1, "greater_than"),
        ({"exclusiveMaximum": 1}, 1, "less_than"),
        ({"multipleOf": 2}, 3, "multiple_of"),
        ({"minLength": 2}, "a", "string_too_short"),
        ({"maxLength": 1}, "ab", "string_too_long"),
        ({"pattern": "^a$"}, "b", "string_pattern_mismatch"),
        ({"minItems": 1}, [], "too_short"),
        ({"maxItems": 1}, [1, 2], "too_long"),
        ({"minProperties": 1}, {}, "too_short"),
        ({"enum": ["a", "b"]}, "c", "literal_error"),
        ({"type": "string", "enum": ["a"]}, 1, "literal_error"),
        ({"const": 1}, 2, "literal_error"),
        ({"uniqueItems": True}, [1, 1], "value_error"),
        ({"not": {}}, 1, "value_error"),
        ({"format": "email"}, "x", "value_error"),
    ],
)
def test_a_broken_rule_has_pydantic_s_type(tmp_path: Path, schema: Any, body: Any, expected: str) -> None:
    ((place, kind),) = words(compiled(tmp_path, with_schema(schema)), json.dumps(body).encode())
    assert place == "body"
    assert kind in expected.split("|")


@pytest.mark.parametrize(
    ("schema", "body", "message"),
    [
        ({"minimum": 0.5}, 0, "Input should be greater than or equal to 0.5"),
        ({"maximum": 2.0}, 3, "Input should be less than or equal to 2"),
        ({"minItems": 1}, [], "List should have at least 1 item after validation, not 0"),
        ({"maxItems": 2}, [1, 2, 3], "List should have at most 2 items after validation, not 3"),
        ({"minLength": 1}, "", "String should have at least 1 character"),
        ({"maxLength": 2}, "abc", "String should have at most 2 characters"),
        ({"enum": ["a", "b", "c"]}, "x", "Input should be 'a', 'b' or 'c'"),
        ({"enum": ["a"]}, "x", "Input should be 'a'"),
        ({"pattern": "^a$"}, "x", "String should match pattern '^a$'"),
    ],
)
def test_a_broken_rule_has_pydantic_s_words(tmp_path: Path, schema: Any, body: Any, message: str) -> None:
    contract = compiled(tmp_path, with_schema(schema))
    (item,) = error_detail(contract, violations(contract, json.dumps(body).encode()))
    assert isinstance(item, dict) and item["msg"] == message


def test_violations_come_in_the_order_in_which_the_document_declares_the_fields(tmp_path: Path) -> None:
    item = {"type": "object", "required": ["z", "a"], "properties": {"z": {"type": "string"}, "a": {"type": "string"}}}
    schema = {
        "type": "object",
        "required": ["first"],
        "properties": {"second": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}}, "first": {}},
        "additionalProperties": False,
    }
    contract = compiled(tmp_path, with_schema(schema, Item=item))
    body = b'{"y": 1, "x": 1, "second": [{"a": 1}, 5, {"a": 1, "z": 1}]}'
    assert words(contract, body) == [
        ("body/second/0/z", "missing"),
        ("body/second/0/a", "string_type"),
        ("body/second/1", "model_attributes_type"),
        ("body/second/2/z", "string_type"),
        ("body/second/2/a", "string_type"),
        ("body/first", "missing"),
        ("body/y", "extra_forbidden"),
        ("body/x", "extra_forbidden"),
    ]


def test_the_length_of_a_list_counts_only_when_its_items_are_right(tmp_path: Path) -> None:
    contract = compiled(tmp_path, with_schema({"minItems": 3, "items": {"type": "string"}}))
    assert words(contract, b'[1, "a"]') == [("body/0", "string_type")]
    assert words(contract, b'["b", "a"]') == [("body", "too_short")]


@pytest.mark.parametrize("keyword", ["anyOf", "oneOf"])
def test_of_a_choice_the_branch_that_was_meant_is_reported(tmp_path: Path, keyword: str) -> None:
    part = {"type": "object", "required": ["text"], "properties": {"text": {"type": "string"}}}
    schema = {keyword: [{"type": "null"}, {"type": "string", "minLength": 2}, {"type": "array", "items": part}]}
    contract = compiled(tmp_path, with_schema(schema))
    assert words(contract, b"1") == [("body", "string_type")]
    assert words(contract, b'"a"') == [("body", "string_too_short")]
    assert words(contract, b'[{"text": 1}, {}]') == [("body/0/text", "string_type"), ("body/1/text", "missing")]


def test_a_value_that_fits_two_branches_of_one_of_is_refused(tmp_path: Path) -> None:
    contract = compiled(tmp_path, with_schema({"oneOf": [{"type": "integer"}, {"type": "number"}]}))
    assert words(contract, b"1") == [("body", "value_error")]
    assert words(contract, b"1.5") == []


def test_an_absent_body_is_a_violation_only_if_it_is_required(tmp_path: Path) -> None:
    document = with_schema({"type": "string"})
    assert words(compiled(tmp_path, document)) == [("body", "missing")]
    document["paths"]["/things"]["post"]["requestBody"]["required"] = False
    assert words(compiled(tmp_path, document)) == []


def test_an_operation_without_a_body_does_not_look_at_one(tmp_path: Path) -> None:
    assert violations(compiled(tmp_path, with_parameters()), b"{") == ()


def test_a_property_that_is_only_read_is_required_of_the_reply_alone(tmp_path: Path) -> None:
    from agent_contract import Reply, check_reply

    schema = {
        "type": "object",
        "required": ["id", "key"],
        "properties": {"id": {"readOnly": True}, "key": {"writeOnly": True}},
    }
    contract = compiled(tmp_path, with_schema(schema))
    assert words(contract, b"{}") == [("body/key", "missing")]
    reply = Reply(200, {"content-type": "application/json"}, b"{}")
    assert [violation.where for violation in check_reply(only(contract), reply)] == [("body", "id")]


@pytest.mark.parametrize(
    ("sent", "kind"),
    [("application/json", "json"), ("text/plain", "text"), ("application/x-www-form-urlencoded", "form")],
)
def test_a_body_is_judged_by_its_own_media_type(tmp_path: Path, sent: str, kind: str) -> None:
    content = {
        "application/json": {"schema": {"type": "object", "properties": {"json": {}}, "required": ["json"]}},
        "text/*": {"schema": {"type": "string", "pattern": "^text"}},
        "application/x-www-form-urlencoded": {"schema": {"type": "object", "required": ["form"]}},
    }
    document = with_schema({})
    document["paths"]["/things"]["post"]["requestBody"]["content"] = content
    contract = compiled(tmp_path, document)
    right = {"json": b'{"json": 1}', "text": b"text", "form": b"form=1"}
    assert violations(contract, right[kind], content_type=sent) == ()
    assert violations(contract, b'""', content_type=sent) != ()


def test_a_body_with_a_thousand_faults_is_told_them_all_and_one_with_a_million_the_first(tmp_path: Path) -> None:
    """Each fault costs tens of microseconds: a million of them would hold a server for a minute."""
    contract = compiled(tmp_path, with_schema({"items": {"type": "string"}}))
    assert len(violations(contract, json.dumps([1] * 1000).encode())) == 1000
    assert [violation.where for violation in violations(contract, json.dumps([1] * 1_000_000).encode())] == [
        ("body", 0)
    ]


def test_a_fault_below_hundreds_of_nested_choices_is_refused_at_the_top(tmp_path: Path) -> None:
    """The validator knows that the value is wrong, but no longer its place."""
    node = {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}]}
    contract = compiled(tmp_path, with_schema({"$ref": "#/components/schemas/Node"}, Node=node))
    deep = b"[" * 300 + b"%s" + b"]" * 300
    assert words(contract, deep % b"1") == [("body", "value_error")]
    assert words(contract, deep % b'"a"') == []


def test_a_fault_a_thousand_levels_deep_is_found_at_its_place(tmp_path: Path) -> None:
    node = {"type": "array", "items": {"$ref": "#/components/schemas/Node"}}
    contract = compiled(tmp_path, with_schema({"$ref": "#/components/schemas/Node"}, Node=node))
    (violation,) = violations(contract, b"[" * 1000 + b"1" + b"]" * 1000)
    assert len(violation.where) == 1001


def test_nothing_is_compiled_or_sorted_for_a_valid_request(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A valid request is a parse, a lookup and one compiled check."""
    from agent_contract.validation import check

    contract = compiled(tmp_path, with_schema({"type": "object", "properties": {"a": {"type": "string"}}}))
    found = contract.find("POST", "/things")
    assert isinstance(found, Found)

    def never(*_: Any) -> None:
        raise AssertionError

    monkeypatch.setattr(check, "violations", never)
    request = Request("POST", "/things", (), {"content-type": "application/json"}, b'{"a": "b"}')
    assert check_request(parse_call(found, request)) == ()


def test_a_call_holds_what_the_request_means(tmp_path: Path) -> None:
    parameters = [
        {"name": "limit", "in": "query", "schema": {"type": "integer", "default": 100}},
        {"name": "order", "in": "query", "schema": {"type": "string"}},
    ]
    contract = compiled(tmp_path, with_parameters(*parameters))
    assert call(contract).parameters == {"limit": 100}
    assert call(contract, query="order=asc&limit=7").parameters == {"limit": 7, "order": "asc"}
