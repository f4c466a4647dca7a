"""Legacy completions: text that continues prompts."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.resources.agents import BUILT_IN
from mockserver.stores import MemoryStore
from tests.mockserver.support.api_client import ApiClient
from tests.mockserver.support.chat_client import UNKNOWN, engine, limited, stored_messages

DEMO = BUILT_IN[0]
PATH = "/agents/demo/completions"


def texts(answer: Any) -> list[str]:
    return [choice["text"] for choice in answer["choices"]]


def test_a_prompt_is_answered(call: ApiClient) -> None:
    answer = call.post(PATH, {"prompt": "Hello!"})
    assert answer.keys() == {"id", "object", "created", "model", "choices", "usage"}
    assert (answer["object"], answer["model"]) == ("text_completion", DEMO.model)
    assert [choice.keys() for choice in answer["choices"]] == [{"index", "text", "finish_reason"}]
    assert answer["usage"]["prompt_tokens"] == call.chat("demo")["usage"]["prompt_tokens"]
    assert call.post("/assistants/demo/completions", {"prompt": "Hello!"})["choices"] == answer["choices"]


def test_each_of_several_prompts_is_answered_for_itself(call: ApiClient) -> None:
    together = call.post(PATH, {"prompt": ["The sea.", "A bicycle."], "n": 2, "seed": 1})
    alone = [call.post(PATH, {"prompt": prompt, "n": 2, "seed": 1}) for prompt in ("The sea.", "A bicycle.")]
    assert texts(together) == [*texts(alone[0]), *texts(alone[1])]
    assert [choice["index"] for choice in together["choices"]] == [0, 1, 2, 3]
    assert together["usage"]["total_tokens"] == sum(one["usage"]["total_tokens"] for one in alone)


def test_a_streamed_completion_makes_up_the_plain_one(call: ApiClient) -> None:
    plain = call.post(PATH, {"prompt": ["One.", "Two."]})
    *chunks, last = call.events(PATH, {"prompt": ["One.", "Two."], "stream_options": {"include_usage": True}})
    said = ["", ""]
    for chunk in chunks:
        assert chunk["object"] == "text_completion"
        (choice,) = chunk["choices"]
        said[choice["index"]] += choice["text"]
    assert said == texts(plain)
    assert sorted(chunk["choices"][0]["index"] for chunk in chunks if chunk["choices"][0]["finish_reason"]) == [0, 1]
    assert (last["choices"], last["usage"]) == ([], plain["usage"])


def test_a_completion_is_cut_and_stopped_as_a_chat_is(call: ApiClient) -> None:
    cut = call.post(PATH, {"prompt": "The sea.", "max_tokens": 2})
    assert (cut["usage"]["completion_tokens"], cut["choices"][0]["finish_reason"]) == (2, "length")
    assert "." not in texts(call.post(PATH, {"prompt": "The sea.", "stop": ["."]}))[0]


def test_an_agent_with_knowledge_returns_its_passages(call: ApiClient) -> None:
    answer = call.post("/agents/demo-knowledge/completions", {"prompt": ["How long may I keep a borrowed book?"]})
    assert answer["index_context_info"][0]["metadata"]["origin_name"] == "loans.txt"


def test_a_session_keeps_every_prompt_with_its_first_answer() -> None:
    store = MemoryStore()
    call = ApiClient(engine(store=store))
    first = call.post(PATH, {"prompt": ["One.", "Two."], "n": 2, "create_session": True})
    session = first["session_id"]
    chunks = call.events(PATH, {"prompt": "Three.", "store_in_session": session})
    assert {chunk["session_id"] for chunk in chunks} == {session}
    kept = stored_messages(store, f"scope//session/{DEMO.id}/{session}")
    messages = [(message["role"], message["content"]) for message in kept]
    said = texts(first)
    assert messages[:4] == [("user", "One."), ("assistant", said[0]), ("user", "Two."), ("assistant", said[2])]
    assert messages[4] == ("user", "Three.")


def test_chats_and_completions_share_sessions(call: ApiClient) -> None:
    first = call.post(PATH, {"prompt": "The password is heron.", "create_session": True})
    second = call.chat("demo", "And now?", store_in_session=first["session_id"])
    assert second["usage"]["prompt_tokens"] == first["usage"]["total_tokens"] + 3


def test_fields_of_a_chat_mean_nothing_here(call: ApiClient) -> None:
    fields = {"messages": "x", "tools": 1, "max_completion_tokens": 1, "response_format": "x"}
    assert texts(call.post(PATH, {"prompt": "Hello!", **fields})) == texts(call.post(PATH, {"prompt": "Hello!"}))


@pytest.mark.parametrize(
    ("agent", "fields", "refusal"),
    [
        (UNKNOWN, {}, (404, "completions.agent-unknown")),
        ("demo", {"store_in_session": UNKNOWN}, (404, "completions.session-unknown")),
        ("demo", {"model": "gpt-unknown"}, (400, "completions.model-unexpected")),
        ("demo", {"prompt": ...}, (422, "completions.prompt-required")),
        ("demo", {"prompt": []}, (422, "")),
        ("demo", {"prompt": [1, 2]}, (422, "")),
        ("demo", {"n": 0}, (422, "")),
        ("demo", {"stop": ["x"] * 1025}, (400, "")),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_a_refused_request_names_its_clause(
    call: ApiClient, agent: str, fields: Any, refusal: Any, stream: bool
) -> None:
    sent = {"prompt": "Hello!", "stream": stream, **fields}
    body = {name: value for name, value in sent.items() if value is not ...}
    assert call.refusal("POST", f"/agents/{agent}/completions", body)[:2] == refusal


@pytest.mark.parametrize("body", [{"prompt": "a", "n": 5}, {"prompt": ["a"] * 3, "n": 2}, {"prompt": ["a"] * 5}])
def test_more_choices_than_the_bound_are_refused_those_of_all_prompts_together(body: Any) -> None:
    status, _, detail = ApiClient(limited(choices=4)).refusal("POST", PATH, body)
    assert status == 400
    assert "at most 4 choices" in detail


def test_an_unexpected_model_is_refused_with_the_published_message(call: ApiClient) -> None:
    _, _, detail = call.refusal("POST", PATH, {"prompt": "Hello!", "model": "gpt-unknown"})
    assert detail.startswith('Unexpected model "gpt-unknown" in completions message')
