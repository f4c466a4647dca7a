"""Tokens as the mock counts them: one word or one punctuation mark each."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\w+|[^\w\s]")


def count_tokens(text: str) -> int:
    """Return how many tokens `text` has; white space is none."""
    return len(_TOKEN.findall(text))


def pieces(text: str, limit: int | None = None) -> list[str]:
    """Return `text` cut after each of its tokens, at most `limit` pieces; joined they give the text back.

    A piece begins with the white space before its token; what follows the last token belongs to the last piece.
    """
    found: list[str] = []
    start = 0
    for token in _TOKEN.finditer(text):
        if len(found) == limit:
            return found
        found.append(text[start : token.end()])
        start = token.end()
    if start == len(text):
        return found
    return [*found[:-1], "".join(found[-1:]) + text[start:]]
