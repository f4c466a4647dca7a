"""Documents are divided into chunks of whole sentences."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from mockserver.generation.chunking import chunks
from mockserver.generation.tokenizer import count_tokens


def test_few_tokens_are_one_chunk() -> None:
    assert list(chunks("One two. Three.", 100, 0)) == ["One two. Three."]


def test_white_space_has_no_chunks() -> None:
    assert list(chunks(" \n\t ", 100, 0)) == []


def test_a_chunk_ends_with_a_sentence() -> None:
    text = " ".join(f"This is sentence number {number}." for number in range(100))
    found = list(chunks(text, 100, 0))
    assert all(chunk.endswith(".") for chunk in found)
    assert " ".join(found) == text
    assert max(count_tokens(chunk) for chunk in found) <= 100


def test_a_sentence_longer_than_a_chunk_is_cut() -> None:
    found = list(chunks("word " * 250, 100, 0))
    assert [count_tokens(chunk) for chunk in found] == [100, 100, 50]


def test_chunks_overlap() -> None:
    words = [f"w{number}" for number in range(250)]
    found = [chunk.split() for chunk in chunks(" ".join(words), 100, 20)]
    assert found == [words[:100], words[80:180], words[160:250]]


@given(text=st.text(alphabet="ab .!\n") | st.text(), size=st.integers(2, 9), share=st.floats(0, 0.5))
def test_chunks_are_never_too_long_and_lose_no_token(text: str, size: int, share: float) -> None:
    overlap = int(size * share)
    found = list(chunks(text, size, overlap))
    assert all(0 < count_tokens(chunk) <= size for chunk in found)
    if not overlap:
        assert "".join("".join(found).split()) == "".join(text.split())


def test_many_parts_are_divided_as_a_whole() -> None:
    text = "A sentence of six words, again. " * 10_000
    found = list(chunks(text, 100, 0))
    assert " ".join(found) == text.strip()
