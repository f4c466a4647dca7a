"""Named request examples and the settings of their exchange."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_contract import Example, load_contract
from tests.agent_contract.support.documents import compiled, only, refusal, with_schema


def with_examples(**examples: Any) -> dict[str, Any]:
    document = with_schema({"type": "object"})
    operation = document["paths"].pop("/things")["post"]
    identity = {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}, "example": "demo"}
    operation["requestBody"]["content"] = {"application/json": {"schema": {"type": "object"}, "examples": examples}}
    document["paths"]["/things/{id}"] = {"parameters": [identity], "post": operation}
    return document


def the(folder: Path, exchange: dict[str, Any], **rest: Any) -> Example:
    document = with_examples(first={"value": {}}, one={"value": {"a": "é"}, "x-exchange": exchange, **rest})
    return only(compiled(folder, document)).example("one")


def test_an_example_without_settings_gets_defaults(tmp_path: Path) -> None:
    found = the(tmp_path, {})
    assert (found.status, found.media_type, found.method, found.path) == (
        200,
        "application/json",
        "POST",
        {"id": "demo"},
    )
    assert found.headers == {"content-type": "application/json"}
    assert found.body == '{"a":"é"}'.encode()
    assert (found.value, found.after, found.set, found.shows, found.requires_token) == ({"a": "é"}, "", {}, (), False)


def test_an_example_may_have_all_settings(tmp_path: Path) -> None:
    settings = {"status": 404, "media-type": "text/html", "method": "put", "path": {"id": 7}, "query": {"q": True}}
    settings |= {"headers": {"X-A": 1, "content-type": None}, "requires-token": True, "after": "first"}
    settings |= {"set": {"/a": "$response.body#/id"}}
    found = the(tmp_path, settings)
    assert (found.status, found.media_type, found.method) == (404, "text/html", "PUT")
    assert (found.path, found.query, found.headers) == ({"id": "7"}, (("q", "true"),), {"x-a": "1"})
    assert (found.after, found.set, found.requires_token) == ("first", {"/a": "$response.body#/id"}, True)


@pytest.mark.parametrize(
    ("body", "sent", "value"),
    [
        ({"text": "{x"}, b"{x", None),
        ({"text": "[1]"}, b"[1]", [1]),
        ({"base64": "/w=="}, b"\xff", None),
        ({"repeat": {"text": "[", "times": 3}}, b"[[[", None),
        ({"repeat": {"text": "a", "times": 3, "before": '["', "after": '"]'}}, b'["aaa"]', ["aaa"]),
        ({"text": ""}, b"", None),
    ],
)
def test_a_body_may_be_written_as_its_bytes(tmp_path: Path, body: Any, sent: bytes, value: Any) -> None:
    found = the(tmp_path, {"body": body})
    assert (found.body, found.value) == (sent, value)


@pytest.mark.parametrize(
    ("exchange", "problem"),
    [
        ({"statsu": 1}, "'statsu' is not a setting of an exchange"),
        ({"status": "200"}, "'status' must be a number"),
        ({"status": True}, "'status' must be a number"),
        ({"shows": "a.b"}, "'shows' must be a list"),
        ({"body": {"txt": "a"}}, "is not a body"),
        ({"body": {"base64": "?"}}, "is not a body"),
        ({"body": {"repeat": {"text": "a", "times": 10**12}}}, "is not a body"),
        ({"shows": ["a.b"]}, "unknown clause 'a.b'"),
        ({"after": "missing"}, "no earlier example is called 'missing'"),
        ({"after": "one"}, "no earlier example is called 'one'"),
        (
            {"set": {"/a": "$response.body#/id"}},
            "'set' takes from the exchange of an example before, and 'after' names none",
        ),
    ],
)
def test_an_exchange_that_can_not_be_played_is_refused(tmp_path: Path, exchange: dict[str, Any], problem: str) -> None:
    document = with_examples(one={"value": {}, "x-exchange": exchange})
    error = refusal(tmp_path, document)
    assert error.problem == problem
    assert "/examples/one/x-exchange" in error.pointer


def test_an_example_may_be_a_reference(tmp_path: Path) -> None:
    document = with_examples(one={"$ref": "#/components/examples/One"})
    document["components"]["examples"] = {"One": {"value": {"a": 1}, "x-exchange": {"status": 400}}}
    found = only(compiled(tmp_path, document)).example("one")
    assert (found.name, found.value, found.status, found.pointer) == ("one", {"a": 1}, 400, "#/components/examples/One")


#: What takes more than a request: a store that is gone, a thing linked to an agent, a thousand agents.
NOT_SHOWN = {"Unavailable", "AgentLinked", "IndexingUnsupported", "TooManyAgents"}


def test_every_documented_response_of_the_kit_s_own_has_an_example() -> None:
    contract = load_contract()
    there = {reply.pointer for operation in contract.operations.values() for reply in operation.responses.values()}
    shown = {reply.pointer for step in contract.examples if (reply := step.operation.response(step.example.status))}
    assert {pointer.rpartition("/")[2] for pointer in there - shown} == NOT_SHOWN
