"""References: into the document, into local files, in circles; never to another machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from agent_contract import ContractError, load_contract
from tests.agent_contract.support.documents import compiled, refusal, violations, with_schema, words, write

NODE = {
    "type": "object",
    "required": ["name"],
    "properties": {
        "name": {"type": "string"},
        "children": {"type": "array", "items": {"$ref": "#/components/schemas/Node"}},
    },
}


def test_a_schema_that_contains_itself_is_checked_at_every_depth(tmp_path: Path) -> None:
    contract = compiled(tmp_path, with_schema({"$ref": "#/components/schemas/Node"}, Node=NODE))
    (violation,) = violations(contract, b'{"name": "a", "children": [{"name": "b", "children": [{"name": 1}]}]}')
    assert violation.where == ("body", "children", 0, "children", 0, "name")
    assert violation.pointer == "#/components/schemas/Node/properties/name/type"


@pytest.mark.parametrize(
    "schemas",
    [
        {"A": {"$ref": "#/components/schemas/A"}},
        {"A": {"$ref": "#/components/schemas/B"}, "B": {"$ref": "#/components/schemas/A"}},
        {"A": {"allOf": [{"$ref": "#/components/schemas/A"}]}},
        {
            "A": {"anyOf": [{"type": "string"}, {"$ref": "#/components/schemas/B"}]},
            "B": {"not": {"$ref": "#/components/schemas/A"}},
        },
    ],
)
def test_a_circle_that_never_goes_into_a_value_is_refused(tmp_path: Path, schemas: dict[str, Any]) -> None:
    """To follow it would never end."""
    error = refusal(tmp_path, with_schema({"type": "object"}, **schemas))
    assert error.problem == "refers to itself"
    assert error.pointer.startswith("#/components/schemas/")


@pytest.mark.parametrize("reference", ["https://example.com/a.yaml#/A", "//example.com/a.yaml", "http://[a", "urn:a"])
def test_a_remote_reference_is_refused(tmp_path: Path, reference: str) -> None:
    error = refusal(tmp_path, with_schema({"$ref": reference}))
    assert "is remote, and its host is not allowed" in error.problem
    assert error.pointer.endswith("/requestBody/content/application~1json/schema/$ref")


@pytest.mark.parametrize(
    ("reference", "problem"),
    [
        ("#/components/schemas/Absent", "names nothing"),
        ("#Anchor", "is an anchor"),
        ("absent.yaml#/A", "can't be read"),
        ("#/components/schemas/A/enum/7", "names nothing"),
    ],
)
def test_a_reference_to_nothing_is_refused_at_its_place(tmp_path: Path, reference: str, problem: str) -> None:
    error = refusal(tmp_path, with_schema({"$ref": reference}, A={"enum": [1]}))
    assert problem in error.problem
    assert error.remedy


def test_a_reference_that_is_not_a_string_is_refused(tmp_path: Path) -> None:
    assert "'$ref' must be text" in refusal(tmp_path, with_schema({"$ref": 7})).problem


def test_the_keys_of_an_example_are_data_and_no_references(tmp_path: Path) -> None:
    schema = {"type": "object", "examples": [{"$ref": "#/nowhere"}], "const": {"$ref": "#/nowhere"}}
    assert violations(compiled(tmp_path, with_schema(schema)), b'{"$ref": "#/nowhere"}') == ()


def test_a_property_named_like_a_reference_is_a_property(tmp_path: Path) -> None:
    contract = compiled(tmp_path, with_schema({"type": "object", "properties": {"$ref": {"type": "string"}}}))
    assert words(contract, b'{"$ref": 1}') == [("body/$ref", "string_type")]


def test_files_refer_to_each_other_by_their_own_folders(tmp_path: Path) -> None:
    write(tmp_path, 'Thing: {type: object, properties: {part: {$ref: "deep/parts.yaml#/Part"}}}', "a/things.yaml")
    write(
        tmp_path,
        'Part: {type: object, properties: {in: {$ref: "../things.yaml#/Thing"}, n: {type: integer}}}',
        "a/deep/parts.yaml",
    )
    contract = compiled(tmp_path, with_schema({"$ref": "a/things.yaml#/Thing"}))
    (violation,) = violations(contract, b'{"part": {"in": {"part": {"n": "x"}}}}')
    assert violation.pointer == "a/deep/parts.yaml#/Part/properties/n/type"
    assert violation.where == ("body", "part", "in", "part", "n")


def test_a_file_refers_back_to_the_document(tmp_path: Path) -> None:
    write(tmp_path, 'Thing: {$ref: "openapi.yaml#/components/schemas/Real"}', "things.yaml")
    contract = compiled(tmp_path, with_schema({"$ref": "things.yaml#/Thing"}, Real={"type": "string"}))
    (violation,) = violations(contract, b"1")
    assert violation.pointer == "#/components/schemas/Real/type"


def test_a_file_that_is_one_schema_as_a_whole_is_read(tmp_path: Path) -> None:
    write(tmp_path, "type: integer", "my thing.yaml")
    contract = compiled(tmp_path, with_schema({"$ref": "my%20thing.yaml"}))
    (violation,) = violations(contract, b'"x"')
    assert violation.pointer == "my thing.yaml#/type"


def test_a_fault_in_another_file_is_reported_with_that_file_s_name_and_line(tmp_path: Path) -> None:
    write(tmp_path, "\n\nThing:\n  type: strnig\n", "things.yaml")
    error = refusal(tmp_path, with_schema({"$ref": "things.yaml#/Thing"}))
    assert error.problems[0].place.endswith("things.yaml:4")
    assert error.pointer == "things.yaml#/Thing/type"


def test_a_path_item_a_parameter_a_body_and_a_reply_may_be_references(tmp_path: Path) -> None:
    contract = compiled(
        tmp_path,
        """\
        openapi: 3.1.0
        info: {title: T, version: "1"}
        paths:
          /things/{id}: {$ref: "#/components/pathItems/Things"}
        components:
          pathItems:
            Things:
              parameters: [{$ref: "#/components/parameters/Id"}]
              post:
                operationId: post
                requestBody: {$ref: "#/components/requestBodies/Body"}
                responses: {"200": {$ref: "#/components/responses/Done"}}
          parameters: {Id: {name: id, in: path, required: true, schema: {type: integer}}}
          requestBodies: {Body: {content: {application/json: {schema: {type: string}}}}}
          responses: {Done: {description: done}}
        """,
    )
    assert words(contract, b"1", path="/things/x") == [("path/id", "int_parsing"), ("body", "string_type")]
    assert contract.operations["post"].responses["200"].pointer == "#/components/responses/Done"


def test_keys_next_to_a_reference_count_in_3_1_and_not_in_3_0(tmp_path: Path) -> None:
    for version, expected in (("3.1.0", [("body", "string_too_long")]), ("3.0.3", [])):
        schema = {"$ref": "#/components/schemas/A", "maxLength": 1}
        contract = compiled(tmp_path / version, with_schema(schema, version, A={"type": "string"}))
        assert words(contract, b'"long"') == expected


def test_every_wrong_reference_is_reported_at_once(tmp_path: Path) -> None:
    error = refusal(tmp_path, with_schema({"properties": {"a": {"$ref": "#/a"}, "b": {"$ref": "#/b"}}}))
    assert len(error.problems) == 4  # in the request and in the reply


def test_the_fixed_document_of_this_kit_is_found_and_loads() -> None:
    assert load_contract().operations


@pytest.mark.parametrize("reference", ["/etc/passwd", "../secret.yaml", "a/../../secret.yaml", "%2e%2e/secret.yaml"])
def test_a_reference_out_of_the_document_s_folder_is_refused_unread(tmp_path: Path, reference: str) -> None:
    write(tmp_path, "{type: string}", "secret.yaml")
    error = refusal(tmp_path / "api", with_schema({"$ref": reference}))
    assert "leads out of the document's folder" in error.problem
    assert "--allow-outside" in error.remedy


def test_a_link_out_of_the_document_s_folder_is_refused(tmp_path: Path) -> None:
    write(tmp_path, "{type: string}", "secret.yaml")
    (tmp_path / "api").mkdir()
    (tmp_path / "api" / "inside.yaml").symlink_to(tmp_path / "secret.yaml")
    assert "leads out" in refusal(tmp_path / "api", with_schema({"$ref": "inside.yaml"})).problem


def test_a_reference_to_a_device_is_refused_even_if_it_may_be_outside(tmp_path: Path) -> None:
    path = write(tmp_path, json.dumps(with_schema({"$ref": "/dev/zero"})))
    with pytest.raises(ContractError, match="not a regular file"):
        load_contract(path, allow_outside=True)
