"""Parameters in each declared style, and in the spellings that clients use instead."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest

from agent_contract import Found, Request, check_request, parse_call
from tests.agent_contract.support.documents import compiled, with_parameters

INTEGERS = {"type": "array", "items": {"type": "integer"}}
RANGE = {
    "type": "object",
    "properties": {"from": {"type": "integer"}, "to": {"type": "integer"}},
    "additionalProperties": False,
}
DEEP = {
    "type": "object",
    "properties": {"a": {"type": "object", "properties": {"b": {"type": "integer"}}}, "c": INTEGERS},
    "additionalProperties": False,
}


def read(folder: Path, schema: Any, query: str, lenient: bool = True, **style: Any) -> tuple[Any, int]:
    """Return the value of the parameter `p`, and how many violations the request has."""
    contract = compiled(folder, with_parameters({"name": "p", "in": "query", "schema": schema, **style}))
    found = contract.find("GET", "/things")
    assert isinstance(found, Found)
    pairs = tuple(parse_qsl(query, keep_blank_values=True))
    call = parse_call(found, Request("GET", "/things", pairs, {}, b""), lenient=lenient)
    return call.parameters.get("p"), len(check_request(call))


@pytest.mark.parametrize(
    ("schema", "style", "query", "expected"),
    [
        (INTEGERS, {}, "p=1&p=2", [1, 2]),
        (INTEGERS, {}, "p=1,2", [1, 2]),
        (INTEGERS, {}, "p[]=1&p[]=2", [1, 2]),
        (INTEGERS, {}, "p[0]=1&p[1]=2", [1, 2]),
        (INTEGERS, {}, "p=1%202", [1, 2]),
        (INTEGERS, {}, "p=[1,2]", [1, 2]),
        (INTEGERS, {"explode": False}, "p=1,2", [1, 2]),
        (INTEGERS, {"explode": False}, "p=1&p=2", [1, 2]),
        (INTEGERS, {"style": "pipeDelimited", "explode": False}, "p=1|2", [1, 2]),
        (INTEGERS, {"style": "pipeDelimited", "explode": False}, "p=1,2", [1, 2]),
        (INTEGERS, {"style": "spaceDelimited", "explode": False}, "p=1+2", [1, 2]),
        (RANGE, {}, "from=1&to=2", {"from": 1, "to": 2}),
        (RANGE, {}, "p[from]=1&p[to]=2", {"from": 1, "to": 2}),
        (RANGE, {}, "p=from,1,to,2", {"from": 1, "to": 2}),
        (RANGE, {}, 'p={"from":1}', {"from": 1}),
        (RANGE, {}, "p.from=1", {"from": 1}),
        (RANGE, {"explode": False}, "p=from,1,to,2", {"from": 1, "to": 2}),
        (RANGE, {"explode": False}, "p[from]=1", {"from": 1}),
        (RANGE, {"style": "deepObject", "explode": True}, "p[from]=1&p[to]=2", {"from": 1, "to": 2}),
        (RANGE, {"style": "deepObject", "explode": True}, "from=1", {"from": 1}),
        (DEEP, {"style": "deepObject", "explode": True}, "p[a][b]=1&p[c][]=2&p[c][]=3", {"a": {"b": 1}, "c": [2, 3]}),
        ({"type": "array", "items": {"type": "string"}}, {}, "p=a,b", ["a,b"]),
    ],
)
def test_a_usual_spelling_is_read(
    tmp_path: Path, schema: Any, style: dict[str, Any], query: str, expected: Any
) -> None:
    assert read(tmp_path, schema, query, **style) == (expected, 0)


@pytest.mark.parametrize(
    ("schema", "style", "query", "broken"),
    [
        (INTEGERS, {}, "p=1,2", 1),
        (INTEGERS, {}, "p=1&p=2", 0),
        (RANGE, {"style": "deepObject", "explode": True}, "from=1", 1),
    ],
)
def test_only_the_declared_spelling_is_read_if_parameters_are_strict(
    tmp_path: Path, schema: Any, style: dict[str, Any], query: str, broken: int
) -> None:
    assert read(tmp_path, schema, query, lenient=False, required=True, **style)[1] == broken


@pytest.mark.parametrize("query", ["p=x", "p[]=x", "p=1,x"])
def test_a_value_that_no_spelling_makes_valid_is_refused(tmp_path: Path, query: str) -> None:
    assert read(tmp_path, INTEGERS, query, required=True)[1] > 0


@pytest.mark.parametrize("name", ["Accept", "content-type", "AUTHORIZATION"])
def test_a_header_parameter_that_openapi_ignores_is_ignored(tmp_path: Path, name: str) -> None:
    described = {"name": name, "in": "header", "required": True, "schema": {"type": "string", "pattern": "^x$"}}
    contract = compiled(tmp_path, with_parameters(described))
    found = contract.find("GET", "/things")
    assert isinstance(found, Found)

    assert check_request(parse_call(found, Request("GET", "/things"))) == ()


def test_white_space_between_the_items_of_a_header_is_ignored(tmp_path: Path) -> None:
    contract = compiled(tmp_path, with_parameters({"name": "p", "in": "header", "schema": INTEGERS}))
    found = contract.find("GET", "/things")
    assert isinstance(found, Found)

    assert parse_call(found, Request("GET", "/things", (), {"p": "1, 2"})).parameters == {"p": [1, 2]}
