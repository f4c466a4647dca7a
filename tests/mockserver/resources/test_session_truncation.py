"""Sessions that have become longer than their agent allows."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.config import Config
from mockserver.generation.tokenizer import count_tokens
from mockserver.resources.agents import by_address, configured_agent
from mockserver.resources.session_truncation import count_characters, newest_messages, truncate
from mockserver.resources.sessions import EMPTY, Session, extend
from tests.mockserver.support.chat_client import ChatClient, engine

ID = "11111111-1111-4111-8111-111111111111"


def asking(**fields: Any) -> ChatClient:
    """Return a mock with one agent, `it`, of these fields."""
    return ChatClient(engine(Config(by_address([configured_agent(ID, "it", **fields)]))))


def said(*texts: str) -> Session:
    roles = ("user", "assistant")
    return extend(EMPTY, [{"role": roles[at % 2], "content": text} for at, text in enumerate(texts)], 5.0)


def texts(session: Session) -> list[str]:
    return [message["content"] for message in session.messages]


TEN = said(*(f"message {number}" for number in range(10)))  # nine characters each


@pytest.mark.parametrize("strategy", ["delete_oldest", "summarize", ""])
@pytest.mark.parametrize("most", [None, 90, 91])
def test_a_session_that_is_short_enough_is_not_changed(strategy: str, most: int | None) -> None:
    assert truncate(TEN, most, strategy) is TEN


@pytest.mark.parametrize("strategy", ["delete_oldest", "", "forget-the-rest"])
def test_the_oldest_messages_go_until_the_rest_fits(strategy: str) -> None:
    left = truncate(TEN, 30, strategy)
    assert texts(left) == ["message 7", "message 8", "message 9"]
    assert left.tokens == 6
    assert left.written == TEN.written
    assert left.digest != TEN.digest


def test_the_newest_message_goes_too_where_it_is_too_long_by_itself() -> None:
    assert texts(truncate(TEN, 8, "delete_oldest")) == []
    assert texts(truncate(TEN, 0, "delete_oldest")) == []
    assert truncate(TEN, -5, "summarize").messages[0]["content"] == ""


def test_a_summary_replaces_the_dropped_messages() -> None:
    left = truncate(TEN, 80, "summarize")
    summary, *rest = texts(left)
    assert rest == [f"message {number}" for number in range(4, 10)]
    assert summary.startswith("Summary of 4 earlier m")
    assert count_characters(left.messages) <= 80


def test_a_summary_lists_the_topics() -> None:
    long = said("Where is the heron? " * 20, "By the water. " * 100, "Thanks.")
    summary, *rest = texts(truncate(long, 800, "summarize"))
    assert rest == ["Thanks."]
    assert "heron" in summary
    assert "water" in summary


def test_the_result_of_a_call_goes_with_the_call() -> None:
    function = {"name": "f", "arguments": '{"a": 1}'}
    call: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": function}]}
    result = {"role": "tool", "tool_call_id": "c", "content": "18 degrees"}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "?"},
        call,
        result,
        {"role": "assistant", "content": "Warm."},
    ]
    assert count_characters(messages) == 1 + 1 + 8 + 10 + 5
    assert newest_messages(messages, 24) == tuple(messages[1:])
    assert newest_messages(messages, 23) == (messages[3],)
    assert newest_messages(messages[:3], 12) == ()


@given(
    st.lists(st.text(max_size=40), max_size=12), st.integers(0, 200), st.sampled_from(["delete_oldest", "summarize"])
)
def test_what_is_left_is_never_longer_than_allowed(said_: list[str], most: int, strategy: str) -> None:
    left = truncate(said(*said_), most, strategy)
    assert count_characters(left.messages) <= most
    assert left.tokens == sum(count_tokens(text) for text in texts(left))


@pytest.mark.parametrize("strategy", ["delete_oldest", "summarize"])
def test_an_agent_shortens_a_session_before_a_turn_is_added(strategy: str) -> None:
    ask = asking(session_max_length=100, session_summarization_strategy=strategy)
    free = asking()
    first, other = (one.answer("word " * 100, agent="it", create_session=True) for one in (ask, free))
    fields: dict[str, Any] = {"agent": "it", "max_tokens": 4}
    second = ask.answer("Go on.", store_in_session=first["session_id"], **fields)
    unbounded = free.answer("Go on.", store_in_session=other["session_id"], **fields)
    assert unbounded["usage"]["prompt_tokens"] > 100
    assert second["usage"]["prompt_tokens"] < 30
    third = ask.answer("Go on.", store_in_session=first["session_id"], **fields)
    assert third["usage"]["prompt_tokens"] >= 3 + 3 + 4


def test_a_session_of_one_long_turn_is_kept_until_the_next() -> None:
    """What one turn adds may be longer than all that a session may have: it goes when the next one comes."""
    ask = asking(session_max_length=10)
    session = ask.answer("A text of more than ten characters.", agent="it", create_session=True)["session_id"]
    assert ask.answer("Hi.", agent="it", store_in_session=session)["usage"]["prompt_tokens"] == 2


def test_the_answer_has_the_role_of_the_agents_settings() -> None:
    ask = asking(completion_role="bot")
    assert ask.answer(agent="it")["choices"][0]["message"]["role"] == "bot"
    assert ask.chunks(agent="it")[0]["choices"][0]["delta"]["role"] == "bot"
