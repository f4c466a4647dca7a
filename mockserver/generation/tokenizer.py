"""Tokens as the mock counts them: one word or one punctuation mark each."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\w+|[^\w\s]")
_PIECE = re.compile(r"\s*(?:\w+|[^\w\s])")


def count_tokens(text: str) -> int:
    """Return how many tokens `text` has; white space is none."""
    return len(_TOKEN.findall(text))


def pieces(text: str) -> list[str]:
    """Return `text` cut after each of its tokens; joined they give the text back.

    A piece begins with the white space before its token; what follows the last token belongs to the last piece.
    """
    spoken = text.rstrip()  # no white space without a token behind it: the search stays linear
    found: list[str] = _PIECE.findall(spoken)
    if len(spoken) < len(text):
        found[-1:] = ["".join(found[-1:]) + text[len(spoken) :]]
    return found
