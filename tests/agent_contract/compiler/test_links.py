"""The links of a response: the operations that can follow it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_contract import Exchange, Link, Reply, Request
from agent_contract.messages import JSON, Event
from agent_contract.model.runtime_expressions import CompletedExchange, evaluate, unreadable
from tests.agent_contract.support.documents import compiled, refusal
from tests.agent_contract.support.resources import TEXT, things

REQUEST = Request("POST", "/a b/7", (("q", "1"), ("q", "2")), {"x-a": "sent"}, b'{"n": {"m/n": [4, null]}}')
REPLY = Reply(201, {"location": "/a/7"}, b'{"id": "7"}')
BEFORE = CompletedExchange(Exchange(REQUEST, REPLY), {"id": "7"})


def links(folder: Path, operation: str, status: str) -> dict[str, Link]:
    return {link.name: link for link in compiled(folder, TEXT).operations[operation].responses[status].links}


def test_a_link_names_its_operation_its_parameters_and_its_body(tmp_path: Path) -> None:
    found = links(tmp_path, "createThing", "201")
    assert list(found) == ["get", "delete", "again"]
    assert (found["get"].operation_id, found["get"].parameters) == ("getThing", {"id": "$response.body#/id"})
    assert (found["again"].request_body, found["again"].parameters) == ({"colour": "red"}, {})
    assert found["get"].pointer == "#/components/responses/Created/links/get"


def test_a_link_may_refer_to_its_operation_by_its_place(tmp_path: Path) -> None:
    assert links(tmp_path, "createObject", "201")["delete"].operation_id == "deleteThing"


def test_a_link_may_stand_among_the_components(tmp_path: Path) -> None:
    document = things()
    document["components"]["links"] = {"Get": {"operationId": "getThing", "parameters": {"path.id": 7}}}
    document["components"]["responses"]["Created"]["links"] = {"get": {"$ref": "#/components/links/Get"}}
    (link,) = compiled(tmp_path, document).operations["createThing"].responses["201"].links
    assert (link.name, link.parameters, link.pointer) == ("get", {"path.id": "7"}, "#/components/links/Get")


@pytest.mark.parametrize(
    ("link", "problem", "at"),
    [
        ({"operationId": "lost"}, "unknown operation 'lost'", "/operationId"),
        ({"operationRef": "#/paths/~1lost/get"}, "'#/paths/~1lost/get' names nothing", "/operationRef"),
        ({}, "the link names no operation", ""),
        ({"operationId": "getThing", "parameters": {"name": "x"}}, "'getThing' has no parameter 'name'", "/name"),
        ({"operationId": "getThing", "parameters": {"query.id": "x"}}, "'getThing' has no parameter 'query.id'", "id"),
        ({"operationId": "getThing", "parameters": {"id": "$response.id"}}, "'$response.id' is not a runtime", "id"),
        (
            {"operationId": "createThing", "requestBody": "{$body}"},
            "'$body' is not a runtime expression",
            "/requestBody",
        ),
    ],
)
def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path, link: dict[str, Any], problem: str, at: str) -> None:
    document = things()
    document["components"]["responses"]["Created"]["links"] = {"next": link}
    error = refusal(tmp_path, document)
    assert error.problem.startswith(problem)
    assert error.pointer.startswith("#/components/responses/Created/links/next")
    assert error.pointer.endswith(at)
    assert error.problems[0].remedy


@pytest.mark.parametrize(("operation", "known"), [("getThing", "path.id, header.x-trace"), ("createThing", "none")])
def test_the_remedy_lists_the_parameters_of_the_operation(tmp_path: Path, operation: str, known: str) -> None:
    document = things()
    link = {"operationId": operation, "parameters": {"name": "x"}}
    document["components"]["responses"]["Created"]["links"] = {"next": link}
    assert refusal(tmp_path, document).problems[0].remedy == f"use one of its own: {known}"


def test_a_header_s_name_has_no_case(tmp_path: Path) -> None:
    operation = compiled(tmp_path, TEXT).operations["getThing"]
    assert operation.parameter("header.x-TRACE") is operation.parameter("X-Trace") is not None
    assert operation.parameter("path.X-Trace") is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("$url", "/a%20b/7?q=1&q=2"),
        ("$method", "POST"),
        ("$statusCode", 201),
        ("$request.header.X-A", "sent"),
        ("$request.query.q", "1"),
        ("$request.path.id", "7"),
        ("$request.body#/n/m~1n/0", 4),
        ("$request.body#/n/m~1n/1", None),
        ("$response.header.Location", "/a/7"),
        ("$response.body", {"id": "7"}),
        ("$response.body#/id", "7"),
        ("thing-{$response.body#/id}-{$statusCode}", "thing-7-201"),
        ("as it stands", "as it stands"),
    ],
)
def test_an_expression_names_a_part_of_the_exchange_before(text: str, value: JSON) -> None:
    assert unreadable(text) == ""
    assert evaluate(text, BEFORE) == value


def test_of_a_stream_the_first_event_counts() -> None:
    events = (Event(b'{"id": "1"}'), Event(b'{"id": "2"}'))
    assert evaluate("$response.body#/id", CompletedExchange(Exchange(REQUEST, Reply(200, {}, events)), {})) == "1"


@pytest.mark.parametrize(
    "text",
    ["$request.header.x", "$request.query.x", "$request.path.x", "$response.body#/x", "$request.body#/n/9", "$other"],
)
def test_an_expression_that_names_nothing_is_an_error(text: str) -> None:
    with pytest.raises(LookupError, match=r"names nothing in the exchange before|is not a runtime expression"):
        evaluate(text, BEFORE)


def test_a_body_other_than_json_has_no_parts() -> None:
    with pytest.raises(LookupError, match="names nothing"):
        evaluate("$response.body#/id", CompletedExchange(Exchange(REQUEST, Reply(204, {}, b"")), {}))
