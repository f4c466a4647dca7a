"""What a chat is answered, and which chats are refused."""

from __future__ import annotations

import json
import uuid
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent_contract import check_reply
from mockserver.generation.tokenizer import count_tokens
from mockserver.resources.agents import BUILT_IN
from tests.mockserver.support.chat_client import NOW, OPERATION, UNKNOWN, ChatClient, engine, limited, request, user

DEMO, OPEN, KNOWLEDGE, _ = BUILT_IN


def test_an_answer_has_all_that_is_published(ask: ChatClient) -> None:
    answer = ask.answer()
    assert answer.keys() == {"id", "object", "created", "model", "choices", "usage"}
    assert (answer["object"], answer["created"], answer["model"]) == ("chat.completion", NOW, "llama-2-70b-chat-hf")
    assert uuid.UUID(answer["id"]).version == 4
    (choice,) = answer["choices"]
    assert choice.keys() == {"index", "message", "finish_reason"}
    assert choice["message"].keys() == {"role", "content"}
    assert (choice["index"], choice["message"]["role"], choice["finish_reason"]) == (0, "assistant", "stop")


def test_every_answer_has_an_id_of_its_own(ask: ChatClient) -> None:
    assert ask.answer()["id"] != ask.answer()["id"]


@pytest.mark.parametrize("name", [example.name for example in OPERATION.examples])
def test_an_example_gets_the_documented_reply(name: str) -> None:
    """Its status is tested with the fixtures, which play what an example follows; here nothing precedes it."""
    example = OPERATION.example(name)
    path = OPERATION.path.replace("{agent_id}", example.path["agent_id"])
    sent = replace(request(example.body), method=example.method, path=path, headers=example.headers)
    assert check_reply(OPERATION, engine().reply(sent)) == ()


@pytest.mark.parametrize("agent", ["demo", DEMO.id, DEMO.id.upper()])
def test_an_agent_is_addressed_by_its_name_and_its_id(ask: ChatClient, agent: str) -> None:
    assert ask.content(agent=agent) == ask.content()


def test_an_unknown_agent_is_not_found(ask: ChatClient) -> None:
    status, detail = ask.refusal(agent=UNKNOWN)
    assert status == 404
    assert detail.startswith("No agent found with the specified ID")
    assert UNKNOWN in detail
    assert "demo-open" in detail


@pytest.mark.parametrize("model", [None, "", "llama-2-70b-chat-hf"])
def test_the_agents_own_model_may_be_named_or_not(ask: ChatClient, model: str | None) -> None:
    assert ask.answer(model=model)["model"] == "llama-2-70b-chat-hf"


def test_another_model_is_refused_and_named(ask: ChatClient) -> None:
    status, detail = ask.refusal(model="gpt-x")
    assert status == 400
    assert "gpt-x" in detail
    assert "llama-2-70b-chat-hf" in detail


def test_an_open_agent_takes_any_model_and_echoes_it(ask: ChatClient) -> None:
    assert ask.answer(agent="demo-open", model="gpt-x")["model"] == "gpt-x"


@pytest.mark.parametrize("role", ["user", "assistant", "tool"])
def test_the_roles_of_a_conversation_are_accepted(ask: ChatClient, role: str) -> None:
    ask.answer({"role": role, "content": "Hello!"})


@pytest.mark.parametrize("role", ["system", "developer", "function", "narrator", "", "User"])
def test_every_other_role_is_refused_and_named(ask: ChatClient, role: str) -> None:
    status, detail = ask.refusal("Hello!", {"role": role, "content": "x"})
    assert status == 400
    assert f'"{role}" in message 1' in detail


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool", "function"])
def test_an_open_agent_takes_every_role_of_openais(ask: ChatClient, role: str) -> None:
    ask.answer({"role": role, "content": "Hello!"}, agent="demo-open")


def test_an_open_agent_refuses_an_unknown_role(ask: ChatClient) -> None:
    assert ask.refusal({"role": "narrator", "content": "x"}, agent="demo-open")[0] == 400


def test_n_choices_count_from_zero_and_differ(ask: ChatClient) -> None:
    choices = ask.answer("Teach me about the sea.", n=5)["choices"]
    assert [choice["index"] for choice in choices] == [0, 1, 2, 3, 4]
    assert len({choice["message"]["content"] for choice in choices}) == 5


@pytest.mark.parametrize("n", [128, 128.0])
def test_as_many_choices_as_the_bound_are_given(ask: ChatClient, n: float) -> None:
    assert len(ask.answer(n=n)["choices"]) == 128


@pytest.mark.parametrize("n", [129, 2_000_000_000, 10**30, 1e300])
def test_more_choices_than_the_bound_are_refused_with_the_bound(ask: ChatClient, n: float) -> None:
    status, detail = ask.refusal(n=n)
    assert status == 400
    assert "128" in detail


def test_more_stops_than_the_bound_are_refused_with_the_bound(ask: ChatClient) -> None:
    assert ask.answer(stop=["x"] * 1024)
    status, detail = ask.refusal(stop=["x"] * 1025)
    assert status == 400
    assert "1024" in detail


@pytest.mark.parametrize("stop", [".", " ", "\n", "e"])
def test_an_answer_ends_before_its_stop(ask: ChatClient, stop: str) -> None:
    whole = ask.content("Teach me about the sea.")
    assert stop in whole
    answer = ask.answer("Teach me about the sea.", stop=["\N{SNOWMAN}", stop])
    (choice,) = answer["choices"]
    assert choice["message"]["content"] == whole.partition(stop)[0]
    assert choice["finish_reason"] == "stop"


@pytest.mark.parametrize("limit", [1, 3, 7.0])
@pytest.mark.parametrize("name", ["max_tokens", "max_completion_tokens"])
def test_an_answer_is_cut_after_its_tokens(ask: ChatClient, name: str, limit: float) -> None:
    fields: dict[str, Any] = {name: limit}
    answer = ask.answer("Teach me about the sea.", n=2, **fields)
    for choice in answer["choices"]:
        assert count_tokens(choice["message"]["content"]) == limit
        assert choice["finish_reason"] == "length"
    assert answer["usage"]["completion_tokens"] == 2 * limit


def test_of_two_limits_the_smaller_one_counts(ask: ChatClient) -> None:
    assert ask.answer(max_tokens=2, max_completion_tokens=5)["usage"]["completion_tokens"] == 2
    assert ask.answer(max_tokens=5, max_completion_tokens=2)["usage"]["completion_tokens"] == 2


@pytest.mark.parametrize("limit", [1000, 10**18, 1e308])
def test_a_limit_that_is_not_reached_changes_nothing(ask: ChatClient, limit: float) -> None:
    choice = ask.answer(max_tokens=limit)["choices"][0]
    assert choice["message"]["content"] == ask.content()
    assert choice["finish_reason"] == "stop"


def test_usage_counts_instructions_and_messages_and_adds_up(ask: ChatClient) -> None:
    answer = ask.answer("Hello!", {"role": "assistant", "content": "Yes, please?"}, "And now?", n=2)
    usage = answer["usage"]
    assert usage["prompt_tokens"] == count_tokens(DEMO.instructions) + 2 + 4 + 3
    assert usage["completion_tokens"] == sum(count_tokens(one["message"]["content"]) for one in answer["choices"])
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]


def test_content_in_parts_counts_and_acts_as_its_text(ask: ChatClient) -> None:
    parts = [{"type": "text", "text": "Teach me"}, {"type": "text", "text": "about the sea."}]
    assert ask.content({"role": "user", "content": parts}) == ask.content("Teach me about the sea.")


def test_a_message_without_text_is_answered(ask: ChatClient) -> None:
    ask.answer({"role": "assistant", "content": None, "tool_calls": [{"id": "a", "type": "function"}]})


def test_null_counts_as_absent(ask: ChatClient) -> None:
    fields = ("n", "stop", "max_tokens", "temperature", "seed", "stream", "model", "create_session", "store_in_session")
    names = (*fields, "max_completion_tokens", "stream_options")
    assert ask.content("Hello!", **dict.fromkeys(names)) == ask.content("Hello!")


def test_without_temperature_the_same_request_gets_the_same_content(ask: ChatClient) -> None:
    assert ask.content("Teach me about the sea.") == ask.content("Teach me about the sea.")
    assert ask.content("Teach me about the sea.", temperature=0) == ask.content("Teach me about the sea.")


def test_with_a_temperature_the_content_varies(ask: ChatClient) -> None:
    contents = {ask.content("Teach me about the sea.", temperature=0.7) for _ in range(5)}
    assert len(contents) > 1


@pytest.mark.parametrize("seed", [0, -7, 10**18, 1.0])
def test_with_a_seed_the_same_request_gets_the_same_content(ask: ChatClient, seed: float) -> None:
    said: dict[str, Any] = {"temperature": 1.5, "seed": seed}
    assert ask.content("Teach me about the sea.", **said) == ask.content("Teach me about the sea.", **said)


def test_another_seed_gives_another_content(ask: ChatClient) -> None:
    contents = {ask.content("Teach me about the sea.", seed=seed) for seed in range(5)}
    assert len(contents) == 5


def test_other_words_give_another_content(ask: ChatClient) -> None:
    """The whole conversation counts, its roles included, and not only what was said last."""
    conversations: list[list[dict[str, Any]]] = [
        [user("Teach me about the sea.")],
        [user("Hello!"), user("Teach me about the sea.")],
        [{"role": "assistant", "content": "Hello!"}, user("Teach me about the sea.")],
        [user("Hello"), user("!Teach me about the sea.")],
    ]
    assert len({ask.content(*conversation) for conversation in conversations}) == 4


def test_n_max_tokens_and_stop_do_not_change_the_text(ask: ChatClient) -> None:
    whole = ask.content("Teach me about the sea.")
    assert ask.answer("Teach me about the sea.", n=3)["choices"][0]["message"]["content"] == whole
    assert whole.startswith(ask.content("Teach me about the sea.", max_tokens=5))


def test_an_agent_with_documents_returns_its_passages(ask: ChatClient) -> None:
    answer = ask.answer("How long may I keep a borrowed book?", agent="demo-knowledge")
    best, second = answer["index_context_info"]
    assert "four weeks" in best["text"]
    assert best["text"] in answer["choices"][0]["message"]["content"]
    assert best["metadata"]["score"] > second["metadata"]["score"]
    assert uuid.UUID(best["metadata"]["document_id"])


def test_the_same_seed_and_clock_give_the_same_bytes() -> None:
    first, second = (ChatClient(engine(seed=3)) for _ in range(2))
    for fields in ({}, {"temperature": 1}, {"stream": True}, {"create_session": True, "temperature": 2}):
        assert first.reply("Hello!", **fields) == second.reply("Hello!", **fields)


def test_another_seed_of_the_server_gives_other_ids_and_answers() -> None:
    one, other = (
        ChatClient(engine(seed=1)).answer("Teach me more."),
        ChatClient(engine(seed=2)).answer("Teach me more."),
    )
    assert one["id"] != other["id"]
    assert one["choices"] != other["choices"]


JSON_VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)
MESSAGES = st.lists(
    st.fixed_dictionaries(
        {
            "role": st.sampled_from(["user", "assistant", "tool", "system"]) | st.text(),
            "content": st.text() | JSON_VALUES,
        }
    )
    | JSON_VALUES,
    max_size=3,
)
KEYWORDS = ("type", "properties", "items", "enum", "minimum", "minItems", "pattern", "$ref", "anyOf", "required")
SCHEMA = st.dictionaries(st.sampled_from(KEYWORDS), st.sampled_from(["object", "#", "a", "string"]) | JSON_VALUES)
SCHEMAS = st.fixed_dictionaries({}, optional={"schema": SCHEMA})
TOOL = st.fixed_dictionaries(
    {
        "type": st.just("function"),
        "function": st.fixed_dictionaries({"name": st.sampled_from(["a", "b"])}, optional={"parameters": SCHEMA}),
    }
)
BODIES = st.fixed_dictionaries(
    {"messages": MESSAGES},
    optional={
        "n": st.integers(-1, 200) | JSON_VALUES,
        "stop": st.lists(st.text(), max_size=3) | JSON_VALUES,
        "max_tokens": st.integers(0, 100) | JSON_VALUES,
        "max_completion_tokens": st.integers(0, 100) | JSON_VALUES,
        "temperature": st.floats(-1, 3) | JSON_VALUES,
        "seed": st.integers() | JSON_VALUES,
        "stream": st.booleans() | JSON_VALUES,
        "stream_options": st.fixed_dictionaries({"include_usage": st.booleans()}) | JSON_VALUES,
        "create_session": st.booleans() | JSON_VALUES,
        "store_in_session": st.uuids().map(str) | JSON_VALUES,
        "model": st.sampled_from(["", "llama-2-70b-chat-hf"]) | JSON_VALUES,
        "tools": st.lists(TOOL, max_size=2) | JSON_VALUES,
        "tool_choice": st.sampled_from(["none", "auto", "required"]) | TOOL | JSON_VALUES,
        "response_format": st.fixed_dictionaries({"type": st.just("json_schema"), "json_schema": SCHEMAS})
        | JSON_VALUES,
    },
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(BODIES, st.sampled_from(["demo", "demo-open", "demo-knowledge", "demo-tools"]))
def test_whatever_is_asked_is_answered_as_documented(body: dict[str, Any], agent: str) -> None:
    """Never an exception, never an undocumented status or shape."""
    reply = engine().reply(request(json.dumps(body).encode("utf-8", "surrogatepass"), agent))
    assert reply.status in (200, 400, 404, 422)
    assert check_reply(OPERATION, reply) == ()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=200))
def test_whatever_bytes_come_are_refused_as_documented(body: bytes) -> None:
    reply = engine().reply(request(body))
    assert reply.status in (400, 422)
    assert check_reply(OPERATION, reply) == ()


@pytest.mark.parametrize(
    "depth",
    [200, 300, 900, 1000],
)
def test_what_is_nested_deep_is_kept_or_refused_and_never_fails(depth: int) -> None:
    nested = b"[" * depth + b"]" * depth
    body = b'{"messages":[{"role":"assistant","content":"x","tool_calls":[{"a":%s}]}],"create_session":true}' % nested
    ask = ChatClient()
    reply = ask.engine.reply(request(body))
    assert reply.status in (200, 400)
    if reply.status == 200:
        assert isinstance(reply.body, bytes)
        assert ask.answer(store_in_session=json.loads(reply.body)["session_id"])


def test_a_session_that_grows_too_large_is_refused_with_the_bound() -> None:
    ask = ChatClient(limited(session=2000))
    session = ask.answer("a " * 300, create_session=True)["session_id"]
    ask.answer("a " * 100, store_in_session=session)
    status, detail = ask.refusal("a " * 1000, store_in_session=session)
    assert status == 400
    assert "2000" in detail
