"""The mock as an ASGI application, for `agent-contract serve` and any other ASGI server."""

from __future__ import annotations

import asyncio
from urllib.parse import parse_qsl

from agent_contract.messages import Reply, Request
from mockserver.adapters.disconnect import DRAINED, App, Receive, Scope, Send, answer_non_http, cancel_on_disconnect
from mockserver.engine import Player
from mockserver.stores import request_deadline


def create_app(engine: Player) -> App:
    """Return an application that serves `engine`; it drops the reply of a client that disconnects."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await answer_non_http(scope["type"], receive, send)
        body = await _body(receive, engine.limits.body)
        if body is None:
            return None
        query = tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
        headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
        request = Request(scope["method"], scope["path"], query, headers, body)
        if engine.may_take_long(request):
            with request_deadline():  # it includes the wait for a thread
                reply = await asyncio.to_thread(engine.reply, request)
        else:
            reply = engine.reply(request)
        is_delayed = reply.delay or (not isinstance(reply.body, bytes) and any(event.delay for event in reply.body))
        return await (cancel_on_disconnect(_reply(reply, send), receive) if is_delayed else _reply(reply, send))

    return app


async def _body(receive: Receive, limit: int) -> bytes | None:
    """Return the body, or its beginning if it has more than `limit` bytes; None if the client has disconnected."""
    parts, size, more = [], 0, True
    while more and size <= DRAINED * limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if size <= limit:
            parts.append(message.get("body", b""))
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    return b"".join(parts)


async def _reply(reply: Reply, send: Send) -> None:
    await asyncio.sleep(reply.delay)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if isinstance(reply.body, bytes):
        return await send({"type": "http.response.body", "body": reply.body})
    for event in reply.body:
        if event.delay:
            await asyncio.sleep(event.delay)
        await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
    return await send({"type": "http.response.body", "body": b""})
