"""Models: their list, a chat with one, and embeddings."""

from __future__ import annotations

import base64
import binascii
import json
import math
import struct
from typing import Any

import pytest

from agent_contract.messages import JSON
from contract_tests.assertions import expect
from contract_tests.assertions.resources import (
    a_model,
    answering_model,
    conforming,
    ends_with_done,
    items,
    listed,
    models,
    offered,
    page,
)
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.payloads import plain
from contract_tests.verdict import failed, no_further_finding, not_tested, warning
from contract_tests.wire.exchange import Exchange

TYPES = ("COMPLETIONS", "EMBEDDINGS")
#: Those that are known; the list is open.
ENGINES = ("INFINITY", "LLAMA_CPP", "OPENAI", "TRITON_TENSORRT_LLM", "TRITON_VLLM", "VLLM")
#: The first and the last are equal, the first two share words, the third has none of theirs.
TEXTS: list[JSON] = [
    "The river runs through the old town.",
    "An old town by the river.",
    "Quarterly revenue exceeded forecasts.",
    "The river runs through the old town.",
]
_CHAT, _EMBED = "createChatCompletion", "createEmbedding"


@pytest.mark.clause("models.list")
def test_the_list_of_models_has_its_form(deployment: Deployment) -> None:
    """And each of its models."""
    exchange = listed(deployment, "listModels")
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange)


@pytest.mark.clause("models.list-object")
def test_the_list_of_models_has_its_object_type(deployment: Deployment) -> None:
    """Whatever it contains."""
    exchange = listed(deployment, "listModels")
    named = page(exchange).get("object")
    if named != "list":
        raise failed('object "list"', json.dumps(named), exchange)


@pytest.mark.clause("models.type")
def test_a_model_is_of_a_known_type(deployment: Deployment) -> None:
    """If the server names the kind."""
    exchange, given = _given(deployment, "model_type")
    if strange := [value for value in given if value not in TYPES]:
        raise failed(f"one of {', '.join(TYPES)}", json.dumps(strange[0]), exchange)


@pytest.mark.clause("models.engine")
def test_a_model_names_its_engine(deployment: Deployment) -> None:
    """By a string. An engine that is not known yet is a warning."""
    exchange, given = _given(deployment, "model_engine")
    if wrong := [value for value in given if not isinstance(value, str) or not value]:
        raise failed("a string that names the engine", json.dumps(wrong[0]), exchange)
    if strange := [value for value in given if value not in ENGINES]:
        raise warning(f"the engine {json.dumps(strange[0])} is not one of {', '.join(ENGINES)}", exchange)


def _given(deployment: Deployment, name: str) -> tuple[Exchange, list[Any]]:
    """Return the list of models and the values of a field in it; without any there is nothing to look at."""
    exchange = listed(deployment, "listModels")
    given = [item[name] for item in items(exchange) if item.get(name) is not None]
    if not given:
        raise not_tested(f"no model has a {name}")
    return exchange, given


@pytest.mark.clause("models.agents-own")
def test_the_agent_s_model_is_listed(deployment: Deployment) -> None:
    """By the name that its answers give it."""
    exchange = listed(deployment, "listModels")
    own = answering_model(deployment)
    if own not in [item.get("id") for item in items(exchange)]:
        raise failed(f"a list with {own}", f"{len(items(exchange))} others", exchange)


@pytest.mark.clause("models.unknown")
@pytest.mark.parametrize("operation", [_CHAT, _EMBED])
def test_an_unknown_model_is_refused(deployment: Deployment, operation: str) -> None:
    """No model has this name."""
    _has(deployment, operation)
    name = f"no-such-model-{deployment.unknown_id('model')[:8]}"
    body: JSON = plain(model=name) if operation == _CHAT else {"model": name, "input": "Hello!"}
    expect.status(deployment.ask(operation, body), expect.NOT_FOUND)


@pytest.mark.clause("models.wrong-kind")
@pytest.mark.parametrize("operation", [_CHAT, _EMBED])
def test_a_model_of_another_kind_is_refused(deployment: Deployment, operation: str) -> None:
    """If the list contains the kind of a model."""
    kind = TYPES[1] if operation == _CHAT else TYPES[0]
    exchange = listed(deployment, "listModels")
    names = [str(item["id"]) for item in items(exchange) if item.get("model_type") == kind and "id" in item]
    if not names:
        raise no_further_finding(f"no model is said to be of {kind}")
    _has(deployment, operation)
    body: JSON = plain(model=names[0]) if operation == _CHAT else {"model": names[0], "input": "Hello!"}
    expect.status(deployment.ask(operation, body), expect.BAD_REQUEST)


@pytest.mark.clause("model-chat.answer")
def test_a_chat_with_a_model_is_answered(deployment: Deployment) -> None:
    """In the form of a chat's answer."""
    exchange = _chat(deployment)
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange)


@pytest.mark.parametrize(
    "left_out",
    [
        pytest.param("model", marks=pytest.mark.clause("model-chat.model-required")),
        pytest.param("messages", marks=pytest.mark.clause("model-chat.messages-required")),
    ],
)
def test_a_chat_with_a_model_takes_model_and_messages(deployment: Deployment, left_out: str) -> None:
    """One of them is left out."""
    _chat(deployment)
    body = {name: value for name, value in plain(model=_model(deployment)).items() if name != left_out}
    expect.status(deployment.ask(_CHAT, body), expect.UNPROCESSABLE)


@pytest.mark.clause("model-chat.stream")
def test_a_streamed_chat_with_a_model_ends_with_done(deployment: Deployment) -> None:
    """And has chunks before."""
    _chat(deployment)
    exchange = deployment.ask(_CHAT, plain(model=_model(deployment), stream=True))
    ends_with_done(exchange)


@pytest.mark.parametrize(
    "left_out",
    [
        pytest.param("input", marks=pytest.mark.clause("embeddings.input-required")),
        pytest.param("model", marks=pytest.mark.clause("embeddings.model-required")),
    ],
)
def test_embeddings_take_input_and_model(deployment: Deployment, left_out: str) -> None:
    """One of them is left out."""
    _has(deployment, _EMBED)
    name = (models(deployment, TYPES[1]) or ["any"])[0]
    whole: dict[str, JSON] = {"input": "Hello!", "model": name}
    body: JSON = {name: value for name, value in whole.items() if name != left_out}
    expect.status(deployment.ask(_EMBED, body), expect.UNPROCESSABLE)


@pytest.mark.clause("embeddings.answer")
def test_inputs_are_embedded_one_by_one(deployment: Deployment) -> None:
    """Each vector has the index of its text."""
    exchange = _embedded(deployment)
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange)
    found = [item.get("index") for item in items(exchange)]
    if found != list(range(len(TEXTS))):
        raise failed(f"the indices 0 to {len(TEXTS) - 1}", json.dumps(found), exchange)


@pytest.mark.clause("embeddings.repeat")
def test_equal_inputs_have_equal_vectors(deployment: Deployment) -> None:
    """But for what a batch rounds."""
    exchange = _embedded(deployment)
    first, *_, last = _vectors(exchange)
    if _cosine(first, last) < 0.9999:
        raise failed("two equal vectors", f"a cosine of {_cosine(first, last):.4f}", exchange)


@pytest.mark.clause("embeddings.nearer")
def test_inputs_that_share_words_are_nearer(deployment: Deployment) -> None:
    """A town's river and another sentence on it, against one on revenue."""
    exchange = _embedded(deployment)
    one, like, unlike, _ = _vectors(exchange)
    if _cosine(one, like) <= _cosine(one, unlike):
        got = f"{_cosine(one, like):.4f} against {_cosine(one, unlike):.4f}"
        raise failed("a larger cosine for the like text than for the unlike one", got, exchange)


@pytest.mark.clause("embeddings.dimensions")
def test_a_vector_has_the_asked_for_dimensions(deployment: Deployment) -> None:
    """Not every model can be asked."""
    exchange = _embedded(deployment, dimensions=64)
    if exchange.status in range(400, 500):
        raise no_further_finding(f"the model has dimensions of its own: {exchange.described()}")
    sizes = {len(vector) for vector in _vectors(exchange)}
    if sizes != {64}:
        raise failed("64 numbers", json.dumps(sorted(sizes)), exchange)


@pytest.mark.clause("embeddings.base64")
def test_a_vector_can_be_had_as_base64(deployment: Deployment) -> None:
    """The same numbers, in 32 bits each."""
    exchange, plain_ones = _embedded(deployment, encoding_format="base64"), _vectors(_embedded(deployment))
    texts = [item.get("embedding") for item in items(exchange)]
    try:
        found = [struct.unpack(f"<{len(raw) // 4}f", raw) for raw in (base64.b64decode(str(text)) for text in texts)]
    except (binascii.Error, struct.error):
        found = []
    if len(found) != len(plain_ones) or any(not _near(*pair) for pair in zip(found, plain_ones, strict=True)):
        raise failed("the base64 of each vector's floats", exchange.described(), exchange)


def _has(deployment: Deployment, operation: str) -> None:
    """Raise `not supported` if the server lacks an operation: an empty body then gets no 404 for a model."""
    offered(deployment.ask(operation, {}))


def _model(deployment: Deployment) -> str:
    return a_model(deployment, TYPES[0])


def _chat(deployment: Deployment) -> Exchange:
    _has(deployment, _CHAT)
    return deployment.ask(_CHAT, plain(model=_model(deployment)))


def _embedded(deployment: Deployment, **fields: JSON) -> Exchange:
    _has(deployment, _EMBED)
    return deployment.ask(_EMBED, {"model": a_model(deployment, TYPES[1]), "input": TEXTS, **fields})


def _vectors(exchange: Exchange) -> list[list[float]]:
    found: list[Any] = [item.get("embedding") for item in items(exchange)]
    if len(found) != len(TEXTS) or not all(map(_is_vector, found)):
        raise not_tested(f"no vectors to look at: {exchange.described()}")
    return found


def _is_vector(value: object) -> bool:
    """Whether a value is a list of numbers that can be multiplied."""
    return (
        isinstance(value, list) and bool(value) and all(type(one) in (int, float) and abs(one) < 1e100 for one in value)
    )


def _cosine(one: list[float], other: list[float]) -> float:
    product = sum(a * b for a, b in zip(one, other, strict=False))
    return product / ((math.hypot(*one) * math.hypot(*other)) or 1.0)


def _near(found: tuple[float, ...], wanted: list[float]) -> bool:
    return len(found) == len(wanted) and all(abs(a - b) < 1e-3 for a, b in zip(found, wanted, strict=True))
