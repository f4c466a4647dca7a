"""Event streams and lines of JSON: documented items in order, sampled ones, their end and their pace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from agent_contract import check_reply
from mockserver.build import create_engine
from mockserver.generation.latency import Pace
from tests.agent_contract.support.documents import compiled
from tests.mockserver.documented.support.played import document, getting, play, send

EVENTS = "text/event-stream"
CHUNK = {"type": "object", "required": ["n"], "properties": {"n": {"type": "integer"}}, "additionalProperties": False}


def sent(folder: Path, media_type: str, media: Any, description: str = "", prefer: str = "") -> bytes:
    """Return the body of an answer of a media type; it is as documented."""
    engine = play(folder, document({"/it": getting({media_type: media}, description=description)}))
    exchange = send(engine, "GET", "/it", headers={"Prefer": prefer} if prefer else {})
    assert exchange.reply.headers["content-type"] == media_type
    assert isinstance(exchange.reply.body, tuple), "it is a stream"
    assert check_reply(engine.contract.operations["read"], exchange.reply) == ()
    return exchange.reply.content()


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ({"schema": CHUNK, "examples": {"a": {"value": {"n": 1}}, "b": {"value": {"n": 2}}}},
         b'data: {"n":1}\n\ndata: {"n":2}\n\n'),
        ({"schema": CHUNK, "example": [{"n": 1}, {"n": 2}]}, b'data: {"n":1}\n\ndata: {"n":2}\n\n'),
        ({"schema": {"type": "array", "items": CHUNK}, "example": [{"n": 1}]}, b'data: {"n":1}\n\n'),
        ({"schema": {"type": "string"}, "example": 'event: a\ndata: {"n":1}\n\ndata: [DONE]\n\n'},
         b'event: a\ndata: {"n":1}\n\ndata: [DONE]\n\n'),
        ({"schema": {"type": "string"}, "example": "hello"}, b"data: hello\n\n"),
        ({"example": {"event": "a", "data": {"n": 1}}}, b'event: a\ndata: {"n":1}\n\n'),
    ],
    ids=["named examples", "a list", "an array of events", "the text of a stream", "a string", "an event"],
)  # fmt: skip
def test_documented_events_are_sent_in_order(tmp_path: Path, media: Any, expected: bytes) -> None:
    assert sent(tmp_path, EVENTS, media) == expected


@pytest.mark.parametrize("keyword", ["schema", "itemSchema"])
@pytest.mark.parametrize("media_type", [EVENTS, "application/x-ndjson", "application/json-seq"])
def test_several_items_are_sampled(tmp_path: Path, media_type: str, keyword: str) -> None:
    body = sent(tmp_path, media_type, {keyword: CHUNK})

    assert body.count(b'{"n":') == 3


def test_events_have_the_names_of_their_schema(tmp_path: Path) -> None:
    shaped = {
        "type": "object",
        "required": ["event", "data"],
        "properties": {"event": {"const": "step"}, "data": {"type": "string", "const": "x"}},
    }

    assert sent(tmp_path, EVENTS, {"itemSchema": shaped}) == b"event: step\ndata: x\n\n" * 3


@pytest.mark.parametrize(
    ("media_type", "expected"),
    [("application/jsonl", b'{"n":1}\n{"n":2}\n'), ("application/json-seq", b'\x1e{"n":1}\n\x1e{"n":2}\n')],
)
@pytest.mark.parametrize("example", [[{"n": 1}, {"n": 2}], '{"n":1}\n{"n":2}\n'], ids=["list", "text"])
def test_documented_values_are_sent_one_after_the_other(
    tmp_path: Path, media_type: str, expected: bytes, example: Any
) -> None:
    assert sent(tmp_path, media_type, {"itemSchema": CHUNK, "example": example}) == expected


def test_the_usual_end_is_sent_if_the_document_shows_it(tmp_path: Path) -> None:
    body = sent(tmp_path, EVENTS, {"schema": CHUNK, "example": {"n": 1}}, "The stream ends with `data: [DONE]`.")

    assert body == b'data: {"n":1}\n\ndata: [DONE]\n\n'


def test_a_named_example_is_sent_alone_if_it_is_preferred(tmp_path: Path) -> None:
    media = {"schema": CHUNK, "examples": {"a": {"value": {"n": 1}}, "b": {"value": {"n": 2}}}}

    assert sent(tmp_path, EVENTS, media, prefer="example=b") == b'data: {"n":2}\n\n'


def test_items_are_sent_at_the_pace_of_the_mock(tmp_path: Path) -> None:
    contract = compiled(tmp_path, document({"/it": getting({EVENTS: {"schema": CHUNK}})}))
    engine = create_engine(contract, pace=Pace(ttft=2, tps=4))

    reply = send(engine, "GET", "/it").reply

    assert [event.delay for event in reply.body] == [2, 0.25, 0.25]  # type: ignore[union-attr]


def test_a_request_that_asks_for_a_stream_gets_one(tmp_path: Path) -> None:
    path = getting({"application/json": {"example": 1}, EVENTS: {"schema": CHUNK}})
    path["post"] = {**path.pop("get"), "requestBody": {"content": {"application/json": {}}}}
    engine = play(tmp_path, document({"/it": path}))

    types = [
        send(engine, "POST", "/it", body).reply.headers["content-type"]
        for body in ({"stream": True}, {"stream": False})
    ]

    assert types == [EVENTS, "application/json"]


def test_a_wrong_item_of_a_stream_is_found(tmp_path: Path) -> None:
    engine = play(tmp_path, document({"/it": getting({"application/jsonl": {"itemSchema": CHUNK}})}))
    reply = send(engine, "GET", "/it").reply
    wrong = type(reply)(reply.status, reply.headers, orjson.dumps({"n": 1}) + b'\n{"n": "x"}\n')

    (violation,) = check_reply(engine.contract.operations["read"], wrong)

    assert violation.place == "body/1/n"
