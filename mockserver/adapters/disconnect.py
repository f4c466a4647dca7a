"""Disconnected clients, unreadable bodies, and the parts of ASGI that are not HTTP.

Source: ASGI 3.0, "HTTP & WebSocket ASGI Message Format" and "Lifespan Protocol".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

import orjson

from agent_contract.messages import Reply

#: Up to this many times the maximum body is read and discarded, so that a client that is still sending sees the
#: refusal.
DRAINED = 16
BAD_CHUNKS = "The chunked encoding of the body is malformed."
CUT_BODY = "The body is incomplete: the client closed the connection, or its side of it."

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]
App = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


def refusal(status: int, why: str) -> Reply:
    """Return the reply to a request that is refused before it reaches the engine."""
    body = orjson.dumps({"detail": why})
    return Reply(status, {"content-type": "application/json", "content-length": str(len(body))}, body)


async def cancel_on_disconnect(work: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Await `work`, and cancel it when the client disconnects; call it after the body was read."""

    async def disconnected() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = asyncio.create_task(work), asyncio.create_task(disconnected())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def answer_non_http(kind: str, receive: Receive, send: Send) -> None:
    """Answer the lifespan protocol, and close a WebSocket, which the API does not use."""
    message = await receive()
    if kind == "websocket":
        return await send({"type": "websocket.close"})
    while message["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
        message = await receive()
    return await send({"type": "lifespan.shutdown.complete"})
