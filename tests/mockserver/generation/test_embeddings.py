"""Embeddings: unit vectors that are equal for equal inputs, and similar for inputs that share words."""

from __future__ import annotations

import base64
import json
import math
import struct
from itertools import combinations
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.generation.embeddings import embed as vector_of
from tests.mockserver.support.api_client import EMBEDDER, ApiClient
from tests.mockserver.support.chat_client import limited

#: Each row shares words, no two rows do.
ROWS = (
    ("the sea is blue today", "today the sea looks grey", "who painted that blue sea"),
    ("my bicycle needs new tyres", "tyres for a bicycle", "a bicycle with red tyres"),
    ("please refund this invoice", "an invoice without refund", "refund or no refund"),
)


def embed(call: ApiClient, texts: Any, **fields: Any) -> list[Any]:
    answer = call.post("/embeddings", {"model": EMBEDDER, "input": texts, **fields})
    assert [one["index"] for one in answer["data"]] == list(range(len(answer["data"])))
    return [one["embedding"] for one in answer["data"]]


def cosine(one: list[float], other: list[float]) -> float:
    return math.fsum(a * b for a, b in zip(one, other, strict=True))


def test_an_answer_has_all_that_openai_has(call: ApiClient) -> None:
    answer = call.post("/embeddings", {"model": EMBEDDER, "input": ["Hello there!", "Bye."]})
    assert answer.keys() == {"object", "data", "model", "usage"}
    assert (answer["object"], answer["model"]) == ("list", EMBEDDER)
    assert [one["object"] for one in answer["data"]] == ["embedding"] * 2
    assert answer["usage"] == {"prompt_tokens": 5, "total_tokens": 5}


def test_equal_inputs_have_equal_vectors_alone_and_in_a_list(call: ApiClient) -> None:
    first, second, third = embed(call, ["the sea", "a bicycle", "the sea"])
    assert first == third != second
    assert embed(call, "the sea") == [first]
    assert embed(ApiClient(), "the sea") == [first]


@pytest.mark.parametrize("dimensions", [256, 1024, 4096])
def test_inputs_that_share_words_are_nearer_than_inputs_that_do_not(call: ApiClient, dimensions: int) -> None:
    rows = [embed(call, list(row), dimensions=dimensions) for row in ROWS]
    near = [cosine(*pair) for row in rows for pair in combinations(row, 2)]
    far = [cosine(a, b) for one, other in combinations(rows, 2) for a in one for b in other]
    assert min(near) > max(far)


@given(
    text=st.text(alphabet=st.characters(exclude_categories=["Cs"])),
    dimensions=st.integers(1, 64) | st.just(1024),
)
def test_every_text_has_a_vector_of_length_one(text: str, dimensions: int) -> None:
    numbers = json.loads(orjson.dumps(vector_of(text, EMBEDDER, dimensions).as_json()))
    assert len(numbers) == dimensions
    assert math.isclose(math.fsum(number * number for number in numbers), 1, rel_tol=1e-6)


@pytest.mark.parametrize(("fields", "length"), [({}, 384), ({"dimensions": None}, 384), ({"dimensions": 1}, 1)])
def test_a_vector_has_as_many_numbers_as_are_asked_for(call: ApiClient, fields: Any, length: int) -> None:
    assert [len(one) for one in embed(call, ["a", ""], **fields)] == [length] * 2


@pytest.mark.parametrize("dimensions", [None, 7])
def test_base64_holds_the_same_numbers_as_little_endian_floats(call: ApiClient, dimensions: int | None) -> None:
    (numbers,) = embed(call, "the sea", dimensions=dimensions, encoding_format="float")
    (text,) = embed(call, "the sea", dimensions=dimensions, encoding_format="base64")
    packed = base64.b64decode(text, validate=True)
    assert list(struct.unpack(f"<{len(numbers)}f", packed)) == numbers


def test_each_model_has_vectors_of_its_own() -> None:
    assert vector_of("the sea", "one", 64) != vector_of("the sea", "other", 64)


@pytest.mark.parametrize(("fields", "limit"), [({"dimensions": 9}, "8"), ({"input": ["a"] * 4}, "3")])
def test_a_request_beyond_the_limits_is_refused_and_the_limit_named(fields: Any, limit: str) -> None:
    call = ApiClient(limited(dimensions=8, texts=3))
    status, _, detail = call.refusal(
        "POST", "/embeddings", {"model": EMBEDDER, "input": "a", "dimensions": 8, **fields}
    )
    assert status == 400
    assert f"the limit is {limit}." in detail
    embed(call, ["a"] * 3, dimensions=8)


def test_the_numbers_of_all_vectors_together_are_bounded(call: ApiClient) -> None:
    sent = {"model": EMBEDDER, "input": ["a"] * 513, "dimensions": 4096}
    status, _, detail = call.refusal("POST", "/embeddings", sent)
    assert (status, "the limit is 2097152" in detail) == (400, True)


@pytest.mark.parametrize("dimensions", [10**20, 2.0])
def test_an_unusual_number_of_dimensions_does_not_break_the_server(call: ApiClient, dimensions: float) -> None:
    body = {"model": EMBEDDER, "input": "a", "dimensions": dimensions}
    assert call.status("POST", "/embeddings", body) == (200 if dimensions == 2 else 400)


@pytest.mark.parametrize(
    ("fields", "clause"),
    [
        ({"input": None}, ""),
        ({"input": []}, ""),
        ({"input": [1, 2]}, ""),
        ({"input": ...}, "embeddings.input-required"),
        ({"model": ...}, "embeddings.model-required"),
        ({"dimensions": 0}, ""),
        ({"encoding_format": "hex"}, ""),
    ],
)
def test_a_body_that_breaks_its_schema_is_refused(call: ApiClient, fields: Any, clause: str) -> None:
    sent = {"model": EMBEDDER, "input": "a", **fields}
    body = {name: value for name, value in sent.items() if value is not ...}
    assert call.refusal("POST", "/embeddings", body)[:2] == (422, clause)
