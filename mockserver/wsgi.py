"""The mock as a WSGI application, for any WSGI server and for embedding in tests. Source: PEP 3333."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl

from werkzeug.exceptions import ClientDisconnected
from werkzeug.http import HTTP_STATUS_CODES
from werkzeug.wsgi import get_input_stream, get_path_info

from agent_contract.values import Event, Request
from mockserver.engine import Player

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_NAMES = {"CONTENT_TYPE": "content-type", "CONTENT_LENGTH": "content-length"}


def create_app(engine: Player, sleep: Callable[[float], object] = time.sleep) -> WSGIApplication:
    """Return an application that plays `engine`; a stream's `close()` frees it. `sleep` waits out delays."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        try:
            body = get_input_stream(environ).read(engine.limits.body + 1)
        except ClientDisconnected:
            body = b""  # nobody is there to read the reply
        query = tuple(parse_qsl(environ.get("QUERY_STRING", ""), keep_blank_values=True))
        request = Request(environ["REQUEST_METHOD"], get_path_info(environ), query, dict(_headers(environ)), body)
        reply = engine.reply(request)
        sleep(reply.delay)
        start_response(f"{reply.status} {HTTP_STATUS_CODES.get(reply.status, 'Unknown')}", list(reply.headers.items()))
        return [reply.body] if isinstance(reply.body, bytes) else _stream(reply.body, sleep)

    return app


def _headers(environ: WSGIEnvironment) -> Iterator[tuple[str, str]]:
    for name, value in environ.items():
        if name.startswith("HTTP_"):
            yield name[5:].replace("_", "-").lower(), value
        elif name in _NAMES and value:
            yield _NAMES[name], value


def _stream(events: Iterable[Event], sleep: Callable[[float], object]) -> Iterator[bytes]:
    for event in events:
        if event.delay:
            sleep(event.delay)
        yield event.encode()
