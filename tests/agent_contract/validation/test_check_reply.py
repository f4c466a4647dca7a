"""Replies: status, headers, media type, body, and the events of a stream."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_contract import Contract, Event, Reply, check_reply
from tests.agent_contract.support.documents import compiled, only

JSON = {"content-type": "application/json"}
STREAM = {"content-type": "text/event-stream; charset=utf-8"}


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    chunk = {"type": "object", "required": ["id"], "properties": {"id": {"type": "string"}}}
    text = {"type": "string", "pattern": r"^\s*\{", "contentMediaType": "application/json", "contentSchema": chunk}
    event = {
        "type": "object",
        "required": ["data"],
        "properties": {"event": {"const": "chunk"}},
        "oneOf": [{"properties": {"data": {"const": "[DONE]"}}}, {"properties": {"data": text}}],
    }
    content: dict[str, Any] = {
        "application/json": {"schema": {"type": "integer"}},
        "text/event-stream": {"schema": event},
        "text/*": {"schema": {"type": "string", "maxLength": 3}},
    }
    limit = {"required": True, "schema": {"type": "integer"}}
    responses = {
        "200": {"description": "ok", "content": content},
        "204": {"description": "nothing"},
        "4XX": {
            "description": "refused",
            "headers": {"X-Limit": limit},
            "content": {"application/json": {"schema": {}}},
        },
    }
    paths = {"/x": {"get": {"responses": responses}}}
    return compiled(tmp_path, {"openapi": "3.1.0", "info": {"title": "T", "version": "1"}, "paths": paths})


def broken(contract: Contract, reply: Reply) -> list[tuple[str, str]]:
    return [(violation.place, violation.rule) for violation in check_reply(only(contract), reply)]


def test_a_reply_as_documented_breaks_nothing(contract: Contract) -> None:
    assert broken(contract, Reply(200, JSON, b"1")) == []


def test_a_status_that_is_not_documented_is_named_with_those_that_are(contract: Contract) -> None:
    (violation,) = check_reply(only(contract), Reply(500, {}, b""))
    assert (violation.place, violation.rule, violation.expected, violation.got) == (
        "status",
        "responses",
        ["200", "204", "4XX"],
        500,
    )
    assert violation.pointer == "#/paths/~1x/get/responses"


def test_a_body_is_checked(contract: Contract) -> None:
    assert broken(contract, Reply(200, JSON, b'"x"')) == [("body", "type")]
    assert broken(contract, Reply(200, JSON, b"{")) == [("body", "json")]
    assert broken(contract, Reply(200, {"content-type": "text/plain"}, b"long")) == [("body", "maxLength")]


@pytest.mark.parametrize("headers", [{}, {"content-type": "image/png"}])
def test_a_media_type_that_is_not_documented_is_named(contract: Contract, headers: dict[str, str]) -> None:
    assert broken(contract, Reply(200, headers, b"1")) == [("headers/content-type", "content")]


def test_a_reply_without_documented_content_may_have_any(contract: Contract) -> None:
    assert broken(contract, Reply(204, {"content-type": "text/html"}, b"<p>")) == []


def test_a_range_of_statuses_and_its_headers_are_checked(contract: Contract) -> None:
    assert broken(contract, Reply(404, JSON, b"{}")) == [("headers/x-limit", "required")]
    assert broken(contract, Reply(404, {**JSON, "x-limit": "x"}, b"{}")) == [("headers/x-limit", "type")]
    assert broken(contract, Reply(404, {**JSON, "x-limit": "7"}, b"{}")) == []


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((Event(b'{"id": "a"}'), Event(b"[DONE]")), []),
        ((Event(b'{"id": "a"}', "chunk"),), []),
        ((Event(b'{"id": 1}'), Event(b"[DONE]")), [("body/0/data/id", "type")]),
        ((Event(b"[DONE]"), Event(b"{}")), [("body/1/data/id", "required")]),
        ((Event(b'{"id": '),), [("body/0/data", "json")]),
        ((Event(b"[DONE]", "other"),), [("body/0/event", "const")]),
        ((Event(b"done"),), [("body/0/data", "pattern")]),
    ],
)
def test_each_event_of_a_stream_is_checked_and_the_json_in_its_data(
    contract: Contract, events: tuple[Event, ...], expected: list[tuple[str, str]]
) -> None:
    """On the wire and as values."""
    assert broken(contract, Reply(200, STREAM, events)) == expected
    assert broken(contract, Reply(200, STREAM, Reply(200, {}, events).content())) == expected


def test_the_json_in_an_event_is_pointed_to_in_the_document(contract: Contract) -> None:
    (violation,) = check_reply(only(contract), Reply(200, STREAM, (Event(b'{"id": 1}'),)))
    assert violation.pointer.endswith("/oneOf/1/properties/data/contentSchema/properties/id/type")
    assert contract.at(violation.pointer) == "string"


@pytest.mark.parametrize(
    ("stream", "expected"),
    [
        (b"data: a\n\n", [Event(b"a")]),
        (b"data: a\r\ndata: b\r\n\r\n", [Event(b"a\nb")]),
        (b"data:a\rdata\r\rdata: \n\n", [Event(b"a\n"), Event(b"")]),
        (b": comment\n\nevent: e\nid: 7\ndata: a\n\n", [Event(b"a", "e")]),
        (b"\xef\xbb\xbfdata: a\n\ndata: lost", [Event(b"a")]),
        (b"event: e\n\ndata: a\n\n", [Event(b"a")]),
        (b"", []),
    ],
)
def test_bytes_become_events_by_the_event_stream_format(stream: bytes, expected: list[Event]) -> None:
    from agent_contract import parse_events

    assert list(parse_events(stream)) == expected
