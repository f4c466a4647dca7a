"""What the mock repeats of a conversation when it is asked for it."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.generation.recall import QUOTED, recall, statements_in


@pytest.mark.parametrize(
    ("question", "earlier", "statement"),
    [
        ("What is the password?", ["The password is heron."], "The password is heron."),
        ("Tell me the password, please.", ["Remember: the password is heron!"], "Remember: the password is heron!"),
        ("What is my name?", ["My name is Bo.", "My name is Ada."], "My name is Bo."),
        (
            "which code words do you know",
            ["Hello. The code word is kestrel-7.5. Bye."],
            "The code word is kestrel-7.5.",
        ),
        ("What did I say?", ["Which one?", "The sea is deep.\nIs it?"], "The sea is deep."),
        ("The password is heron. What is the password?", [], "The password is heron."),
        ("What is the password of the cellar?", ["The cellar is cold.", "Its password is tit."], "The cellar is cold."),
    ],
)
def test_a_question_gets_the_statement_that_shares_its_words(question: str, earlier: list[str], statement: str) -> None:
    assert recall(question, earlier) == f'You said earlier: "{statement}"'
    remembered = "\n".join(one for text in reversed(earlier) for one in statements_in(text))
    assert recall(question, [], remembered) == f'You said earlier: "{statement}"'


@pytest.mark.parametrize(
    ("said", "earlier"),
    [
        ("What is the password?", []),
        ("What is the password?", ["What is the password?"]),
        ("What is the capital of France?", ["The sea is deep."]),
        ("Which big red house is mine?", ["The house is old."]),
        ("Who are you?", ["The sea is deep."]),
        ("The password is heron.", ["The password is tit."]),
        ("", ["The sea is deep."]),
    ],
)
def test_nothing_is_repeated_that_was_not_asked_for(said: str, earlier: list[str]) -> None:
    assert recall(said, earlier) == ""
    assert recall("What did I say? What did I tell you?", []) == ""
    assert recall(said, [], "\n".join(one for text in reversed(earlier) for one in statements_in(text))) == ""


def test_what_this_request_says_counts_more_than_what_the_session_remembers() -> None:
    assert "tit" in recall("What is the password?", ["The password is tit."], "The password is heron.")
    assert "heron" in recall(
        "What is the password of the cellar?", ["The password is tit."], "The cellar has a password: heron."
    )


@given(st.text(max_size=300), st.lists(st.text(max_size=600), max_size=4))
def test_what_is_repeated_is_one_printable_line(said: str, earlier: list[str]) -> None:
    found = recall(f"What did I say of {said}?", [*earlier, said])
    assert found.isprintable()
    assert len(found) < QUOTED + 30


def test_a_long_conversation_is_searched_only_at_its_end() -> None:
    assert recall("What is the password?", ["word. " * 5_000, "The password is heron."]) == ""
    started = time.process_time()
    recall("what is x " * 100_000 + "?", ["a? " * 1_000_000] * 50)
    assert time.process_time() - started < 1
