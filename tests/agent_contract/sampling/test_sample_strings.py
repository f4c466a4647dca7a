"""Strings of sampled values: what they look like, and where their words come from."""

from __future__ import annotations

import random
from datetime import datetime
from ipaddress import ip_address
from uuid import UUID

import pytest

from agent_contract.sampling.build_words import COUNT, WORDS, encode, make_words
from agent_contract.sampling.sample_strings import SampleStrings


@pytest.fixture
def strings() -> SampleStrings:
    return SampleStrings(random.Random(7))


def test_the_words_are_what_their_script_makes() -> None:
    """Run `python -m agent_contract.sampling.build_words` when this fails."""
    assert WORDS.read_text(encoding="utf-8") == encode(make_words())


def test_each_kind_has_the_same_number_of_different_words() -> None:
    assert {kind: len(set(words)) for kind, words in make_words().items()} == dict.fromkeys(
        ("words", "people", "cities", "countries"), COUNT
    )


def test_the_same_seed_gives_the_same_strings() -> None:
    first, second = (SampleStrings(random.Random(3)) for _ in range(2))
    assert [first.string_for("", "name"), first.sentence()] == [second.string_for("", "name"), second.sentence()]


def test_a_format_decides_before_the_name(strings: SampleStrings) -> None:
    assert UUID(strings.string_for("uuid", "email")).version == 4
    assert datetime.fromisoformat(strings.string_for("date-time", "name")).tzinfo
    assert ip_address(strings.string_for("ipv6", "")).version == 6


def test_a_property_gets_what_its_name_suggests(strings: SampleStrings) -> None:
    words = make_words()
    assert strings.string_for("", "name") in words["people"]
    assert strings.string_for("", "City") in words["cities"]
    assert strings.string_for("", "country") in words["countries"]


def test_a_sentence_begins_with_a_capital_and_ends_with_a_full_stop(strings: SampleStrings) -> None:
    sentence = strings.sentence()
    assert sentence[0].isupper()
    assert sentence.endswith(".")
    assert 4 <= len(sentence.split()) <= 9


def test_any_other_string_is_a_few_words(strings: SampleStrings) -> None:
    assert len(strings.string_for("", "colour").split()) == 4
