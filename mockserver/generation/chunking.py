"""Divides documents into chunks of whole sentences, measured in the tokens of the mock."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import islice

from mockserver.generation.tokenizer import pieces

#: Characters that are divided at once, before other threads can run.
_AT_ONCE = 64 * 1024
_SPACE = re.compile(r"\s")
_ENDS = frozenset(".!?")


def chunks(text: str, size: int, overlap: int) -> Iterator[str]:
    """Yield the chunks of `text`, at most `size` tokens each; the first `overlap` are the last of the chunk before.

    A chunk ends at the last end of a sentence in its second half; without one it is cut at `size`. `overlap` is at most
    half of `size`, so that all chunks together are at most twice as long as the text.
    """
    following = _tokens(text)
    window = list(islice(following, size + 1))
    while len(window) > size:
        end = _end(window, size)
        yield "".join(window[:end]).strip()
        del window[: max(end - overlap, 1)]
        window.extend(islice(following, size + 1 - len(window)))
    rest = "".join(window).strip()
    if rest:
        yield rest


def _tokens(text: str) -> Iterator[str]:
    """Yield the tokens of `text`, each with the white space before it."""
    begin = 0
    while begin < len(text):
        space = _SPACE.search(text, begin + _AT_ONCE)
        end = space.start() if space else len(text)
        yield from pieces(text[begin:end])
        begin = end


def _end(window: list[str], size: int) -> int:
    """Return the number of tokens of the chunk that a window of more than `size` tokens begins with."""
    ends = (place for place in range(size, size // 2, -1) if window[place - 1][-1:] in _ENDS)
    return next(ends, size)
