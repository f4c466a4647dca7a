"""Embeddings: texts as unit vectors, made of their words alone.

Each word stands at one place of the vector, with a sign; where words meet at a place they may be taken for each other,
and the more so the fewer places there are.
"""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from collections.abc import Iterable

_WORD = re.compile(r"\w+")
_LOOKED_AT = 8_192  # words of a text that a vector is made of, as models have it


def vector(text: str, model: str, dimensions: int) -> bytes:
    """Return a text's vector of length 1 as little-endian 32-bit floats: the same for the same words and model."""
    key = hashlib.blake2b(model.encode(), digest_size=32).digest()
    words = _WORD.findall(text.casefold())[:_LOOKED_AT]
    # A text without words still has a direction, and so has one whose words cancel each other.
    numbers = _sum(words, key, dimensions) or _sum([text], key, dimensions)
    length = math.sqrt(sum(number * number for number in numbers.values()))
    dense = [0.0] * dimensions
    for place, number in numbers.items():
        dense[place] = number / length
    return struct.pack(f"<{dimensions}f", *dense)


def floats_of(packed: bytes) -> list[float]:
    """Return a vector's numbers."""
    return list(struct.unpack(f"<{len(packed) // 4}f", packed))


def encode(packed: bytes) -> str:
    """Return a vector as `encoding_format` base64 has it."""
    return base64.b64encode(packed).decode()


def _sum(words: Iterable[str], key: bytes, dimensions: int) -> dict[int, int]:
    """Return what the words add up to by place, zeros left out; each word counts once."""
    numbers: dict[int, int] = {}
    for word in set(words):
        digest = int.from_bytes(hashlib.blake2b(word.encode(), key=key, digest_size=8).digest(), "big")
        place = (digest >> 1) % dimensions
        numbers[place] = numbers.get(place, 0) + (1 if digest & 1 else -1)
    return {place: number for place, number in numbers.items() if number}
