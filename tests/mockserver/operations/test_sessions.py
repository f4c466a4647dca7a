"""Sessions: created, used, extended, kept apart, and forgotten."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.core.limits import SYMBOLS
from mockserver.generation.tokenizer import count_tokens
from mockserver.resources.agents import BUILT_IN, by_address
from mockserver.stores import MemoryStore
from tests.mockserver.support.chat_client import CONTRACT, UNKNOWN, ChatClient, Clock, engine, stored_messages, user

DEMO = BUILT_IN[0]
ALONE = count_tokens(DEMO.instructions)


def stored(store: MemoryStore, session: str) -> list[tuple[str, str]]:
    """Return role and text of every message that a session keeps."""
    messages = stored_messages(store, f"scope//session/{DEMO.id}/{session}")
    return [(message["role"], message["content"]) for message in messages]


def prompt(answer: dict[str, dict[str, int]]) -> int:
    return answer["usage"]["prompt_tokens"]


def test_a_created_session_is_a_fresh_uuid_each_time(ask: ChatClient) -> None:
    ids = {ask.answer(create_session=True)["session_id"] for _ in range(3)}
    assert len(ids) == 3
    assert all(uuid.UUID(one).version == 4 for one in ids)


def test_an_answer_has_no_session_id_unless_requested(ask: ChatClient) -> None:
    assert "session_id" not in ask.answer()
    assert "session_id" not in ask.answer(create_session=False)


def test_a_session_is_used_and_extended_turn_by_turn(ask: ChatClient) -> None:
    first = ask.answer("The password is heron.", create_session=True)
    session = first["session_id"]
    second = ask.answer("And now?", store_in_session=session)
    third = ask.answer("And now?", store_in_session=session)
    assert prompt(second) == first["usage"]["total_tokens"] + 3
    assert prompt(third) == second["usage"]["total_tokens"] + 3
    assert second["session_id"] == third["session_id"] == session


def test_what_is_kept_are_the_messages_and_the_first_choice() -> None:
    store = MemoryStore()
    ask = ChatClient(engine(store=store))
    first = ask.answer("One.", {"role": "assistant", "content": "Two."}, "Three.", n=2, create_session=True)
    second = ask.answer(
        {"role": "user", "content": [{"type": "text", "text": "Four."}]}, store_in_session=first["session_id"]
    )
    assert stored(store, first["session_id"]) == [
        ("user", "One."),
        ("assistant", "Two."),
        ("user", "Three."),
        ("assistant", first["choices"][0]["message"]["content"]),
        ("user", "Four."),
        ("assistant", second["choices"][0]["message"]["content"]),
    ]


def test_a_cut_answer_is_kept_as_it_was_given() -> None:
    store = MemoryStore()
    answer = ChatClient(engine(store=store)).answer("Teach me about the sea.", max_tokens=2, create_session=True)
    assert stored(store, answer["session_id"])[-1] == ("assistant", answer["choices"][0]["message"]["content"])


def test_a_stream_opens_and_extends_sessions_as_a_plain_answer_does(ask: ChatClient) -> None:
    (session,) = {chunk["session_id"] for chunk in ask.chunks("The password is heron.", create_session=True)}
    options = {"include_usage": True}
    second = ask.chunks("And now?", store_in_session=session, stream_options=options)[-1]
    third = ask.answer("And now?", store_in_session=session)
    assert prompt(second) > ALONE + 3
    assert prompt(third) == second["usage"]["total_tokens"] + 3


def test_sessions_and_plain_requests_know_nothing_of_each_other(ask: ChatClient) -> None:
    one = ask.answer("A long first turn, with many words in it.", create_session=True)["session_id"]
    other = ask.answer("Short.", create_session=True)
    assert prompt(other) == ALONE + 2
    assert prompt(ask.answer("And now?", store_in_session=other["session_id"])) == other["usage"]["total_tokens"] + 3
    assert prompt(ask.answer("And now?")) == ALONE + 3
    assert one != other["session_id"]


def test_the_context_of_a_session_changes_the_answer(ask: ChatClient) -> None:
    session = ask.answer("The password is heron.", create_session=True)["session_id"]
    assert ask.content("Teach me more.", store_in_session=session) != ask.content("Teach me more.")


@pytest.mark.parametrize("session", [UNKNOWN, "00000000-0000-0000-0000-000000000000"])
def test_an_unknown_session_is_not_found(ask: ChatClient, session: str) -> None:
    status, detail = ask.refusal(store_in_session=session)
    assert status == 404
    assert session in detail


def test_another_agents_session_is_not_found(ask: ChatClient) -> None:
    session = ask.answer(create_session=True)["session_id"]
    assert ask.refusal(store_in_session=session, agent="demo-open")[0] == 404


def test_a_session_is_known_by_the_agents_name_and_by_its_id(ask: ChatClient) -> None:
    session = ask.answer(create_session=True, agent="demo")["session_id"]
    ask.answer(store_in_session=session, agent=DEMO.id)


def test_a_session_is_known_in_capitals_too(ask: ChatClient) -> None:
    session = ask.answer(create_session=True)["session_id"].upper()
    assert ask.answer(store_in_session=session)["session_id"] == session


def test_to_create_and_to_store_extends_the_named_session(ask: ChatClient) -> None:
    first = ask.answer("The password is heron.", create_session=True)
    both = ask.answer("And now?", create_session=True, store_in_session=first["session_id"])
    assert both["session_id"] == first["session_id"]
    assert prompt(both) == first["usage"]["total_tokens"] + 3


@pytest.mark.parametrize(
    "fields", [{"model": "x"}, {"n": 1000}, {"n": 0}, {"stop": []}, {"agent": UNKNOWN}, {"agent": "demo-open"}]
)
def test_a_refused_turn_leaves_its_session_as_it_was(fields: dict[str, object]) -> None:
    store = MemoryStore()
    ask = ChatClient(engine(store=store))
    session = ask.answer(create_session=True)["session_id"]
    before = store.get(f"scope//session/{DEMO.id}/{session}")
    assert ask.reply("Lost.", store_in_session=session, **fields).status >= 400  # type: ignore[arg-type]
    assert store.get(f"scope//session/{DEMO.id}/{session}") == before
    assert len(store.items()) == 1


def test_a_refused_request_creates_no_session() -> None:
    store = MemoryStore()
    assert ChatClient(engine(store=store)).reply(create_session=True, model="x").status == 400
    assert store.items() == ()


def test_a_session_is_forgotten_after_its_time() -> None:
    """The time runs from the last turn, not from the first."""
    agents = by_address([replace(DEMO, fields={**DEMO.fields, "session_max_ttl": 60})])
    clock = Clock()
    ask = ChatClient(create_engine(CONTRACT, Config(agents=agents), clock=clock))
    session = ask.answer(create_session=True)["session_id"]
    clock.now += 60
    ask.answer(store_in_session=session)
    clock.now += 60
    ask.answer(store_in_session=session)
    clock.now += 61
    assert ask.refusal(store_in_session=session)[0] == 404


def test_of_too_many_sessions_the_one_used_longest_ago_is_forgotten() -> None:
    ask = ChatClient(engine(store=MemoryStore(items=2)))
    first, second, third = (ask.answer(create_session=True)["session_id"] for _ in range(3))
    assert [ask.reply(store_in_session=one).status for one in (first, second, third)] == [404, 200, 200]


def test_concurrent_extensions_of_one_session_are_all_stored() -> None:
    store = MemoryStore()
    ask = ChatClient(engine(store=store))
    session = ask.answer("Start.", create_session=True)["session_id"]
    said = [f"Turn {number}." for number in range(80)]
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda text: ask.answer(text, store_in_session=session), said))
    kept = stored(store, session)
    assert sorted(text for role, text in kept[2:] if role == "user") == sorted(said)
    assert [role for role, _ in kept] == ["user", "assistant"] * 81
    assert len({json.dumps(answer["usage"]) for answer in answers}) > 40  # each turn saw those before it


@pytest.mark.parametrize("fields", [{}, {"temperature": 1}, {"seed": 5}, {"n": 3}])
def test_an_agent_knows_what_was_said_in_the_session(ask: ChatClient, fields: dict[str, Any]) -> None:
    session = ask.answer("The password is heron.", create_session=True)["session_id"]
    answer = ask.answer("What is the password?", store_in_session=session, **fields)
    assert all("heron" in choice["message"]["content"] for choice in answer["choices"])
    assert "heron" not in ask.content("What is the password?", **fields)


def test_an_agent_knows_what_was_said_in_the_request(ask: ChatClient) -> None:
    said = {"role": "assistant", "content": "I see."}
    assert "heron" in ask.content("The password is heron.", said, "What is the password?")


def test_other_sessions_are_not_repeated(ask: ChatClient) -> None:
    ask.answer("The password is heron.", create_session=True)
    other = ask.answer("The password is plover.", create_session=True)["session_id"]
    content = ask.content("What is the password?", store_in_session=other)
    assert "plover" in content
    assert "heron" not in content


def test_a_body_of_too_many_small_values_is_refused_and_the_bound_named(ask: ChatClient) -> None:
    short = [user("a")] * (SYMBOLS // 14 + 10)  # a message has seven symbols, so this is a little more than half
    session = ask.answer(*short, create_session=True)["session_id"]
    status, detail = ask.refusal(*short, *short)
    assert (status, f"{SYMBOLS} strings, commas and opening brackets" in detail) == (400, True)
    ask.answer(*short, store_in_session=session)


def test_a_turn_reads_no_messages_of_its_session() -> None:
    store = MemoryStore()
    ask = ChatClient(engine(store=store))
    session = ask.answer("The password is heron.", create_session=True)["session_id"]
    store.lines = None  # type: ignore[method-assign,assignment]
    assert "heron" in ask.content("What is the password?", store_in_session=session)


def test_the_result_of_a_tool_gets_the_name_of_its_call_and_the_last_question(ask: ChatClient) -> None:
    called = {"id": "c1", "type": "function", "function": {"name": "weather", "arguments": "{}"}}
    call = {"role": "assistant", "content": None, "tool_calls": [called]}
    session = ask.answer("How warm is it in Sofia?", call, create_session=True)["session_id"]
    for number in range(30):  # more than are read at once
        ask.answer({"role": "assistant", "content": f"Wait {number}."}, store_in_session=session)
    result = {"role": "tool", "tool_call_id": "c1", "content": "18 degrees"}
    content = ask.content(result, store_in_session=session)
    assert "The answer of weather is: 18 degrees" in content
    assert "Sofia" in content
