"""Reads the text of uploaded files: plain text, Markdown, HTML, and PDF with the extra `pdf`."""

from __future__ import annotations

import io
import mimetypes
from html.parser import HTMLParser

#: Characters of a document that are indexed; the rest of a longer one is not found.
MOST_TEXT = 1_000_000
_MOST_PAGES = 500
_HTML = ("text/html", "application/xhtml+xml")
_PDF = "application/pdf"
_UNKNOWN = ("", "application/octet-stream")
#: Media types by the end of a file's name, which Python does not know on every system.
_BY_ENDING = {"md": "text/markdown", "markdown": "text/markdown", "txt": "text/plain", "html": "text/html"}
_SILENT = ("script", "style", "template")
_INLINE = ("a", "abbr", "b", "code", "em", "i", "mark", "q", "small", "span", "strong", "sub", "sup", "u")


class ExtractionError(Exception):
    """A file can't be read; the message states the problem and what to do."""


def media_type_of(name: str, sent: str) -> str:
    """Return the media type of a file: the one that was sent, unless it says nothing, else by the file's name."""
    bare = sent.partition(";")[0].strip().lower()
    if bare not in _UNKNOWN:
        return bare
    ending = name.rpartition(".")[2].lower()
    return _BY_ENDING.get(ending) or mimetypes.guess_type(name)[0] or "application/octet-stream"


def text_of_file(media_type: str, content: bytes) -> str:
    """Return the first `MOST_TEXT` characters of a file's text, which may be blank; raises `ExtractionError`."""
    if media_type == _PDF:
        return _pdf_text(content)[:MOST_TEXT]
    if not media_type.startswith("text/") and media_type not in _HTML:
        raise ExtractionError(f"A file of the type {media_type} can't be read. Send text, Markdown, HTML or PDF.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ExtractionError(f"The file is not UTF-8: byte {error.start} is wrong.") from None
    return (_html_text(text) if media_type in _HTML else text)[:MOST_TEXT]


class _Reader(HTMLParser):
    """Collects the text that a page shows, a line for each block."""

    def __init__(self) -> None:
        super().__init__()
        self.parts: list[str] = []
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002
        self._silent += tag in _SILENT
        if tag not in _INLINE:
            self.parts.append("\n")

    def handle_endtag(self, tag: str) -> None:
        self._silent = max(0, self._silent - (tag in _SILENT))
        if tag not in _INLINE:
            self.parts.append("\n")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.parts.append(data)


def _html_text(page: str) -> str:
    reader = _Reader()
    reader.feed(page[: 4 * MOST_TEXT])
    reader.close()
    lines = (" ".join(line.split()) for line in "".join(reader.parts).split("\n"))
    return "\n".join(line for line in lines if line)


def _pdf_text(content: bytes) -> str:
    try:
        from pypdf import PdfReader
    except ImportError:
        raise ExtractionError('PDF needs the extra: python -m pip install "agent-contract-kit[pdf]".') from None
    found: list[str] = []
    try:
        for page in PdfReader(io.BytesIO(content)).pages[:_MOST_PAGES]:
            found.append(page.extract_text())
            if sum(map(len, found)) > MOST_TEXT:
                break
    except Exception as error:  # pypdf raises errors of many kinds for broken files
        raise ExtractionError(f"The file can't be read as PDF: {type(error).__name__}.") from None
    return "\n".join(found)
