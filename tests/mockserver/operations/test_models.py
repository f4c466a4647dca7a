"""Models: listed, and asked without an agent."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.config import Config
from mockserver.resources.agents import OPENAI_ROLES
from mockserver.resources.models import Model
from mockserver.stores import MemoryStore
from tests.mockserver.support.api_client import COMPLETER, EMBEDDER, ApiClient
from tests.mockserver.support.chat_client import engine

PATH = "/chat/completions"


def asked(*messages: Any, model: str = COMPLETER, **fields: Any) -> dict[str, Any]:
    return {"model": model, "messages": list(messages) or [{"role": "user", "content": "Hello!"}], **fields}


def test_the_models_are_listed_with_what_they_do_and_what_runs_them(call: ApiClient) -> None:
    listed = call.get("/models")
    kinds = {model["id"]: (model["model_type"], model["model_engine"]) for model in listed["data"]}
    assert kinds == {COMPLETER: ("COMPLETIONS", "VLLM"), EMBEDDER: ("EMBEDDINGS", "INFINITY")}
    assert listed["object"] == "list"
    assert all(model["object"] == "model" for model in listed["data"])


def test_the_models_of_agents_are_listed_and_can_be_asked(call: ApiClient) -> None:
    agent = call.agent(model="mistral-7b")
    assert [model["id"] for model in call.get("/models")["data"]] == [COMPLETER, EMBEDDER, "mistral-7b"]
    assert call.post(PATH, asked(model="mistral-7b"))["model"] == "mistral-7b"
    call.answer("DELETE", f"/agents/{agent['id']}")
    assert call.refusal("POST", PATH, asked(model="mistral-7b"))[:2] == (404, "models.unknown")


def test_declared_models_take_the_place_of_the_usual_ones() -> None:
    config = Config(agents={}, models=(Model("tiny", engine="LLAMA_CPP"),))
    listed = ApiClient(engine(config)).get("/models")["data"]
    assert [(model["id"], model["model_engine"]) for model in listed] == [("tiny", "LLAMA_CPP")]


def test_a_model_answers_as_an_agent_does_without_instructions(call: ApiClient) -> None:
    answer = call.post(PATH, asked(n=2, temperature=0.7, max_tokens=3))
    assert (answer["model"], answer["object"]) == (COMPLETER, "chat.completion")
    assert [choice["finish_reason"] for choice in answer["choices"]] == ["length"] * 2
    assert answer["usage"] == {"prompt_tokens": 2, "completion_tokens": 6, "total_tokens": 8}


def test_a_model_streams_the_same_answer(call: ApiClient) -> None:
    content = call.post(PATH, asked())["choices"][0]["message"]["content"]
    *chunks, last = call.events(PATH, asked(stream_options={"include_usage": True}))
    assert "".join(chunk["choices"][0]["delta"].get("content", "") for chunk in chunks) == content
    assert last["usage"]["prompt_tokens"] == 2


def test_an_answer_of_a_model_ends_before_a_stop_sequence(call: ApiClient) -> None:
    content = call.post(PATH, asked(stop=["."]))["choices"][0]["message"]["content"]
    assert "." not in content


@pytest.mark.parametrize("role", sorted(OPENAI_ROLES))
def test_a_model_takes_every_role_that_openai_knows(call: ApiClient, role: str) -> None:
    call.post(PATH, asked({"role": role, "content": "Hello!"}))


def test_an_unknown_role_is_refused(call: ApiClient) -> None:
    status, _, detail = call.refusal("POST", PATH, asked({"role": "narrator", "content": "Once."}))
    assert status == 400
    assert "narrator" in detail


def test_a_chat_with_a_model_keeps_nothing_and_names_no_session() -> None:
    store = MemoryStore()
    answer = ApiClient(engine(store=store)).post(PATH, asked(create_session=True, store_in_session="x"))
    assert "session_id" not in answer
    assert store.items() == ()


@pytest.mark.parametrize("model", ["gpt-unknown", "", "x" * 1000])
@pytest.mark.parametrize(("path", "body"), [(PATH, asked()), ("/embeddings", {"input": "Hello!"})])
def test_an_unknown_model_is_not_found(call: ApiClient, path: str, body: Any, model: str) -> None:
    status, clause, detail = call.refusal("POST", path, {**body, "model": model})
    assert (status, clause) == (404, "models.unknown")
    assert COMPLETER in detail
    assert len(detail) < 400


@pytest.mark.parametrize(
    ("path", "body", "model"), [(PATH, asked(), EMBEDDER), ("/embeddings", {"input": "Hello!"}, COMPLETER)]
)
def test_a_model_of_the_other_kind_is_refused(call: ApiClient, path: str, body: Any, model: str) -> None:
    status, clause, detail = call.refusal("POST", path, {**body, "model": model})
    assert (status, clause) == (400, "models.wrong-kind")
    assert model in detail


@pytest.mark.parametrize("missing", ["model", "messages"])
def test_a_chat_with_a_model_needs_model_and_messages(call: ApiClient, missing: str) -> None:
    body = {name: value for name, value in asked().items() if name != missing}
    status, clause, _ = call.refusal("POST", PATH, body)
    assert (status, clause) == (422, f"model-chat.{missing}-required")
