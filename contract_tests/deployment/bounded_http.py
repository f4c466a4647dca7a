"""One clock and one bound on the bytes of a whole exchange.

httpx limits each read separately, so a server that sends one byte per second, or endless interim replies, holds a
client for ever. Here one limit covers the exchange from the connection to the last byte, trailers included.
"""

from __future__ import annotations

import gc
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from queue import Empty, SimpleQueue
from threading import Thread
from typing import Any, NoReturn, TypeAlias

import httpcore
import httpx

from contract_tests.wire.decoding import DecodedTooLarge, DecodingError, decoded

#: The most bytes of a reply, before and after decoding.
LARGEST_REPLY = 4 * 1024 * 1024
#: Lines of an event stream, and values of any body, counted by the signs before them: each takes time to read.
MOST_LINES = 20_000
MOST_VALUES = 200_000
#: The bytes of an abandoned reply that are kept as evidence.
EVIDENCE = 4096
#: Seconds that a connection may take.
LONGEST_CONNECT = 10.0
#: Addresses of a host that are tried after the first.
_MOST_ADDRESSES = 3
#: Bytes of head, chunk sizes and trailers, and bytes of framing for each byte of a body.
_OVERHEAD, _FRAMING = 1024 * 1024, 8
#: Pieces of a body that arrive within this time, in seconds, are merged.
_RESOLUTION = 0.001
#: Bytes that are written at a time: between two of these the clock is read.
_WRITE = 64 * 1024

Pieces: TypeAlias = tuple[tuple[float, bytes], ...]
_LOST = (httpx.RemoteProtocolError, httpx.ReadError, httpx.WriteError)


class _Exceeded(httpcore.ReadTimeout):
    """The exchange has reached a limit."""


@dataclass(slots=True)
class ExchangeLimits:
    """The limits of one exchange: `seconds`, and `largest` bytes of a body; `exceeded` names the limit it hit."""

    seconds: float
    largest: int = LARGEST_REPLY
    clock: Callable[[], float] = time.monotonic
    exceeded: str = ""
    _received: int = 0
    _begun: float = field(init=False)

    def __post_init__(self) -> None:
        self._begun = self.clock()

    @property
    def elapsed(self) -> float:
        """The seconds since the exchange began."""
        return self.clock() - self._begun

    def left(self, timeout: float | None) -> float:
        """Return how long the next step may take; raises if no time is left."""
        left = self.seconds - self.elapsed
        if left <= 0:
            self.exceed(f"not finished within {self.seconds:.3g} s")
        return left if timeout is None else min(left, timeout)

    def check(self) -> None:
        """Raise if no time is left."""
        self.left(None)

    def count(self, size: int) -> None:
        """Count bytes that were received; raises if they are too many."""
        self._received += size
        if self._received > _OVERHEAD + _FRAMING * self.largest:
            self.exceed(f"not finished after {self._received} bytes")

    def exceed(self, reason: str) -> NoReturn:
        """Give the exchange up."""
        self.exceeded = reason
        raise _Exceeded(reason)


_BOUND: ContextVar[ExchangeLimits | None] = ContextVar("bound", default=None)


@contextmanager
def _in_force(bound: ExchangeLimits) -> Iterator[None]:
    token = _BOUND.set(bound)
    try:
        yield
    finally:
        _BOUND.reset(token)


class _Stream(httpcore.NetworkStream):
    """A connection that applies the limits of the current exchange."""

    def __init__(self, stream: httpcore.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        bound = _BOUND.get()
        if bound is None:
            return self._stream.read(max_bytes, timeout)
        try:
            data = self._stream.read(max_bytes, bound.left(timeout))
        except httpcore.ReadTimeout:
            bound.check()
            raise
        bound.count(len(data))
        return data

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        bound = _BOUND.get()
        for start in range(0, len(buffer), _WRITE):
            self._stream.write(buffer[start : start + _WRITE], bound.left(timeout) if bound else timeout)

    def close(self) -> None:
        self._stream.close()

    def start_tls(self, ssl_context: Any, server_hostname: str | None = None, timeout: float | None = None) -> _Stream:
        bound = _BOUND.get()
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, bound.left(timeout) if bound else timeout))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.SyncBackend):
    """Opens connections that apply the limits of the current exchange."""

    def connect_tcp(self, host: str, port: int, timeout: float | None = None, *rest: Any, **more: Any) -> _Stream:
        bound = _BOUND.get()
        if bound is None:
            return _Stream(super().connect_tcp(host, port, timeout, *rest, **more))
        first, *others = _addresses(host, port, bound.left(timeout))
        # Python's own loop would allow each address the whole time.
        for address in (first, *others[:_MOST_ADDRESSES]):
            try:
                return _Stream(super().connect_tcp(address, port, bound.left(timeout), *rest, **more))
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
        bound.check()
        raise failure


def _addresses(host: str, port: int, timeout: float) -> list[str]:
    """Return the addresses of a host; raises httpcore's errors if it has none, or the resolver takes longer.

    Python has no time limit for a resolver: it runs in a thread, which is abandoned when the time is over.
    """
    found: SimpleQueue[list[str] | Exception] = SimpleQueue()

    def resolve() -> None:
        try:
            found.put([str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)])
        except (OSError, ValueError) as error:  # a name that can't be encoded is a ValueError
            found.put(error)

    Thread(target=resolve, daemon=True).start()
    try:
        result = found.get(timeout=timeout)
    except Empty:
        raise httpcore.ConnectTimeout(f"the name {host} was not resolved within {timeout:.3g} s") from None
    if isinstance(result, Exception):
        raise httpcore.ConnectError(str(result)) from result
    return result


class BoundedTransport(httpx.HTTPTransport):
    """httpx's transport on connections that can be bounded."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        # httpcore takes a backend, but httpx has no argument for it.
        self._pool._network_backend = _Backend()


def bounded_client(**settings: Any) -> httpx.Client:
    """Return a client whose exchanges can be bounded; `settings` are those of `httpx.HTTPTransport`.

    It follows no redirects and keeps no cookies: no request depends on an earlier reply.
    """
    return httpx.Client(
        transport=BoundedTransport(**settings),
        follow_redirects=False,
        trust_env=False,
        cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
        headers={"accept-encoding": "gzip, deflate"},
    )


@dataclass(frozen=True, slots=True)
class RawReply:
    """A reply: `status` is 0 without a head; `failure` is the reason why it is not complete."""

    status: int = 0
    headers: tuple[tuple[str, str], ...] = ()
    pieces: Pieces = ()
    failure: str = ""
    protocol: str = ""
    lost: bool = False  #: the connection was lost before there was any reply
    given_up: bool = False  #: the reply is larger or slower than `ExchangeLimits` allow

    @property
    def body(self) -> bytes:
        """The body's bytes, joined."""
        return b"".join(piece for _, piece in self.pieces)


def send_within(
    client: httpx.Client, method: str, url: str, headers: Mapping[str, str], content: bytes, bound: ExchangeLimits
) -> RawReply:
    """Send a request and return what came back within the bound; never raises for what a server does.

    It keeps the beginning of a reply that is too large or slow.
    """
    received, pieces = RawReply(), _Pieces(bound)
    failure, lost, given_up = "", False, False
    timeout = httpx.Timeout(max(bound.seconds, 0.001), connect=min(max(bound.seconds, 0.001), LONGEST_CONNECT))
    try:
        with (
            _in_force(bound),
            client.stream(method, url, content=content or None, headers=dict(headers), timeout=timeout) as response,
        ):
            found = tuple((name.lower(), value) for name, value in response.headers.multi_items())
            received = RawReply(response.status_code, found, protocol=response.http_version)
            pieces.are_events = response.headers.get("content-type", "").lower().startswith("text/event-stream")
            encoding = response.headers.get("content-encoding", "")
            for piece in decoded(response.iter_raw(), encoding, bound.largest, bound.check):
                bound.check()
                pieces.add(piece)
    except (DecodingError, _Exceeded) as error:
        failure = bound.exceeded = str(error)
        given_up = isinstance(error, _Exceeded | DecodedTooLarge)
    except (httpx.HTTPError, httpx.InvalidURL, UnicodeError, ValueError) as error:
        failure, given_up = bound.exceeded or reason_of(error), bool(bound.exceeded)
        lost = not received.status and not bound.exceeded and isinstance(error, _LOST)
    if bound.exceeded:
        pieces.shorten()
    if failure:
        # An exception and the frames that it passed refer to each other, and to buffers of the connection.
        gc.collect(1)
    return RawReply(received.status, received.headers, pieces.joined(), failure, received.protocol, lost, given_up)


class _Pieces:
    """The pieces of a body, each with the second in which it came; pieces that arrived together are merged."""

    def __init__(self, bound: ExchangeLimits) -> None:
        self._bound = bound
        self._parts: list[tuple[float, bytearray]] = []
        self.are_events = False
        self._size = self._lines = self._values = 0

    def add(self, piece: bytes) -> None:
        at = self._bound.elapsed
        if self._parts and at - self._parts[-1][0] < _RESOLUTION:
            self._parts[-1][1].extend(piece)
        else:
            self._parts.append((at, bytearray(piece)))
        self._size += len(piece)
        self._lines += _count(piece, b"\n\r") if self.are_events else 0
        self._values += _count(piece, b",[{")
        for number, most, unit in (
            (self._size, self._bound.largest, "bytes"),
            (self._lines, MOST_LINES, "lines"),
            (self._values, MOST_VALUES, "values"),
        ):
            if number > most:
                self._bound.exceed(f"not finished after {number} {unit}")

    def shorten(self) -> None:
        """Keep only the beginning."""
        kept, left = [], EVIDENCE
        for at, part in self._parts:
            if left <= 0:
                break
            kept.append((at, part[:left]))
            left -= len(part)
        self._parts = kept

    def joined(self) -> Pieces:
        return tuple((at, bytes(part)) for at, part in self._parts)


def _count(piece: bytes, signs: bytes) -> int:
    return sum(piece.count(sign) for sign in signs)


def reason_of(error: Exception) -> str:
    """Return an error's kind with its message, on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split()) if str(error) else type(error).__name__
