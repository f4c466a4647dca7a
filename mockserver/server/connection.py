"""A connection: uvicorn's HTTP protocol with limits, and with an answer and a log line for every malformed request.

uvicorn parses and writes; this module refuses requests that are too large, too slow or malformed.
Source: RFC 9112, sections 2.2 (invalid messages), 8 (incomplete messages) and 9.6 (closing a connection).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httptools
from uvicorn.config import Config
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.server import ServerState

from agent_contract.messages import Exchange, Reply, Request
from mockserver.adapters.asgi import END_CONNECTION
from mockserver.adapters.disconnect import BAD_CHUNKS, CUT_BODY, refusal
from mockserver.faults.broken_reply import Ending
from mockserver.faults.connections import RESETTING, reset_on_close
from mockserver.server.connection_limits import RESERVED_FILES, ConnectionLimits, Reader

#: Seconds for which the rest of a refused request is discarded, so that the client can read the answer.
_LINGER = 1.0
#: Maximum number of clients beyond the limit of connections that get this time: they use file descriptors too.
_LINGERING = RESERVED_FILES // 2

_NOT_HTTP = "This is not a valid HTTP request."
_UNKNOWN_METHOD = "This is not a valid HTTP request, or its method is unknown."
_TOO_LARGE = "The request line and headers have more than {} bytes."


@dataclass(frozen=True, slots=True)
class ConnectionSettings:
    """Settings of all connections of a server. `report` is called with each exchange that the engine does not see.

    With `answers_half_closed`, a client that closes its side while it waits gets its answer; without, it has left.
    """

    limits: ConnectionLimits
    message_bytes: int
    report: Callable[[Exchange], None]
    answers_half_closed: bool = True


class Connection(HttpToolsProtocol):
    """A connection of uvicorn with limits. Call `expire` about once a second."""

    def __init__(self, settings: ConnectionSettings, config: Config, server_state: ServerState, **rest: Any) -> None:
        super().__init__(config, server_state, **rest)
        self.app_state = {**self.app_state, END_CONNECTION: self.end}
        self._settings = settings
        self._in_head = True  # no request, or a part of one's head, has arrived
        self._in_body = False
        self._upgrading = False
        self._head_bytes = 0
        self._received = 0  # bytes of this message, its head or its body
        self._upload_end = 0.0  # when the body that is being read must be complete
        self._half_closed = False
        self._reader: Reader | None = None
        self._refused = False
        self._at_rest = False
        self._deadline = self.loop.time() + settings.limits.idle_seconds

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin, or answer 503 if the server has too many connections."""
        super().connection_made(transport)
        limits = self._settings.limits
        beyond = len(self.connections) - limits.connections
        if beyond > 0:
            self._refuse(503, f"Too many connections: this server accepts {limits.connections}.")
        if beyond > _LINGERING:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        """Parse what arrived, within the limits."""
        if self._refused:
            return
        limits, settings = self._settings.limits, self._settings
        if self._in_head and not self._received:
            self._deadline = self.loop.time() + limits.header_seconds
        self._received += len(data)
        self._unset_keepalive_if_required()
        if self._at_rest:
            self._at_rest, self.parser = False, self._new_parser()
        self._feed(data)
        if self._refused or self.transport.is_closing():
            return
        if self._in_head and self._received > limits.header_bytes:
            self._refuse(431, _TOO_LARGE.format(limits.header_bytes))
        elif self._in_body:
            self._deadline = min(self.loop.time() + limits.body_seconds, self._upload_end)
            if self._received > settings.message_bytes:
                self._refuse(413, f"The body has more than {settings.message_bytes} bytes with its framing.")

    def eof_received(self) -> bool | None:  # type: ignore[override]
        """Finish the answer to a client that closes its side, or answer 400 if its body is incomplete."""
        if self._refused or self.transport.is_closing():
            return None
        if self._in_body:
            self._refuse(400, CUT_BODY)
            return True
        if not self._is_answering() or not self._settings.answers_half_closed:
            return False
        self._half_closed = True
        self._close_after_answers()
        return True

    def expire(self, now: float) -> None:
        """Close the connection, or answer 408, if its deadline has passed."""
        if self.transport.is_closing() or self._half_closed:
            self._reader = self._reader or Reader(self._settings.limits.read_seconds)
            if self._reader.has_stopped(self.transport.get_write_buffer_size(), now):
                self.transport.abort()
            return
        if now < self._deadline or (self._is_answering() and not self._in_body):
            return
        if self._refused:
            self.transport.close()
        elif self.pipeline:  # reading is paused until these are answered
            return
        elif self._in_body:
            limits = self._settings.limits
            late = f"The body was not complete after {limits.upload_seconds:g} s."
            pause = f"No data of the body arrived for {limits.body_seconds:g} s."
            self._refuse(408, late if now >= self._upload_end else pause)
        elif self._received:
            seconds = self._settings.limits.header_seconds
            self._refuse(408, f"The request line and headers were not complete after {seconds:g} s.")
        else:
            self.transport.close()

    def end(self, ending: Ending) -> None:
        """Close or reset the connection, for a fault."""
        if ending in RESETTING:
            reset_on_close(self.transport.get_extra_info("socket").fileno())
            self.transport.abort()
        else:
            self.transport.close()

    def _feed(self, data: bytes) -> None:
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            if self._upgrading:
                self._parse_without_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserInvalidMethodError:
            self._refuse(400, _UNKNOWN_METHOD)
        except httptools.HttpParserError:
            self._refuse(400, BAD_CHUNKS if self._in_body else _NOT_HTTP)

    def _parse_without_upgrade(self, rest: bytes) -> None:
        """Parse a request again without its `Upgrade` header, because the parser takes its body for another protocol.

        Java's HTTP client and `curl --http2` request an upgrade to HTTP/2 with every first request, even with a body.
        """
        kept = [(name, value) for name, value in self.headers if name != b"upgrade"]
        lines = [b"%s: %s\r\n" % header for header in kept]
        head = b"".join([self.scope["method"].encode(), b" ", self.url, b" HTTP/1.1\r\n", *lines, b"\r\n"])
        self._upgrading = False
        self.parser = self._new_parser()
        self._feed(head + rest)

    def _new_parser(self) -> httptools.HttpRequestParser:
        parser = httptools.HttpRequestParser(self)
        parser.set_dangerous_leniencies(lenient_data_after_close=True)  # as uvicorn does
        return parser

    # Callbacks of the parser

    def on_message_begin(self) -> None:
        """Begin a request."""
        self._head_bytes = 0
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """Store a header; ignore a trailer."""
        if self._in_head:
            self._head_bytes += len(name) + len(value) + len(": \r\n")
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the answer, unless the headers are too large."""
        limit = self._settings.limits.header_bytes
        if self._refused:
            return
        if self._head_bytes + len(self.url) > limit:
            self._refuse(431, _TOO_LARGE.format(limit))
            return
        method = self.parser.get_method()
        self._upgrading = self.parser.should_upgrade() and method != b"CONNECT"
        if self._upgrading:
            self.scope["method"] = method.decode("ascii")
            return
        self._in_head, self._in_body, self._received = False, True, 0
        self._upload_end = self.loop.time() + self._settings.limits.upload_seconds
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        """Pass on a part of the body."""
        if not self._refused:
            super().on_body(body)

    def on_message_complete(self) -> None:
        """Pass on the end of the body."""
        if self._refused or self._upgrading:
            return
        self._in_head, self._in_body, self._received = True, False, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Continue with the next request, or close the connection if the body was not read completely."""
        self._deadline = self.loop.time() + self._settings.limits.idle_seconds
        super().on_response_complete()
        self._unset_keepalive_if_required()  # `expire` closes idle connections
        if self._in_body and not self._refused:
            self._linger()
        elif self._in_head and not self._received and not self._is_answering():
            self._rest()

    def _rest(self) -> None:
        """Drop what is only needed during a request.

        The garbage collector walks through it, and everything waits meanwhile: 110 ms for 8,000 idle connections.
        """
        self._at_rest = True
        self.cycle = self.scope = self.headers = self.parser = None  # type: ignore[assignment]

    def _is_answering(self) -> bool:
        return self.cycle is not None and not self.cycle.response_complete

    def _close_after_answers(self) -> None:
        """Close the connection after the requests that were read are answered."""
        last = self.pipeline[0][0] if self.pipeline else self.cycle
        last.keep_alive = False

    def _refuse(self, status: int, why: str) -> None:
        """Answer instead of the engine, report the exchange, and close after the client had time to read the answer."""
        if self._is_answering() and not self._in_body:  # earlier requests still get their answers
            self._refused = True
            return self._close_after_answers()
        if self.pipeline:  # the answers to earlier requests come first
            return self.transport.close()
        started = self._is_answering() and self.cycle.response_started
        request = self._request()
        if self._is_answering():
            self._disconnect()
        if not started:
            reply = refusal(status, why)
            self.transport.write(_encode(reply, self.server_state.default_headers))
            self._settings.report(Exchange(request, reply))
        return self._linger()

    def _disconnect(self) -> None:
        """Signal the application that the client has disconnected."""
        self.cycle.disconnected = True
        self.cycle.message_event.set()

    def _linger(self) -> None:
        """Close after a moment: closing with unread bytes resets the connection, and the client loses the answer.

        Source: RFC 9112, section 9.6.
        """
        self._refused = True
        self._unset_keepalive_if_required()
        self._deadline = self.loop.time() + _LINGER
        self.flow.resume_reading()
        if self.transport.can_write_eof():
            self.transport.write_eof()
        else:
            self.transport.close()

    def _request(self) -> Request:
        """Return the request that is being read, as far as it is known."""
        scope: Any = self.scope if self._in_body else {}
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope.get("headers", ())}
        return Request(scope.get("method", "-"), scope.get("path", "-"), (), headers)


def _encode(reply: Reply, default: list[tuple[bytes, bytes]]) -> bytes:
    assert isinstance(reply.body, bytes)
    given = [(name.encode(), value.encode()) for name, value in reply.headers.items()]
    headers = [*default, *given, (b"connection", b"close")]
    lines = [STATUS_LINE[reply.status], *(b"%s: %s\r\n" % header for header in headers), b"\r\n"]
    return b"".join([*lines, reply.body])
