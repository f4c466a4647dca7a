"""Undoes the content codings of a body, with a bound on what each of them may produce."""

from __future__ import annotations

import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from zlib import _Decompress

#: More codings one over the other are not undone.
MOST_CODINGS = 4
#: Bytes that one step of decompression returns at most.
_STEP = 64 * 1024


class DecodingError(Exception):
    """A body can't be decoded; the message contains the reason."""


class DecodedTooLarge(DecodingError):
    """A body has more bytes than are read, once it is decoded."""


def decoded(pieces: Iterable[bytes], content_encoding: str, most: int, check: Callable[[], None]) -> Iterator[bytes]:
    """Yield the decoded bytes of a body in pieces of 64 KiB at most.

    No coding produces more than `most` bytes. `check` is called before each step, and may raise to end it. Raises
    `DecodingError` for data that is damaged, cut off, too large, or coded in a way that was not asked for.
    """
    codings = [coding.strip().lower() for coding in content_encoding.split(",") if coding.strip()]
    codings = [coding for coding in codings if coding != "identity"]
    if len(codings) > MOST_CODINGS:
        raise DecodingError(f"{len(codings)} content codings, one over the other")
    body: Iterator[bytes] = iter(pieces)
    for coding in reversed(codings):
        if coding not in ("gzip", "x-gzip", "deflate"):
            raise DecodingError(f"the content coding {coding[:40]!r}, which was not asked for")
        body = _inflated(body, coding, most, check)
    return body


def _inflated(pieces: Iterator[bytes], coding: str, most: int, check: Callable[[], None]) -> Iterator[bytes]:
    decompressor: _Decompress | None = None
    size = 0
    for piece in pieces:
        data = piece
        while data:
            check()
            if decompressor is None:
                decompressor = _decompressor(coding, data)
            try:
                part = decompressor.decompress(data, _STEP)
            except zlib.error as error:
                raise DecodingError(f"damaged {coding} data") from error
            size += len(part)
            if size > most:
                raise DecodedTooLarge(f"{coding} data of more than {most} bytes")
            if part:
                yield part
            data = decompressor.unconsumed_tail
            if decompressor.eof:
                # A gzip file may consist of several members.
                data = decompressor.unused_data if coding != "deflate" else b""
                decompressor = None
    if decompressor is not None:
        yield from _rest(decompressor, coding, most - size, check)


def _rest(decompressor: _Decompress, coding: str, most: int, check: Callable[[], None]) -> Iterator[bytes]:
    """Yield what is still inside a decompressor; raises `DecodingError` if its data is cut off."""
    while not decompressor.eof:
        check()
        part = decompressor.decompress(b"", _STEP)
        most -= len(part)
        if most < 0:
            raise DecodedTooLarge(f"{coding} data of more bytes than are read")
        if not part:
            raise DecodingError(f"{coding} data that is cut off")
        yield part


def _decompressor(coding: str, start: bytes) -> _Decompress:
    if coding != "deflate":
        return zlib.decompressobj(31)
    # Some servers send deflate data without the zlib header that the standard asks for.
    has_header = start[0] & 0x0F == 8 and (len(start) < 2 or (start[0] << 8 | start[1]) % 31 == 0)
    return zlib.decompressobj(15 if has_header else -15)
