"""Makes text of a server or a client printable: it must not steer a terminal, break a file or hide a part of itself."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator, Sequence

#: Control characters but for tab and line feed, C1, invisible and bidirectional formatting, separators of lines that
#: editors don't show, lone surrogates, what XML 1.0 can't hold, and tag characters.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ufffe\uffff"
    "\ud800-\udfff\U000e0000-\U000e007f]"
)


def printable(text: str) -> str:
    r"""Return the text with each unprintable character as an escape, as in `\x1b` or `\u202e`; tabs and lines stay."""
    return _UNPRINTABLE.sub(_escaped, text)


def printable_line(text: str) -> str:
    """Return the text on one line, runs of white space as one space, printable."""
    return printable(" ".join(text.split()))


def shorten(text: str, most: int = 100) -> str:
    """Return the text, cut after `most` characters with "…" for the rest."""
    return text if len(text) <= most else text[:most] + "…"


def align(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Yield each row as one line, its columns two spaces apart and aligned with those of the other rows."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(map(str.ljust, row, widths)).rstrip()


def printable_json(text: str) -> str:
    """Return a JSON text of the same value, unprintable characters in its strings as JSON's own escapes."""
    return _UNPRINTABLE.sub(lambda match: json.dumps(match[0])[1:-1], text)


def printable_as(form: str, text: str) -> str:
    """Return the output of a command printable: with JSON's escapes if its form is `json`."""
    return printable_json(text) if form == "json" else printable(text)


def print_on_any_encoding() -> None:
    """Let standard output and error escape what their encoding lacks, as a Windows code page does."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="backslashreplace")


def _escaped(match: re.Match[str]) -> str:
    code = ord(match[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}" if code < 0x10000 else f"\\U{code:08x}"
