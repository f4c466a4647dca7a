"""Which value is sent: the media type's example, a valid one of its examples, the schema's, or a sampled one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.mockserver.documented.support.played import document, getting, play, send, value

INTEGER = {"type": "integer", "minimum": 10, "maximum": 20}
PERSON = {"type": "object", "required": ["n"], "properties": {"n": INTEGER}}


def answer(folder: Path, media: Any, **options: Any) -> Any:
    """Return the exchange of a request that is answered with a media type."""
    engine = play(folder, document({"/it": getting({"application/json": media})}), **options)
    return send(engine, "GET", "/it")


@pytest.mark.parametrize(
    ("media", "expected"),
    [
        ({"schema": INTEGER, "example": 12, "x": 0}, 12),
        ({"schema": INTEGER, "examples": {"a": {"value": 1}, "b": {"value": 13}}}, 13),
        ({"schema": {**PERSON, "example": {"n": 14}}}, {"n": 14}),
        ({"schema": {**PERSON, "examples": [{"n": 1}, {"n": 15}]}}, {"n": 15}),
        ({"schema": PERSON, "example": '{"n": 16}'}, {"n": 16}),
        ({"example": {"free": True}}, {"free": True}),
    ],
    ids=["example", "first valid of examples", "schema", "first valid of the schema", "JSON as text", "no schema"],
)
def test_the_first_valid_example_is_sent(tmp_path: Path, media: Any, expected: Any) -> None:
    exchange = answer(tmp_path, media)

    assert value(exchange) == expected
    assert "x-mock-warning" not in exchange.reply.headers
    assert not exchange.hints


def test_a_refused_example_is_sent_with_a_warning(tmp_path: Path) -> None:
    exchange = answer(tmp_path, {"schema": PERSON, "example": {"n": 1}})

    assert value(exchange) == {"n": 1}
    assert "1 is less than the minimum of 10 (at /n)" in exchange.reply.headers["x-mock-warning"]
    assert "minimum of 10" in exchange.hints[0]


def test_a_refused_example_is_replaced_if_examples_are_strict(tmp_path: Path) -> None:
    exchange = answer(tmp_path, {"schema": PERSON, "example": {"n": 1}}, strict_examples=True)

    assert 10 <= value(exchange)["n"] <= 20
    assert "A sampled value is sent instead." in exchange.reply.headers["x-mock-warning"]


def test_a_refused_example_is_sent_if_no_value_exists(tmp_path: Path) -> None:
    exchange = answer(
        tmp_path, {"schema": {"type": "integer", "minimum": 2, "maximum": 1}, "example": 5}, strict_examples=True
    )

    assert (exchange.reply.status, value(exchange)) == (200, 5)


def test_a_schema_without_a_value_gets_501_with_the_reason_each_time(tmp_path: Path) -> None:
    engine = play(tmp_path, document({"/it": getting({"application/json": {"schema": {**INTEGER, "maximum": 3}}})}))

    first, second = send(engine, "GET", "/it"), send(engine, "GET", "/it")

    assert first.reply.status == 501
    assert "at least 10 and at most 3" in value(first)["detail"]
    assert second.reply.body is first.reply.body, "the answer is remembered"
