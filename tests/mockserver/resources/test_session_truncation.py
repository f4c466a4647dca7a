"""Sessions that have become longer than their agent allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.config import Config
from mockserver.generation.tokenizer import count_tokens
from mockserver.resources.agents import by_address, configured_agent
from mockserver.resources.session_truncation import MOST_DROPPED, truncate
from mockserver.resources.sessions import EMPTY, Session, content_parts, decode_message, extend
from tests.mockserver.support.chat_client import ChatClient, engine

ID = "11111111-1111-4111-8111-111111111111"


def asking(**fields: Any) -> ChatClient:
    """Return a mock with one agent, `it`, of these fields."""
    return ChatClient(engine(Config(by_address([configured_agent(ID, "it", **fields)]))))


@dataclass(frozen=True)
class Kept:
    """A session with the lines of its messages, as a store has them."""

    session: Session
    lines: tuple[bytes, ...]

    def truncated(self, most: int | None, strategy: str) -> Kept:
        left = truncate(self.session, most, strategy, iter(self.lines))
        return Kept(left, self.lines[left.first - self.session.first :])

    def extended(self, *messages: dict[str, Any]) -> Kept:
        session, lines = extend(self.session, messages, 5.0)
        return Kept(session, (*self.lines, *lines))

    @property
    def messages(self) -> list[dict[str, Any]]:
        return [decode_message(line) for line in self.lines]

    @property
    def texts(self) -> list[str]:
        summary = self.session.summary
        return [*([] if summary is None else [summary]), *(message["content"] for message in self.messages)]

    @property
    def characters(self) -> int:
        called = [text for message in self.messages for text in content_parts(message)]
        return len(self.session.summary or "") + sum(map(len, called))


def said(*texts: str) -> Kept:
    roles = ("user", "assistant")
    return Kept(EMPTY, ()).extended(*({"role": roles[at % 2], "content": text} for at, text in enumerate(texts)))


TEN = said(*(f"message {number}" for number in range(10)))  # nine characters each


@pytest.mark.parametrize("strategy", ["delete_oldest", "summarize", ""])
@pytest.mark.parametrize("most", [None, 90, 91])
def test_a_session_that_is_short_enough_is_not_changed(strategy: str, most: int | None) -> None:
    assert TEN.truncated(most, strategy) == TEN


@pytest.mark.parametrize("strategy", ["delete_oldest", "", "forget-the-rest"])
def test_the_oldest_messages_are_dropped_until_the_rest_fits(strategy: str) -> None:
    left = TEN.truncated(30, strategy)
    assert left.texts == ["message 7", "message 8", "message 9"]
    assert left.session.tokens == 6
    assert left.session.written == TEN.session.written
    assert left.session.length == 3


def test_no_more_messages_are_read_than_are_dropped_and_one_more() -> None:
    lines = iter(TEN.lines)
    truncate(TEN.session, 80, "delete_oldest", lines)
    assert len(list(lines)) == 10 - 3


def test_the_newest_message_is_dropped_too_if_it_is_too_long_by_itself() -> None:
    assert TEN.truncated(8, "delete_oldest").texts == []
    assert TEN.truncated(0, "delete_oldest").texts == []
    assert TEN.truncated(-5, "summarize").texts == [""]


def test_a_summary_replaces_the_dropped_messages() -> None:
    left = TEN.truncated(80, "summarize")
    summary, *rest = left.texts
    assert rest == [f"message {number}" for number in range(4, 10)]
    assert summary.startswith("Summary of 4 earlier m")
    assert left.characters <= 80
    assert left.session.length == 7


def test_a_second_summary_replaces_the_first() -> None:
    left = said(*("word " * 100 for _ in range(10))).truncated(3_000, "summarize")
    again = left.extended(*({"role": "user", "content": "word " * 100} for _ in range(2))).truncated(3_000, "summarize")
    dropped = left.session.length + 2 - again.session.length + 1
    assert again.texts[0].startswith(f"Summary of {dropped} earlier messages: Summary of")
    assert again.session.tokens == sum(map(count_tokens, again.texts))


def test_a_summary_lists_the_topics() -> None:
    long = said("Where is the heron? " * 20, "By the water. " * 100, "Thanks.")
    summary, *rest = long.truncated(800, "summarize").texts
    assert rest == ["Thanks."]
    assert "heron" in summary
    assert "water" in summary


def test_the_result_of_a_call_is_dropped_with_the_call() -> None:
    function = {"name": "f", "arguments": '{"a": 1}'}
    call: dict[str, Any] = {"role": "assistant", "content": None, "tool_calls": [{"id": "c", "function": function}]}
    result = {"role": "tool", "tool_call_id": "c", "content": "18 degrees"}
    messages: list[dict[str, Any]] = [
        {"role": "user", "content": "?"},
        call,
        result,
        {"role": "assistant", "content": "Warm."},
    ]
    kept = Kept(EMPTY, ()).extended(*messages)
    assert kept.session.characters == kept.characters == 1 + 1 + 8 + 10 + 5
    assert kept.truncated(24, "").messages == messages[1:]
    assert kept.truncated(23, "").messages == messages[3:]
    assert Kept(EMPTY, ()).extended(*messages[:3]).truncated(12, "").messages == []


def test_statements_are_forgotten_with_their_messages() -> None:
    kept = said("The password is heron.", "Thanks.", "The colour is green.")
    left = kept.truncated(30, "").session
    assert (left.statements, left.stated) == ("The colour is green.", [3])


@given(
    st.lists(st.text(max_size=40), max_size=12), st.integers(0, 200), st.sampled_from(["delete_oldest", "summarize"])
)
def test_what_is_left_is_never_longer_than_allowed(said_: list[str], most: int, strategy: str) -> None:
    left = said(*said_).truncated(most, strategy)
    assert left.characters == left.session.characters <= most
    assert left.session.tokens == sum(map(count_tokens, left.texts))
    assert left.session.size == sum(map(len, left.lines))


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


@pytest.mark.parametrize("strategy", ["delete_oldest", "summarize"])
def test_a_turn_drops_a_limited_number_of_messages_and_the_next_turns_the_others(strategy: str) -> None:
    kept = said(*("four" for _ in range(2 * MOST_DROPPED + 10)))
    once = kept.truncated(40, strategy)
    assert once.session.first == MOST_DROPPED + 1
    twice = once.truncated(40, strategy)
    assert twice.session.first == 2 * MOST_DROPPED + 1
    last = twice.truncated(40, strategy)
    assert last.session.characters == last.characters <= 40
    assert last.session.tokens == count_tokens(*last.texts)
    assert last.truncated(40, strategy) == last


def test_a_session_that_must_lose_all_its_messages_reads_no_more_than_one_turn_may_drop() -> None:
    kept, read = said(*("four" for _ in range(3 * MOST_DROPPED))), 0

    def lines() -> Iterator[bytes]:
        nonlocal read
        for line in kept.lines:
            read += 1
            yield line

    truncate(kept.session, 4, "delete_oldest", lines())
    assert read == MOST_DROPPED
