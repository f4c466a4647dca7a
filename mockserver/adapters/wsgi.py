"""The mock as a WSGI application, for any WSGI server and for tests. Source: PEP 3333."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import IO, TYPE_CHECKING
from urllib.parse import parse_qsl

from werkzeug.datastructures import EnvironHeaders
from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wsgi import get_input_stream, get_path_info

from agent_contract.messages import Event, Exchange, Reply, Request, with_encoded_slash
from mockserver.adapters.disconnect import BAD_CHUNKS, CUT_BODY, DRAINED, refusal
from mockserver.core.live_reply import Feed, LiveReply
from mockserver.core.player import Player
from mockserver.faults.broken_reply import BrokenReply, Ending
from mockserver.faults.connections import end_connection
from mockserver.generation.waits import Sleep, Waits, waits_of

if TYPE_CHECKING:
    import socket

    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


def create_app(engine: Player, sleep: Sleep = time.sleep) -> WSGIApplication:
    """Return an application that serves `engine`; `sleep` is called with each delay in seconds."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        query = tuple(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        headers = {name.lower(): value for name, value in EnvironHeaders(environ)}
        raw_path = with_encoded_slash(
            str(environ.get("RAW_URI") or environ.get("REQUEST_URI", "")).encode("latin-1", "replace")
        )
        request = Request(environ["REQUEST_METHOD"], get_path_info(environ), query, headers, raw_path=raw_path)
        try:
            reply = engine.reply(replace(request, body=_body(get_input_stream(environ), engine.limits.largest_body)))
        except (ClientDisconnected, OSError) as error:
            reply = _unreadable(error, "chunked" in headers.get("transfer-encoding", "").lower())
            engine.record(Exchange(request, reply))
        waits = waits_of(reply)
        waits.wait(reply.delay, sleep)
        if isinstance(reply, BrokenReply):
            return _broken_body(reply, environ, start_response, waits, sleep)
        start_response(f"{reply.status} {HTTP_STATUS_CODES.get(reply.status, 'Unknown')}", list(reply.headers.items()))
        if isinstance(reply, LiveReply) and reply.feed:
            return _live(reply.feed, sleep, may_wait=bool(environ.get("wsgi.multithread")))
        return [reply.body] if isinstance(reply.body, bytes) else _stream(reply.body, waits, sleep)

    return app


def _live(feed: Feed, sleep: Sleep, *, may_wait: bool) -> Iterator[bytes]:
    """Yield the events of a feed until it ends; without `may_wait`, because others would wait too, only the first."""
    try:
        while (events := feed.next()) is not None:
            yield b"".join(event.encode() for event in events)
            if not may_wait or sleep(feed.interval):
                return
    finally:
        feed.close()


def _broken_body(
    reply: BrokenReply, environ: WSGIEnvironment, start_response: StartResponse, waits: Waits, sleep: Sleep
) -> Iterator[bytes]:
    """Yield the beginning of a broken reply, then end the connection as it demands."""
    if reply.has_head:
        start_response(f"{reply.status} {HTTP_STATUS_CODES.get(reply.status, 'Unknown')}", list(reply.headers.items()))
        yield b""  # sends the headers
        yield from _stream(() if isinstance(reply.body, bytes) else reply.body, waits, sleep)
    if reply.ending is Ending.STALL:
        waits.wait(reply.seconds, sleep)
    connection: socket.socket | None = environ.get("werkzeug.socket")
    if connection is not None:
        end_connection(connection, reply.ending)
    raise ConnectionAbortedError(f"A fault: the connection is {reply.ending.value}.")  # servers drop it


def _unreadable(error: Exception, in_chunks: bool) -> Reply:
    if isinstance(error, TimeoutError) or isinstance(error.__cause__ or error.__context__, TimeoutError):
        return refusal(408, "The body is incomplete: the client stopped sending.")
    return refusal(400, BAD_CHUNKS if in_chunks else CUT_BODY)


def _body(stream: IO[bytes], limit: int) -> bytes:
    """Return the body, or its first bytes if it has more than `limit`."""
    parts, size = [], 0
    while size <= limit and (part := stream.read(limit + 1 - size)):  # a shorter read is not the end
        parts.append(part)
        size += len(part)
    body = b"".join(parts)
    left = DRAINED * limit if len(body) > limit else 0
    while left > 0 and (part := stream.read(65536)):
        left -= len(part)
    return body


def _stream(events: Iterable[Event], waits: Waits, sleep: Sleep) -> Iterator[bytes]:
    for event in events:
        if event.delay:
            waits.wait(event.delay, sleep)
        yield event.encode()
