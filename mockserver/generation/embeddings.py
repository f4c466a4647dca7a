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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import islice

import orjson

_WORD = re.compile(r"\w+")
_LOOKED_AT = 8_192  # words of a text that a vector is made of, as models have it


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector of length 1 with so many `dimensions`: its numbers by place, each a 32-bit float; the others are 0."""

    dimensions: int
    numbers: Mapping[int, float]

    def as_json(self) -> orjson.Fragment:
        """Return its numbers as a JSON list, written without walking through the zeros."""
        parts, behind = [], 0
        for place in sorted(self.numbers):
            parts += [b"0.0," * (place - behind), orjson.dumps(self.numbers[place]), b","]
            behind = place + 1
        parts.append(b"0.0," * (self.dimensions - behind))
        return orjson.Fragment(b"[" + b"".join(parts)[:-1] + b"]")

    def as_base64(self) -> str:
        """Return the base64 of its little-endian 32-bit floats."""
        packed = bytearray(4 * self.dimensions)
        for place, number in self.numbers.items():
            struct.pack_into("<f", packed, 4 * place, number)
        return base64.b64encode(packed).decode()


def embed(text: str, model: str, dimensions: int) -> Vector:
    """Return a text's vector: the same for the same words and model."""
    key = hashlib.blake2b(model.encode(), digest_size=32).digest()
    words = (found[0].casefold() for found in islice(_WORD.finditer(text), _LOOKED_AT))
    # A text without words still has a direction, and so has one whose words cancel each other.
    numbers = _sum(words, key, dimensions) or _sum([text], key, dimensions)
    length = math.sqrt(sum(number * number for number in numbers.values()))
    return Vector(dimensions, {place: _rounded(number / length) for place, number in numbers.items()})


def _sum(words: Iterable[str], key: bytes, dimensions: int) -> dict[int, int]:
    """Return what the words add up to by place, zeros left out; each word counts once."""
    numbers: dict[int, int] = {}
    for word in set(words):
        digest = int.from_bytes(hashlib.blake2b(word.encode(), key=key, digest_size=8).digest(), "big")
        place = (digest >> 1) % dimensions
        numbers[place] = numbers.get(place, 0) + (1 if digest & 1 else -1)
    return {place: number for place, number in numbers.items() if number}


def _rounded(number: float) -> float:
    """Return the 32-bit float next to a number, so that a vector is the same in both of its forms."""
    return float(struct.unpack("<f", struct.pack("<f", number))[0])
