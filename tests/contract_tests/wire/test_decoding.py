"""A body is decoded within a bound, whatever its codings are, and damage is reported."""

from __future__ import annotations

import gzip
import zlib
from itertools import repeat

import pytest

from contract_tests.wire.decoding import MOST_CODINGS, DecodingError, decoded

TEXT = b'{"object": "list"}' * 50
#: Deflate blocks that decode to nothing.
EMPTY_BLOCKS = b"\0\0\0\xff\xff" * 1000
HEAD = b"\x1f\x8b\x08\0\0\0\0\0\0\xff"


class OverError(Exception):
    """The clock has run out."""


def read(*pieces: bytes, encoding: str = "gzip", most: int = 10_000) -> bytes:
    return b"".join(decoded(pieces, encoding, most, lambda: None))


def raw_deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(wbits=-15)
    return compressor.compress(data) + compressor.flush()


@pytest.mark.parametrize(
    ("encoding", "data"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", gzip.compress(TEXT)),
        ("X-GZIP", gzip.compress(TEXT)),
        ("deflate", zlib.compress(TEXT)),
        ("deflate", raw_deflate(TEXT)),
        ("gzip, deflate", zlib.compress(gzip.compress(TEXT))),
        ("gzip", gzip.compress(TEXT[:100]) + gzip.compress(TEXT[100:])),
    ],
    ids=["none", "identity", "gzip", "other name", "deflate", "raw deflate", "two layers", "two members"],
)
def test_what_was_coded_is_decoded_however_it_is_cut(encoding: str, data: bytes) -> None:
    assert read(data, encoding=encoding) == TEXT
    assert read(*(bytes([byte]) for byte in data), encoding=encoding) == TEXT


def test_a_coding_that_was_cut_off_is_reported() -> None:
    with pytest.raises(DecodingError, match="cut off"):
        read(gzip.compress(TEXT)[:-9])


def test_damaged_data_is_reported() -> None:
    with pytest.raises(DecodingError, match="damaged gzip data"):
        read(b"not gzip")


@pytest.mark.parametrize("layers", range(1, MOST_CODINGS + 1))
def test_no_layer_produces_more_than_the_bound(layers: int) -> None:
    data = bytes(1_000_000)
    for _ in range(layers):
        data = gzip.compress(data)
    with pytest.raises(DecodingError, match="more than 10000 bytes"):
        read(data, encoding=", ".join(["gzip"] * layers))


def test_too_many_layers_are_not_decoded() -> None:
    with pytest.raises(DecodingError, match="5 content codings"):
        read(TEXT, encoding=", ".join(["gzip"] * 5))


def test_a_coding_that_was_not_asked_for_is_reported() -> None:
    with pytest.raises(DecodingError, match="'br', which was not asked for"):
        read(TEXT, encoding="br")


def test_blocks_that_decode_to_nothing_end_with_the_clock() -> None:
    left = iter(range(20))

    def check() -> None:
        if next(left, None) is None:
            raise OverError

    with pytest.raises(OverError):
        list(decoded((HEAD, *repeat(EMPTY_BLOCKS, 100)), "gzip", 10, check))
