"""HTTP archives (HAR 1.2) as recordings: what browsers, Playwright and mitmproxy export.

Each of them writes bodies in a way of its own: as text, as base64, in a file next to the archive, decoded or not.
"""

from __future__ import annotations

import base64
import zlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from agent_contract.messages import Exchange, Reply, Request
from agent_contract.validation.check import bare_type
from agent_contract.validation.sse import EVENT_END
from mockserver.faults.broken_reply import Piece
from mockserver.recording.recording import EVENT_STREAM, NOT_RECORDED, Recording

#: Returns whether a request is one to the API that is looked for.
IsKnown = Callable[[Request], bool]
#: Returns the bytes of a file that an archive refers to.
ReadFile = Callable[[str], bytes]

#: Why an entry is left out.
OTHER_API = "of other APIs"
INCOMPLETE = "without a complete reply"
_MOST_DECODED = 64 * 1024 * 1024
#: Window bits with which zlib reads gzip and its own format, and the bytes with which these begin.
_COMPRESSED: Mapping[str, tuple[int, bytes]] = {
    "gzip": (zlib.MAX_WBITS | 16, b"\x1f\x8b"),
    "deflate": (zlib.MAX_WBITS, b"\x78"),
}


@dataclass(frozen=True, slots=True)
class RecordedExchanges:
    """Recordings in order, and how many entries of archives were left out, by the reason."""

    recordings: tuple[Recording, ...]
    left_out: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.recordings)

    def __iter__(self) -> Iterator[Recording]:
        return iter(self.recordings)

    @property
    def note(self) -> str:
        """What was left out, in words; "" if nothing was."""
        counts = ", ".join(f"{count} {reason}" for reason, count in sorted(self.left_out.items()))
        return f"Entries left out: {counts}." if counts else ""


def is_archive(value: Any) -> bool:
    """Return whether JSON is an archive."""
    return isinstance(value, dict) and isinstance(value.get("log"), dict) and "entries" in value["log"]


def read_archive(name: str, value: Mapping[str, Any], is_known: IsKnown, read_file: ReadFile) -> RecordedExchanges:
    """Return the recordings of an archive, named by `name` and the number of the entry.

    Entries of other APIs, preflight requests and entries without a complete reply are left out. Raises KeyError,
    TypeError or ValueError for what is not an archive, and OSError if `read_file` does.
    """
    recordings, left_out = [], Counter[str]()
    for number, entry in enumerate(value["log"]["entries"], 1):
        found = _exchange(entry, is_known, read_file)
        if isinstance(found, str):
            left_out[found] += 1
        else:
            started = datetime.fromisoformat(str(entry["startedDateTime"])).timestamp()
            recordings.append(Recording(f"{name}:{number}", found, started=started))
    return RecordedExchanges(tuple(recordings), left_out)


def _exchange(entry: Mapping[str, Any], is_known: IsKnown, read_file: ReadFile) -> Exchange | str:
    """Return the exchange of an entry, or why it is left out."""
    sent, got = entry["request"], entry["response"]
    url = urlsplit(str(sent["url"]))
    query = tuple(parse_qsl(url.query, keep_blank_values=True))
    request = Request(str(sent["method"]).upper(), unquote(url.path) or "/", query, _headers(sent["headers"]))
    if url.scheme not in ("http", "https") or not is_known(request) or request.method == "OPTIONS":
        return OTHER_API
    headers = _headers(got["headers"])
    status = int(got["status"])
    body = _body(got.get("content") or {}, headers, read_file)
    if not 100 <= status <= 599 or (body is None and request.method != "HEAD"):
        return INCOMPLETE
    request = replace(request, body=_sent_body(sent.get("postData") or {}, request.headers, read_file))
    return Exchange(request, _reply(status, headers, body or b"", entry.get("timings") or {}))


def _headers(headers: Iterable[Mapping[str, Any]]) -> dict[str, str]:
    """Return headers by name, those of one connection and HTTP/2's own left out; repeated ones are joined."""
    found: dict[str, str] = {}
    for header in headers:
        name, text = str(header["name"]).lower(), str(header["value"])
        if name not in NOT_RECORDED and not name.startswith(":"):
            found[name] = f"{found[name]}, {text}" if name in found else text
    return found


def _sent_body(data: Mapping[str, Any], headers: Mapping[str, str], read_file: ReadFile) -> bytes:
    params = data.get("params")
    if params and not data.get("text") and "_file" not in data:
        return urlencode([(str(one["name"]), str(one.get("value", ""))) for one in params]).encode()
    return _decoded(_raw(data, read_file) or b"", headers.get("content-encoding", ""))


def _body(content: Mapping[str, Any], headers: dict[str, str], read_file: ReadFile) -> bytes | None:
    """Return the body of a reply without its encoding, None if the archive lacks it; removes the header with it."""
    body = _raw(content, read_file)
    encoding = headers.pop("content-encoding", "").lower()
    if body:
        return _decoded(body, encoding)
    # Chromium drops large bodies, and a proxy does not keep what it streams.
    is_lost = (content.get("size") or 0) > 0 or bare_type(headers.get("content-type", "")) == EVENT_STREAM
    return None if is_lost else b""


def _raw(data: Mapping[str, Any], read_file: ReadFile) -> bytes | None:
    """Return a body as the archive has it; None if it has none."""
    if "_file" in data:
        return read_file(str(data["_file"]))
    text = data.get("text")
    if text is None:
        return None
    if data.get("encoding") == "base64":
        return base64.b64decode(text)
    # mitmproxy writes bytes that are not UTF-8 as halves of surrogate pairs.
    return str(text).encode("utf-8", "surrogateescape" if _has_bytes(text) else "replace")


def _has_bytes(text: str) -> bool:
    surrogates = [sign for sign in text if "\ud800" <= sign <= "\udfff"]
    return bool(surrogates) and all("\udc80" <= sign <= "\udcff" for sign in surrogates)


def _decoded(body: bytes, encoding: str) -> bytes:
    """Return a body without its content-encoding: most programs write it decoded, and keep the header."""
    window, start = _COMPRESSED.get(encoding, (0, b""))
    if not start or not body.startswith(start):
        return body
    decoder = zlib.decompressobj(window)
    try:
        plain = decoder.decompress(body, _MOST_DECODED)
    except zlib.error:
        return body
    if decoder.unconsumed_tail:
        raise ValueError(f"a body is larger than {_MOST_DECODED} bytes when it is decompressed")
    return plain


def _reply(status: int, headers: Mapping[str, str], body: bytes, timings: Mapping[str, Any]) -> Reply:
    """Return a reply with its delay; the events of a stream are spread evenly over the time in which it came."""
    delay = _seconds(timings, "send") + _seconds(timings, "wait")
    if bare_type(headers.get("content-type", "")) != EVENT_STREAM:
        return Reply(status, headers, body, delay + _seconds(timings, "receive"))
    events = list(_events(body))
    pause = _seconds(timings, "receive") / max(1, len(events) - 1)
    pieces = tuple(Piece(data, delay=pause if index else 0.0) for index, data in enumerate(events))
    return Reply(status, headers, pieces, delay)


def _seconds(timings: Mapping[str, Any], name: str) -> float:
    """Return a time of an entry, which is in milliseconds; -1 and null mean that it is not known."""
    value = timings.get(name)
    return max(0.0, float(value)) / 1000 if value is not None else 0.0


def _events(body: bytes) -> Iterator[bytes]:
    """Yield the bytes of each event of a stream; joined they are the body."""
    start = 0
    for found in EVENT_END.finditer(body):
        yield body[start : found.end()]
        start = found.end()
    if start < len(body):
        yield body[start:]
