"""Server-sent events, read from the bytes as they arrived.

Source: WHATWG HTML, section 9.2.6 "Interpreting an event stream".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

#: Bytes, and the second after the request in which they came.
Pieces: TypeAlias = Iterable[tuple[float, bytes]]

_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_TOKENS = re.compile(rb"[^\r\n]+|\r|\n")
_FIELDS = ("data", "event", "id", "retry")


@dataclass(frozen=True, slots=True)
class ReceivedEvent:
    """One event as a client sees it; `at` is the second in which the blank line that ends it came."""

    data: str
    name: str = ""
    id: str = ""
    at: float = 0.0


@dataclass(frozen=True, slots=True)
class EventStream:
    """What a stream's bytes hold.

    `unfinished` is the data of a last event that no blank line ends: a client never sees it. `ignored` are the
    lines that are neither fields nor comments, `garbled` those whose bytes are not UTF-8.
    """

    events: tuple[ReceivedEvent, ...]
    unfinished: str = ""
    ignored: tuple[str, ...] = ()
    garbled: tuple[str, ...] = ()


@dataclass(slots=True)
class _Buffers:
    data: list[str] = field(default_factory=list)
    name: str = ""
    id: str = ""


def lines(pieces: Pieces) -> Iterator[tuple[float, bytes]]:
    """Yield each whole line without its end, which is LF, CRLF or CR wherever the pieces were cut.

    What follows the last line end is yielded too, as a line at the time -1: it is not whole.
    """
    line = bytearray()
    after_return = False
    for at, piece in pieces:
        for token in _TOKENS.findall(piece):
            if token == b"\n" and after_return:
                after_return = False
                continue
            after_return = token == b"\r"
            if token in (b"\r", b"\n"):
                yield at, bytes(line)
                line.clear()
            else:
                line += token
    if line:
        yield -1.0, bytes(line)


def read(pieces: Pieces) -> EventStream:
    """Return the events that the pieces make up; any bytes at all are read, none raise."""
    events: list[ReceivedEvent] = []
    ignored: list[str] = []
    garbled: list[str] = []
    buffers = _Buffers()
    for number, (at, raw) in enumerate(lines(pieces)):
        line = raw.removeprefix(_BYTE_ORDER_MARK) if number == 0 else raw
        text = line.decode("utf-8", "replace")
        if not _is_utf8(line):
            garbled.append(text)
        if at < 0:
            _take(buffers, text)
        elif text:
            if not _take(buffers, text):
                ignored.append(text)
        else:
            if buffers.data:
                events.append(ReceivedEvent("\n".join(buffers.data), buffers.name, buffers.id, at))
            buffers = _Buffers(id=buffers.id)
    return EventStream(tuple(events), "\n".join(buffers.data), tuple(ignored), tuple(garbled))


def _take(buffers: _Buffers, text: str) -> bool:
    """Put one line into the buffers; return whether it is a field or a comment."""
    name, _, value = text.partition(":")
    value = value.removeprefix(" ")
    if name == "data":
        buffers.data.append(value)
    elif name == "event":
        buffers.name = value
    elif name == "id" and "\0" not in value:
        buffers.id = value
    return name in _FIELDS or not name


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
