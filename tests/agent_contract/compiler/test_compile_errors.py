"""A document that can't be compiled stops with pointer, problem and remedy: nothing is left unchecked in silence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.agent_contract.support.documents import refusal, with_parameters, with_schema

ID = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}
SCHEMA = "#/paths/~1things/post/requestBody/content/application~1json/schema"


@pytest.mark.parametrize(
    ("schema", "pointer"),
    [
        ({"type": "strnig"}, "/type"),
        ({"pattern": "("}, "/pattern"),
        ({"minimum": "0"}, "/minimum"),
        ({"properties": {"a": {"required": "b"}}}, "/properties/a/required"),
        ({"items": {"maxLength": -1}}, "/items/maxLength"),
        ({"anyOf": [{"type": "string"}, {"type": ["object", "nil"]}]}, "/anyOf/1/type"),
        ({"$id": "urn:x"}, ""),
        ({"$schema": "http://json-schema.org/draft-07/schema#"}, ""),
        ({"properties": []}, "/properties"),
        ({"properties": {"a": "string"}}, "/properties/a"),
        ({"exclusiveMinimum": True, "minimum": 1}, "/exclusiveMinimum"),
    ],
)
def test_an_invalid_schema_is_refused_at_its_keyword(tmp_path: Path, schema: Any, pointer: str) -> None:
    error = refusal(tmp_path, with_schema(schema))
    assert SCHEMA + pointer in [problem.pointer for problem in error.problems]
    assert error.problem and error.remedy
    assert ":" in error.problems[0].place


def test_a_schema_that_no_operation_uses_is_refused_too(tmp_path: Path) -> None:
    error = refusal(tmp_path, with_schema({}, Unused={"type": "strnig"}))
    assert error.pointer == "#/components/schemas/Unused/type"


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ("[]", "is not an OpenAPI document"),
        ("{}", "'openapi' is absent"),
        ("openapi: 4.0.0", "OpenAPI 4.0.0 is not read"),
        ("swagger: '1.2'", "'openapi' is absent"),
        ("openapi: 3.1.0\npaths: []", "must be an object"),
        ("openapi: 3.1.0\npaths: {/a: {get: null}}", "must be an object, not null"),
        ("openapi: 3.1.0\npaths: {a: {get: {}}}", "doesn't begin with '/'"),
        ("openapi: 3.1.0\npaths: {/a: {parameters: {}}}", "must be a list"),
        ("openapi: 3.1.0\npaths: {/a: {parameters: [{in: query}]}}", "needs 'name'"),
        ("openapi: 3.1.0\npaths: {/a: {get: {parameters: [{name: a, in: body, schema: {}}]}}}", "can't be in 'body'"),
        ("openapi: 3.1.0\npaths: {/a: {get: {parameters: [{name: a, in: query}]}}}", "has no schema"),
        ("openapi: 3.1.0\npaths: {/a: {post: {requestBody: {}}}}", "needs 'content'"),
        ("openapi: 3.1.0\npaths: {/a: {post: {security: [{key: []}]}}}", "unknown security scheme 'key'"),
        ("openapi: 3.1.0\njsonSchemaDialect: http://json-schema.org/draft-07/schema#\npaths: {}", "dialect"),
    ],
)
def test_a_document_of_the_wrong_shape_is_refused(tmp_path: Path, document: str, problem: str) -> None:
    error = refusal(tmp_path, document)
    assert problem in error.problem
    assert error.remedy


def test_a_name_in_a_path_that_nothing_declares_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, with_parameters(path="/things/{id}"))
    assert error.problem == "the path's {id} is not declared"


def test_a_path_parameter_that_the_path_has_not_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, with_parameters(ID, path="/things"))
    assert error.problem == "the path has no {id}"


def test_a_name_that_stands_twice_in_a_path_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, with_parameters(ID, path="/things/{id}/{id}"))
    assert "twice" in error.problem


def test_an_operation_id_that_stands_twice_is_refused(tmp_path: Path) -> None:
    document = with_parameters()
    document["paths"]["/others"] = document["paths"]["/things"]
    error = refusal(tmp_path, document)
    assert error.problem == "the operationId 'list' is that of GET /things too"
    assert error.pointer == "#/paths/~1others/get/operationId"


def test_paths_that_can_not_be_told_apart_are_refused(tmp_path: Path) -> None:
    document = with_parameters(ID, path="/things/{id}")
    other = {"operationId": "b", "parameters": [{**ID, "name": "name"}], "responses": {}}
    document["paths"]["/things/{name}"] = {"post": other}
    error = refusal(tmp_path, document)
    assert "can't be told apart from '/things/{id}'" in error.problem
    assert error.pointer == "#/paths/~1things~1%7Bname%7D"


def test_every_reason_is_reported_at_once(tmp_path: Path) -> None:
    error = refusal(tmp_path, with_schema({"type": "strnig"}, A={"minimum": "x"}, B={"pattern": "("}))
    assert len(error.problems) == 4
    assert str(error).count("\n") == 3


def test_a_fault_of_a_schema_inside_another_is_reported_once(tmp_path: Path) -> None:
    problems = refusal(tmp_path, with_schema({"not": {"type": 5}}, version="3.1.0")).problems
    places = [problem.pointer for problem in problems]
    assert len(places) == len(set(places)) > 0


def test_an_anchor_that_does_not_exist_is_reported_where_it_is_needed(tmp_path: Path) -> None:
    problems = refusal(tmp_path, with_schema({"$dynamicRef": "#x"})).problems
    assert any("Anchor 'x' does not exist" in problem.problem for problem in problems)
