"""What a client prefers among the documented answers."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.engine import Engine
from tests.mockserver.documented.support.played import document, play, send, value

LIST = {"type": "array", "items": {"type": "integer"}, "maxItems": 8}
PATHS: dict[str, Any] = {
    "/pets": {
        "get": {
            "operationId": "listPets",
            "responses": {
                "200": {
                    "description": "ok",
                    "content": {
                        "application/json": {
                            "schema": LIST,
                            "examples": {"few": {"value": [1]}, "many": {"value": [1, 2, 3]}},
                        }
                    },
                },
                "404": {"description": "none", "content": {"application/json": {"example": {"gone": True}}}},
                "5XX": {"description": "failed"},
            },
        }
    },
    "/jobs": {
        "post": {"operationId": "run", "responses": {"2XX": {"description": "done"}, "default": {"description": "no"}}}
    },
    "/any": {"get": {"operationId": "any", "responses": {"default": {"description": "any"}}}},
    "/moved": {
        "get": {"operationId": "moved", "responses": {"404": {"description": "no"}, "302": {"description": "there"}}}
    },
    "/none": {"delete": {"operationId": "none", "responses": {"204": {"description": "deleted"}}}},
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return play(tmp_path_factory.mktemp("preferences"), document(PATHS))


@pytest.mark.parametrize(
    ("method", "address", "prefer", "status", "expected"),
    [
        ("GET", "/pets", "", 200, [1]),
        ("GET", "/pets", "code=404", 404, {"gone": True}),
        ("GET", "/pets", "code=503", 503, None),
        ("GET", "/pets", "example=many", 200, [1, 2, 3]),
        ("GET", "/pets", 'code=200, example="many"', 200, [1, 2, 3]),
        ("GET", "/pets", "respond-async; code=404", 404, {"gone": True}),
        ("GET", "/pets?__code=404", "", 404, {"gone": True}),
        ("GET", "/pets?__example=many", "", 200, [1, 2, 3]),
        ("POST", "/jobs", "", 200, None),
        ("POST", "/jobs", "code=201", 201, None),
        ("POST", "/jobs", "code=409", 409, None),
        ("GET", "/any", "", 200, None),
        ("GET", "/any", "code=418", 418, None),
        ("GET", "/moved", "", 302, None),
        ("DELETE", "/none", "", 204, None),
    ],
)
def test_a_preferred_response_is_sent(
    engine: Engine, method: str, address: str, prefer: str, status: int, expected: Any
) -> None:
    exchange = send(engine, method, address, headers={"Prefer": prefer} if prefer else {})

    assert exchange.reply.status == status
    assert (value(exchange) if exchange.reply.content() else None) == expected


@pytest.mark.parametrize(
    ("headers", "status", "reason"),
    [
        ({"Prefer": "code=418"}, 404, "listPets documents no response 418. Documented: 200, 404, 5XX."),
        ({"Prefer": "example=none"}, 404, "Documented examples: few, many."),
        ({"Prefer": "code=twelve"}, 400, "Expected a status such as 404."),
        ({"Prefer": "dynamic=perhaps"}, 400, "Expected true or false."),
        ({"X-Mock-Seed": "x"}, 400, "Expected a number"),
        ({"X-Mock-Array-Size": "1001"}, 400, "Expected a number from 0 to 1000"),
    ],
    ids=str,
)
def test_a_preference_that_cannot_be_met_is_refused_with_the_reason(
    engine: Engine, headers: dict[str, str], status: int, reason: str
) -> None:
    exchange = send(engine, "GET", "/pets", headers=headers)

    assert exchange.reply.status == status
    assert reason in exchange.reply.content().decode()


def test_a_dynamic_answer_is_sampled_and_differs(engine: Engine) -> None:
    answers = {send(engine, "GET", "/pets", headers={"Prefer": "dynamic=true"}).reply.content() for _ in range(8)}

    assert len(answers) > 1


def test_a_seed_decides_a_sampled_answer(engine: Engine) -> None:
    def sampled(seed: int) -> bytes:
        return send(engine, "GET", "/pets", headers={"X-Mock-Seed": str(seed)}).reply.content()

    assert sampled(4) == sampled(4)
    assert len({sampled(seed) for seed in range(8)}) > 1
    assert len({sampled(-1) for _ in range(8)}) > 1, "-1 is another value each time"


@pytest.mark.parametrize(("wanted", "got"), [(0, 0), (5, 5), (99, 8)])
def test_arrays_have_the_wished_size_as_far_as_the_schema_allows(engine: Engine, wanted: int, got: int) -> None:
    exchange = send(engine, "GET", "/pets", headers={"X-Mock-Array-Size": str(wanted)})

    assert len(value(exchange)) == got
