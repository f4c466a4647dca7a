"""Tokens, replies and delays."""

from __future__ import annotations

import hashlib
import os
import re
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mockserver.generation.build_corpus import CORPUS, encode, make_corpus
from mockserver.generation.completion import choice_of_text
from mockserver.generation.latency import Pace
from mockserver.generation.replies import classify, compose, topic_of
from mockserver.generation.tokenizer import count_tokens, pieces

DIGEST = hashlib.blake2b(b"x", digest_size=32).digest()


@pytest.mark.parametrize(
    ("text", "count"), [("", 0), (" \n", 0), ("Hello!", 2), ("a b", 2), ("don't", 3), ("...", 3), ("Grüße, 東京", 3)]
)
def test_a_token_is_a_word_or_a_punctuation_mark(text: str, count: int) -> None:
    assert count_tokens(text) == count


@pytest.mark.parametrize("part", ["word ", "word", "!", "\u6771\u4eac, ", "  "])
def test_a_long_text_has_as_many_tokens_as_its_parts(part: str) -> None:
    text = "a " + part * 50_000
    assert count_tokens(text) == len(re.findall(r"\w+|[^\w\s]", text))


@given(st.text())
def test_pieces_give_the_text_back_one_for_each_token(text: str) -> None:
    found = pieces(text)
    assert "".join(found) == text
    assert len(found) == max(count_tokens(text), 1 if text else 0)


@pytest.mark.parametrize("pattern", ["{0}", "a{0}", "{0}a", "{0}.{0}"])
def test_a_long_text_takes_no_longer_than_its_length(pattern: str) -> None:
    """With a search that is not linear it would take minutes."""
    text = pattern.format(" " * 200_000)
    same = "".join(pieces(text)) == text  # a diff of such long strings would take too long
    assert same
    assert count_tokens(text) <= 1


@given(st.text(alphabet="ab. \n"), st.lists(st.text(alphabet="ab. ", min_size=1), max_size=3), st.integers(1, 6))
def test_a_cut_text_holds_no_stop_and_no_more_than_its_limit(text: str, stops: list[str], limit: int) -> None:
    choice = choice_of_text(text, stops, limit)
    assert not any(stop in choice.content for stop in stops)
    assert choice.tokens == count_tokens(choice.content) <= limit
    assert text.startswith(choice.content)
    assert choice.finish_reason in ("stop", "length")


@pytest.mark.parametrize(
    ("stops", "limit", "content", "reason"),
    [
        ((), None, "One. Two. Three.", "stop"),
        ((".",), None, "One", "stop"),
        (("Three", "Two"), None, "One. ", "stop"),
        (("",), None, "One. Two. Three.", "stop"),
        ((), 3, "One. Two", "length"),
        ((), 6, "One. Two. Three.", "stop"),
        (("Three",), 2, "One.", "length"),
        (("One",), 2, "", "stop"),
    ],
)
def test_the_first_stop_and_then_the_limit_end_an_answer(
    stops: tuple[str, ...], limit: int | None, content: str, reason: str
) -> None:
    choice = choice_of_text("One. Two. Three.", stops, limit)
    assert (choice.content, choice.finish_reason) == (content, reason)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("Hello!", "greeting"),
        ("Good morning", "greeting"),
        ("What is the sea?", "question"),
        ("how tall is it", "question"),
        ("The sea is tall.", "statement"),
        ("\0\t ", "silence"),
        ("!!!", "silence"),
    ],
)
def test_an_answer_depends_on_the_kind_of_the_message(said: str, kind: str) -> None:
    assert classify(topic_of(said)) == kind


@given(st.text(max_size=1000), st.binary(min_size=32, max_size=32))
def test_an_answer_takes_up_what_was_said_and_is_printable(said: str, digest: bytes) -> None:
    text = compose(said, "", digest)
    topic = topic_of(said)
    assert len(topic) <= 60
    if classify(topic) in ("question", "statement"):
        assert topic.rstrip(".!") in text
    assert all(character.isprintable() or character == "\n" for character in text)


@given(st.binary(min_size=32, max_size=32))
def test_an_answer_has_the_usual_stops_in_it(digest: bytes) -> None:
    """So that a client sees its stop sequence act."""
    text = compose("Teach me about the sea.", "", digest)
    assert all(stop in text for stop in (".", " ", "\n", "\n\n"))


@pytest.mark.parametrize(
    ("said", "topic"),
    [
        ("word " * 20, "word " * 11 + "word"),
        ("x" * 100, "x" * 60),
        ('Say "hello"\n\tto\0them', "Say 'hello' to them"),
        ("", ""),
    ],
)
def test_a_topic_is_one_line_cut_at_a_word(said: str, topic: str) -> None:
    assert topic_of(said) == topic


def test_braces_in_a_message_are_not_placeholders() -> None:
    assert "{0} {topic.x}" in compose("{0} {topic.x}", "", DIGEST)


def test_the_corpus_is_what_its_script_makes() -> None:
    """Run `python -m mockserver.generation.build_corpus` when this fails."""
    assert CORPUS.read_text(encoding="utf-8") == encode(make_corpus())


def test_the_number_of_sentences_is_a_prime() -> None:
    """Steps through them then never meet one twice."""
    count = len(make_corpus()["sentences"])  # type: ignore[arg-type]
    assert all(count % divisor for divisor in range(2, count))


def test_without_latency_nothing_is_delayed() -> None:
    assert Pace().delays(3, b"") == [0.0, 0.0, 0.0]


def test_the_first_token_comes_after_ttft_and_the_others_at_tps() -> None:
    assert Pace(ttft=0.5, tps=4).delays(3, b"") == [0.5, 0.25, 0.25]


def test_jitter_stays_in_its_bounds_and_repeats_with_its_seed() -> None:
    pace = Pace(ttft=0.5, tps=10, jitter=0.2)
    delays = pace.delays(200, b"seed")
    assert delays == pace.delays(200, b"seed") != pace.delays(200, b"other")
    assert 0.3 <= delays[0] <= 0.7
    assert all(0 <= delay <= 0.3 for delay in delays[1:])
    assert len(set(delays)) > 100


def test_jitter_is_the_same_in_every_process() -> None:
    """`random` seeded with bytes does not depend on the hash seed; this finds out when that changes."""
    code = "from mockserver.generation.latency import Pace; print(Pace(jitter=1).delays(3, b'x'))"
    environments = ({**os.environ, "PYTHONHASHSEED": str(seed)} for seed in (1, 2))
    printed = {subprocess.check_output([sys.executable, "-c", code], env=one) for one in environments}
    assert len(printed) == 1
