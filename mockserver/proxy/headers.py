"""Which headers pass between a client and the upstream. Source: RFC 9110, section 7.6.1 (fields of one connection)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

#: How a client chooses the enforcement of one request, and where the proxy reports violations.
ENFORCE_HEADER = "x-contract-enforce"
VIOLATIONS_HEADER = "x-contract-violations"

Fields = list[tuple[bytes, bytes]]

_OF_A_CONNECTION = frozenset(
    (
        *(b"connection", b"keep-alive", b"proxy-authenticate", b"proxy-authorization", b"proxy-connection", b"te"),
        *(b"trailer", b"transfer-encoding", b"upgrade"),
    )
)
#: `host` and `content-length` are written again; `expect` is answered by the server of the proxy.
_REWRITTEN = frozenset((b"host", b"content-length", b"expect", b"accept-encoding"))
#: Headers with which a client controls the mock or the proxy.
_CONTROL = (b"x-mock-", ENFORCE_HEADER.encode(), VIOLATIONS_HEADER.encode())
#: The encodings that the proxy can read, to check and to record what they hold.
READABLE_ENCODINGS = ("gzip", "deflate")


def to_upstream(fields: Iterable[tuple[bytes, bytes]], host: bytes, body: bytes, method: str) -> Fields:
    """Return the headers that are forwarded: those of the message, also the caller's key, and no others."""
    sent = [(name.lower(), value) for name, value in fields]
    kept = [(name, value) for name, value in _of_message(sent) if name not in _REWRITTEN]
    kept = [(name, value) for name, value in kept if not name.startswith(_CONTROL)]
    has_length = body or method not in ("GET", "HEAD", "DELETE", "OPTIONS", "TRACE")
    length = [(b"content-length", str(len(body)).encode())] if has_length else []
    return [(b"host", host), *kept, (b"accept-encoding", _accepted(sent)), *length]


def to_client(fields: Iterable[tuple[bytes, bytes]], status: int) -> Fields:
    """Return the headers of a reply that are passed on; the server of the proxy writes `date`."""
    kept = _of_message([(name.lower(), value) for name, value in fields])
    written = (b"date", b"content-length") if status in (204, 304) else (b"date",)
    return [(name, value) for name, value in kept if name not in written and not name.startswith(_CONTROL)]


def _of_message(fields: Fields) -> Iterator[tuple[bytes, bytes]]:
    """Yield the headers that belong to the message, not to the connection on which it came."""
    named = {part.strip().lower() for name, value in fields if name == b"connection" for part in value.split(b",")}
    return ((name, value) for name, value in fields if name not in _OF_A_CONNECTION and name not in named)


def _accepted(fields: Fields) -> bytes:
    """Return the encodings that both the client and the proxy can read."""
    wanted = b",".join(value for name, value in fields if name == b"accept-encoding").decode("latin-1").lower()
    names = [part.strip() for part in wanted.split(",")]
    accepted = [name for name in names if name.partition(";")[0].strip() in READABLE_ENCODINGS]
    return ", ".join(accepted).encode() or b"identity"
