"""What has arrived of a reply: its pieces and their times, decoded, up to a limit of memory."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable

from mockserver.faults.broken_reply import Piece
from mockserver.proxy.headers import READABLE_ENCODINGS, Fields

_DONE = re.compile(rb"data: ?\[DONE\]\s*\Z")
_TAIL = 64  # bytes of the end of a stream in which its last event is looked for
_MOST_DECODED = 64 * 1024 * 1024  # bytes that one piece may decode to: a few can decode to gigabytes
#: Window bits with which zlib reads gzip, and zlib's own format.
_WINDOWS = {"gzip": zlib.MAX_WBITS | 16, "deflate": zlib.MAX_WBITS}


class Received:
    """Keeps up to `most` bytes of a body, without its encoding; never raises.

    `clock` returns seconds. `problem` is why not all of the body was kept, "" if it was; `is_readable` is false if it
    can't be decoded. `is_done` is whether the last event of a chat, `[DONE]`, has arrived.
    """

    def __init__(self, headers: Fields, most: int, clock: Callable[[], float], begun: float) -> None:
        self.problem = ""
        self.is_readable = True
        self.is_done = False
        self.size = 0
        self._pieces: list[Piece] = []
        self._most, self._clock, self._last = most, clock, clock()
        self.delay = self._last - begun
        self._tail = b""
        encoding = b", ".join(value for name, value in headers if name == b"content-encoding").decode("latin-1").lower()
        self._decoder = zlib.decompressobj(_WINDOWS[encoding]) if encoding in READABLE_ENCODINGS else None
        if self._decoder is None and encoding not in ("", "identity"):
            self._give_up(f"its content-encoding {encoding[:20]!r} can't be read")

    @property
    def pieces(self) -> tuple[Piece, ...]:
        """The pieces that were kept."""
        return tuple(self._pieces)

    @property
    def content(self) -> bytes:
        """The body that was kept."""
        return b"".join(piece.data for piece in self._pieces)

    def add(self, data: bytes) -> bytes:
        """Keep a piece as long as there is room; return it decoded, nothing if it can't be."""
        now = self._clock()
        plain = self._decoded(data) if self.is_readable else b""
        self._tail = (self._tail + plain[-_TAIL:])[-_TAIL:]
        self.is_done = self.is_done or _DONE.search(self._tail) is not None
        self.size += len(plain)
        if self.size > self._most and not self.problem:
            self.problem = f"it has more than {self._most} bytes"
        if plain and not self.problem:
            self._pieces.append(Piece(plain, delay=now - self._last))
            self._last = now
        return plain

    def _decoded(self, data: bytes) -> bytes:
        if self._decoder is None:
            return data
        try:
            plain = self._decoder.decompress(data, _MOST_DECODED)
        except zlib.error as error:
            return self._give_up(f"its content-encoding is broken: {error}")
        return self._give_up("it is compressed too much") if self._decoder.unconsumed_tail else plain

    def _give_up(self, why: str) -> bytes:
        self.problem, self.is_readable = why, False
        return b""
