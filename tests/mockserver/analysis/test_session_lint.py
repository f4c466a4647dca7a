"""Each planted misuse of a session is found with its turn and its wasted tokens; sound clients are left alone."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mockserver.analysis.session_lint import Misuse
from mockserver.generation.tokenizer import count_tokens
from tests.mockserver.analysis.support.conversations import Conversation

ROOT = Path(__file__).parents[3]
CALL = [{"type": "function", "function": {"name": "get_time"}}]


def only(chat: Conversation) -> Misuse:
    (finding,) = chat.findings()
    return finding


def found(chat: Conversation) -> tuple[str, int, int, int]:
    """Return the rule, the request, the turn and the wasted tokens of the only finding."""
    finding = only(chat)
    return finding.rule, finding.request, finding.turn, finding.wasted_tokens


def test_the_whole_history_next_to_a_session_doubles_the_context() -> None:
    chat = Conversation()
    first = chat.answer("The password is heron.", create_session=True)
    answer = first["choices"][0]["message"]
    chat.answer("The password is heron.", answer, "What is it?", store_in_session=first["session_id"])
    assert found(chat) == ("history-resent", 2, 2, 5 + first["usage"]["completion_tokens"])
    assert only(chat).session == first["session_id"]


def test_a_new_session_for_each_turn_with_the_history() -> None:
    chat = Conversation()
    answer = chat.message("The password is heron.", create_session=True)
    chat.create("The password is heron.", answer, "What is it?")
    assert found(chat) == ("session-per-turn", 2, 2, 5 + count_tokens(answer["content"]))


def test_a_new_session_for_each_turn_without_the_history() -> None:
    chat = Conversation()
    for question in ("The password is heron.", "What is it?", "And now?"):
        chat.create(question)
    assert found(chat) == ("session-per-turn", 3, 2, 0)


def test_two_users_in_one_session() -> None:
    chat = Conversation()
    session = chat.create("My salary is 4,200.", user="ada")
    chat.answer("What is my salary?", store_in_session=session, user="ada")
    chat.answer("What is my salary?", store_in_session=session, user="bob")
    assert found(chat) == ("two-users", 3, 3, 0)


def test_a_turn_that_is_sent_before_the_answer_to_the_last_one_is_complete() -> None:
    chat = Conversation(ttft=2.0)
    session = chat.create("Hello!")
    chat.now += 3
    chat.answer("One.", store_in_session=session)
    chat.now += 0.5
    chat.answer("Two.", store_in_session=session)
    assert found(chat) == ("parallel-turns", 3, 3, 0)


@pytest.mark.parametrize("follow_up", ["What is it?", "Something else."])
def test_an_id_that_is_dropped_after_a_stream(follow_up: str) -> None:
    chat = Conversation()
    chat.send("The password is heron.", create_session=True, stream=True)
    chat.answer(follow_up)
    assert found(chat) == ("id-dropped", 2, 2, 0)


def test_an_id_that_is_dropped_for_the_whole_history() -> None:
    chat = Conversation()
    answer = chat.message("The password is heron.", create_session=True)
    chat.answer("The password is heron.", answer, "What is it?")
    assert found(chat) == ("id-dropped", 2, 2, 5 + count_tokens(answer["content"]))


def test_a_session_that_is_not_created_again_after_a_404() -> None:
    chat = Conversation()
    for _ in range(2):
        refused = chat.send("Hello!", store_in_session="00000000-0000-4000-8000-0000000000fe")
        assert refused.reply.status == 404
    assert found(chat) == ("expired-not-recreated", 2, 1, 0)


@pytest.mark.parametrize(
    ("where", "name"),
    [
        ("field", "session_id"),
        ("field", "conversation_id"),
        ("query", "session_id"),
        ("query", "store_in_session"),
        ("header", "x-session-id"),
    ],
)
def test_an_id_under_another_name(where: str, name: str) -> None:
    chat = Conversation()
    session = chat.create("The password is heron.")
    sent: dict[str, dict[str, Any]] = {
        "field": {name: session},
        "query": {"query": f"{name}={session}"},
        "header": {"headers": {name: session}},
    }
    chat.answer("What is it?", **sent[where])
    assert found(chat) == ("other-field", 2, 2, 0)


def test_a_null_id_after_a_session_was_created() -> None:
    chat = Conversation()
    chat.create("The password is heron.")
    chat.answer("What is it?", store_in_session=None)
    assert found(chat) == ("null-id", 2, 2, 0)


def test_creating_and_storing_at_once() -> None:
    chat = Conversation()
    session = chat.create("The password is heron.")
    chat.answer("What is it?", store_in_session=session, create_session=True)
    assert found(chat) == ("create-and-store", 2, 2, 0)


def test_a_system_message_in_every_turn() -> None:
    chat = Conversation("demo-open")
    system = {"role": "system", "content": "Be brief and kind."}
    session = chat.create(system, "Hello!")
    chat.answer(system, "And now?", store_in_session=session)
    assert found(chat) == ("instructions-resent", 2, 2, 5)


def test_several_choices_of_which_the_session_stores_one() -> None:
    chat = Conversation()
    answer = chat.answer("Suggest a name.", create_session=True, n=3)
    lost = [choice["message"]["content"] for choice in answer["choices"][1:]]
    assert found(chat) == ("lost-choices", 1, 1, count_tokens(*lost))


def test_a_tool_call_without_its_result() -> None:
    chat = Conversation()
    session = chat.create("What time is it?", tools=CALL, tool_choice="required")
    chat.answer("Never mind.", store_in_session=session)
    assert found(chat) == ("call-unanswered", 2, 2, 0)


def test_a_retry_that_stores_a_turn_twice() -> None:
    chat = Conversation()
    session = chat.create("Hello!")
    chat.send("I pay 40 euros.", store_in_session=session, headers={"x-mock-fault": "truncated-body"})
    chat.answer("I pay 40 euros.", store_in_session=session)
    assert found(chat) == ("turn-repeated", 3, 3, 5)


def test_each_rule_of_the_documentation_is_planted_at_least_once() -> None:
    page = (ROOT / "docs" / "reference" / "client-checks.md").read_text(encoding="utf-8")
    listed = re.findall(r"^\| `([a-z]+-[a-z-]+)` \|", page, re.MULTILINE)
    planted = re.findall(r'found\(chat\) == \("([a-z-]+)"', Path(__file__).read_text(encoding="utf-8"))
    assert len(listed) >= 12
    assert set(planted) == set(listed)


# Sound clients.


def test_a_session_that_goes_on_is_sound() -> None:
    chat = Conversation()
    session = chat.create("Hello!", user="ada")
    for question in ("What is it?", "Yes.", "Yes."):
        chat.now += 1
        chat.answer(question, store_in_session=session, user="ada")
    assert chat.findings() == []


def test_a_client_that_keeps_the_history_itself_is_sound() -> None:
    chat = Conversation()
    answer = chat.message("Hello!")
    chat.answer("Hello!", answer, "And now?")
    assert chat.findings() == []


def test_a_tool_loop_in_a_session_is_sound() -> None:
    chat = Conversation()
    first = chat.answer("What time is it?", tools=CALL, tool_choice="required", create_session=True)
    (call,) = first["choices"][0]["message"]["tool_calls"]
    result = {"role": "tool", "tool_call_id": call["id"], "content": "Ten past nine."}
    chat.answer(result, store_in_session=first["session_id"])
    assert chat.findings() == []


def test_a_session_that_is_created_again_after_a_404_is_sound() -> None:
    chat = Conversation()
    chat.send("Hello!", store_in_session="00000000-0000-4000-8000-0000000000fe")
    session = chat.create("Hello!")
    chat.answer("And now?", store_in_session=session)
    assert chat.findings() == []


def test_two_sessions_of_two_users_are_sound() -> None:
    chat = Conversation()
    for name in ("ada", "bob"):
        session = chat.create("Hello!", user=name)
        chat.answer("And now?", store_in_session=session, user=name)
    assert chat.findings() == []


def test_a_refused_turn_is_sent_again_soundly() -> None:
    chat = Conversation()
    session = chat.create("Hello!")
    chat.send("And now?", store_in_session=session, headers={"x-mock-fault": "status-429"})
    chat.answer("And now?", store_in_session=session)
    assert chat.findings() == []


def test_a_turn_after_a_slow_answer_is_sound() -> None:
    chat = Conversation(ttft=2.0)
    session = chat.create("Hello!")
    chat.now += 2
    chat.answer("And now?", store_in_session=session)
    assert chat.findings() == []
