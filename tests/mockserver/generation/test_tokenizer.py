"""Tokens of text that is made of parts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mockserver.generation.replies import compose, compose_parts
from mockserver.generation.tokenizer import pieces, pieces_before


@given(st.text(max_size=200), st.text(max_size=100), st.binary(min_size=32, max_size=32))
def test_an_answer_made_of_parts_has_the_pieces_of_the_whole_answer(said: str, evidence: str, digest: bytes) -> None:
    assert pieces_before(*compose_parts(said, evidence, digest)) == pieces(compose(said, evidence, digest))


@given(st.text(alphabet="a .\n\x1c\u2003"))
def test_white_space_at_the_end_of_the_first_part_belongs_to_the_next_token(text: str) -> None:
    assert pieces_before(text, [" One.", "\n\nTwo!"]) == pieces(text + " One.\n\nTwo!")
