"""Embeddings: unit vectors computed from the words of an input by feature hashing.

A hash gives each word a dimension and a sign. Words with the same dimension collide; the fewer dimensions, the more
collisions.
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
_MAX_WORDS = 8_192  # words of an input that count, like the context length of a model


@dataclass(frozen=True, slots=True)
class Vector:
    """A vector of length 1: its nonzero numbers by index, as 32-bit floats."""

    dimensions: int
    numbers: Mapping[int, float]

    def as_json(self) -> orjson.Fragment:
        """Return the numbers as a JSON array; runs of zeros are written in one step."""
        parts, end = [], 0
        for place in sorted(self.numbers):
            parts += [b"0.0," * (place - end), orjson.dumps(self.numbers[place]), b","]
            end = place + 1
        parts.append(b"0.0," * (self.dimensions - end))
        return orjson.Fragment(b"[" + b"".join(parts)[:-1] + b"]")

    def as_base64(self) -> str:
        """Return the numbers as base64 of little-endian 32-bit floats."""
        packed = bytearray(4 * self.dimensions)
        for place, number in self.numbers.items():
            struct.pack_into("<f", packed, 4 * place, number)
        return base64.b64encode(packed).decode()


def embed(text: str, model: str, dimensions: int) -> Vector:
    """Return the vector of `text`; the same words and model give the same vector."""
    key = hashlib.blake2b(model.encode(), digest_size=32).digest()
    words = (found[0].casefold() for found in islice(_WORD.finditer(text), _MAX_WORDS))
    # Without words, or if they cancel out, hash the whole text.
    numbers = _sum(words, key, dimensions) or _sum([text], key, dimensions)
    length = math.sqrt(sum(number * number for number in numbers.values()))
    return Vector(dimensions, {place: _rounded(number / length) for place, number in numbers.items()})


def _sum(words: Iterable[str], key: bytes, dimensions: int) -> dict[int, int]:
    """Return the sums by index without zeros; each word counts once."""
    numbers: dict[int, int] = {}
    for word in set(words):
        digest = int.from_bytes(hashlib.blake2b(word.encode(), key=key, digest_size=8).digest(), "big")
        place = (digest >> 1) % dimensions
        numbers[place] = numbers.get(place, 0) + (1 if digest & 1 else -1)
    return {place: number for place, number in numbers.items() if number}


def _rounded(number: float) -> float:
    """Return the nearest 32-bit float, so that both encodings have the same numbers."""
    return float(struct.unpack("<f", struct.pack("<f", number))[0])
