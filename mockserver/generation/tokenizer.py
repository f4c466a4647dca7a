"""Tokens as the mock counts them: one word or one punctuation mark each."""

from __future__ import annotations

import re

_TOKEN = re.compile(r"\w+|[^\w\s]")
_BOUNDARY = re.compile(r"\W")
_PIECE = re.compile(r"\s*(?:\w+|[^\w\s])")
#: Characters that are counted before other threads get a turn.
_AT_ONCE = 64 * 1024


def count_tokens(text: str) -> int:
    """Return how many tokens `text` has; white space is not one."""
    count, begin = 0, 0
    while len(text) - begin > _AT_ONCE:
        boundary = _BOUNDARY.search(text, begin + _AT_ONCE)  # no token goes on after it
        end = boundary.end() if boundary else len(text)
        count += len(_TOKEN.findall(text, begin, end))
        begin = end
    return count + len(_TOKEN.findall(text, begin))


def pieces(text: str) -> list[str]:
    """Return `text` cut after each of its tokens; joined they give the text back.

    A piece begins with the white space before its token; what follows the last token belongs to the last piece.
    """
    spoken = text.rstrip()  # no white space without a token behind it: the search stays linear
    found: list[str] = _PIECE.findall(spoken)
    if len(spoken) < len(text):
        found[-1:] = ["".join(found[-1:]) + text[len(spoken) :]]
    return found
