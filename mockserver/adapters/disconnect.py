"""Clients that leave, bodies that can't be read, and the parts of ASGI that are not HTTP.

Source: ASGI 3.0, "HTTP & WebSocket ASGI Message Format" and "Lifespan Protocol".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

import orjson

from agent_contract.messages import Reply

#: How many times the largest body is read, and thrown away, so that a client that is still sending sees the refusal.
DRAINED = 16
BAD_CHUNKS = "The body can't be read: its chunks are malformed."
CUT_BODY = "The body ended before all of it arrived: the client closed the connection, or its side of it."

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]
App = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


def refusal(status: int, why: str) -> Reply:
    """Return the reply to a request that can't be read, and so never reaches the engine."""
    body = orjson.dumps({"detail": why})
    return Reply(status, {"content-type": "application/json", "content-length": str(len(body))}, body)


async def unless_gone(work: Coroutine[Any, Any, None], receive: Receive) -> None:
    """Await `work`, and end it as soon as the client has left; the request's body must have been read."""

    async def gone() -> None:
        while (await receive())["type"] != "http.disconnect":
            pass

    tasks = asyncio.create_task(work), asyncio.create_task(gone())
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def other_than_http(kind: str, receive: Receive, send: Send) -> None:
    """Answer a server's lifespan, and close a WebSocket: no operation uses one."""
    message = await receive()
    if kind == "websocket":
        return await send({"type": "websocket.close"})
    while message["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
        message = await receive()
    return await send({"type": "lifespan.shutdown.complete"})
