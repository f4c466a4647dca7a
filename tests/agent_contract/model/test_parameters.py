"""Parameters: read from text by their style, checked like any value, refused with their place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.agent_contract.support.documents import call, compiled, with_parameters, words


def parameter(where: str = "query", name: str = "a", **rest: Any) -> dict[str, Any]:
    return {
        "name": name,
        "in": where,
        "schema": {"type": "string"},
        **rest,
        **({"required": True} if where == "path" else {}),
    }


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        ("integer", "7", 7),
        ("integer", "-7", -7),
        ("number", "1.5", 1.5),
        ("number", "1e3", 1000.0),
        ("boolean", "true", True),
        ("boolean", "False", False),
        ("boolean", "0", False),
        ("string", "7", "7"),
        ("string", "", ""),
        ("string", "héllo", "héllo"),
    ],
)
def test_text_becomes_the_type_that_the_schema_wants(tmp_path: Path, kind: str, text: str, value: object) -> None:
    contract = compiled(tmp_path, with_parameters(parameter(schema={"type": kind})))
    assert call(contract, query=f"a={text}").parameters == {"a": value}
    assert words(contract, query=f"a={text}") == []


@pytest.mark.parametrize(
    ("kind", "text", "expected"),
    [
        ("integer", "x", "int_parsing"),
        ("integer", "1.5", "int_parsing"),
        ("integer", "", "int_parsing"),
        ("number", "NaN", "float_parsing"),
        ("number", "1e999", "float_parsing"),
        ("boolean", "maybe", "bool_parsing"),
        ("array", "x", ""),
    ],
)
def test_text_that_spells_no_such_value_is_refused_at_its_name(
    tmp_path: Path, kind: str, text: str, expected: str
) -> None:
    contract = compiled(tmp_path, with_parameters(parameter(schema={"type": kind})))
    assert words(contract, query=f"a={text}") == ([("query/a", expected)] if expected else [])


def test_limits_hold_for_parameters(tmp_path: Path) -> None:
    schema = {"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 1000}
    contract = compiled(tmp_path, with_parameters(parameter(name="limit", schema=schema)))
    assert words(contract, query="limit=0") == [("query/limit", "greater_than")]
    assert words(contract, query="limit=1000") == [("query/limit", "less_than")]
    assert words(contract, query="limit=999") == []


def test_a_required_parameter_that_is_absent_is_missing(tmp_path: Path) -> None:
    contract = compiled(
        tmp_path, with_parameters(parameter(required=True), parameter("header", "X-Key", required=True))
    )
    assert words(contract) == [("query/a", "missing"), ("header/x-key", "missing")]


def test_faults_come_in_the_order_path_query_header_cookie_body(tmp_path: Path) -> None:
    number = {"type": "integer"}
    holders = [parameter(where, where, schema=number) for where in ("cookie", "header", "query", "path")]
    contract = compiled(tmp_path, with_parameters(*holders, path="/things/{path}"))
    found = words(contract, path="/things/x", query="query=x", header="x", cookie="b=1; cookie=x")
    assert [place for place, _ in found] == ["path/path", "query/query", "header/header", "cookie/cookie"]


def test_of_a_name_that_is_sent_twice_the_last_counts_unless_it_is_a_list(tmp_path: Path) -> None:
    listed = {"type": "array", "items": {"type": "integer"}}
    contract = compiled(tmp_path, with_parameters(parameter(), parameter(name="b", schema=listed)))
    assert call(contract, query="a=1&a=2&b=1&b=2").parameters == {"a": "2", "b": [1, 2]}


@pytest.mark.parametrize(
    ("style", "explode", "query", "value"),
    [
        ("form", True, "a=1&a=2", [1, 2]),
        ("form", False, "a=1,2", [1, 2]),
        ("spaceDelimited", False, "a=1%202", [1, 2]),
        ("pipeDelimited", False, "a=1|2", [1, 2]),
    ],
)
def test_a_list_is_read_by_its_style(tmp_path: Path, style: str, explode: bool, query: str, value: object) -> None:
    schema = {"type": "array", "items": {"type": "integer"}}
    contract = compiled(tmp_path, with_parameters(parameter(schema=schema, style=style, explode=explode)))
    assert call(contract, query=query).parameters == {"a": value}


@pytest.mark.parametrize(
    ("style", "explode", "query"),
    [("deepObject", True, "a[n]=1&a[s]=x"), ("form", True, "n=1&s=x"), ("form", False, "a=n,1,s,x")],
)
def test_an_object_is_read_by_its_style(tmp_path: Path, style: str, explode: bool, query: str) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "s": {"type": "string"}}}
    contract = compiled(tmp_path, with_parameters(parameter(schema=schema, style=style, explode=explode)))
    assert call(contract, query=query).parameters == {"a": {"n": 1, "s": "x"}}


@pytest.mark.parametrize(
    ("style", "explode", "path", "value"),
    [
        ("simple", False, "/things/1,2", [1, 2]),
        ("label", False, "/things/.1,2", [1, 2]),
        ("label", True, "/things/.1.2", [1, 2]),
        ("matrix", False, "/things/;a=1,2", [1, 2]),
        ("matrix", True, "/things/;a=1;a=2", [1, 2]),
    ],
)
def test_a_list_in_the_path_is_read_by_its_style(
    tmp_path: Path, style: str, explode: bool, path: str, value: object
) -> None:
    schema = {"type": "array", "items": {"type": "integer"}}
    described = parameter("path", schema=schema, style=style, explode=explode)
    contract = compiled(tmp_path, with_parameters(described, path="/things/{a}"))
    assert call(contract, path=path).parameters == {"a": value}


def test_a_parameter_with_content_is_json(tmp_path: Path) -> None:
    described = {"name": "a", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}}
    contract = compiled(tmp_path, with_parameters(described))
    assert call(contract, query="a=%7B%22b%22%3A1%7D").parameters == {"a": {"b": 1}}
    assert words(contract, query="a=%7B") == [("query/a", "dict_type")]


def test_an_operation_s_parameter_takes_the_place_of_its_path_s(tmp_path: Path) -> None:
    document = with_parameters(parameter(schema={"type": "integer"}))
    document["paths"]["/things"]["parameters"] = [parameter(schema={"type": "boolean"}), parameter(name="b")]
    contract = compiled(tmp_path, document)
    assert call(contract, query="a=1&b=1").parameters == {"a": 1, "b": "1"}


def test_a_name_of_many_types_takes_the_first_that_fits(tmp_path: Path) -> None:
    contract = compiled(
        tmp_path, with_parameters(parameter(schema={"anyOf": [{"type": "integer"}, {"type": "string"}]}))
    )
    assert call(contract, query="a=1").parameters == {"a": 1}
    assert call(contract, query="a=x").parameters == {"a": "x"}


def test_text_that_utf_8_can_not_encode_does_not_stop_the_check(tmp_path: Path) -> None:
    contract = compiled(tmp_path, with_parameters(parameter("path"), path="/things/{a}"))
    assert words(contract, path="/things/\udcff") == []
