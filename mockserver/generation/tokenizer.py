"""The tokenizer of the mock: a token is a word or a punctuation mark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

_TOKEN = re.compile(r"\w+|[^\w\s]")
_BOUNDARY = re.compile(r"\W")
_PIECE = re.compile(r"\s*(?:\w+|[^\w\s])")
#: Characters that are counted before other threads can run.
_AT_ONCE = 64 * 1024


def count_tokens(*texts: str) -> int:
    """Return the number of tokens in all `texts`; white space does not count."""
    return sum(map(_count, texts))


def _count(text: str) -> int:
    count, begin = 0, 0
    while len(text) - begin > _AT_ONCE:
        boundary = _BOUNDARY.search(text, begin + _AT_ONCE)  # no token continues after it
        end = boundary.end() if boundary else len(text)
        count += len(_TOKEN.findall(text, begin, end))
        begin = end
    return count + len(_TOKEN.findall(text, begin))


def pieces(text: str) -> list[str]:
    """Return `text`, split after each token; the joined pieces are `text`.

    A piece begins with the white space before its token. Text after the last token belongs to the last piece.
    """
    spoken = text.rstrip()  # all white space is now before a token, so the search is linear
    found: list[str] = _PIECE.findall(spoken)
    if len(spoken) < len(text):
        found[-1:] = ["".join(found[-1:]) + text[len(spoken) :]]
    return found


def pieces_before(text: str, sentences: Sequence[str]) -> list[str]:
    """Return the pieces of `text` followed by `sentences`; the pieces of sentences are cached.

    Each sentence must begin with white space, and must not end with it.
    """
    if text[-1:].isspace():  # it belongs to the first token of the sentences
        return pieces(text + "".join(sentences))
    found = pieces(text)
    for sentence in sentences:
        found.extend(_sentence_pieces(sentence))
    return found


def count_pieces_before(text: str, sentences: Sequence[str]) -> int:
    """Return the number of pieces that `pieces_before` returns, of a `text` that is not blank."""
    return _count(text) + sum([len(_sentence_pieces(sentence)) for sentence in sentences])


@lru_cache(maxsize=1024)
def _sentence_pieces(sentence: str) -> tuple[str, ...]:
    return tuple(pieces(sentence))
