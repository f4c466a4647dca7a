"""What the ASGI adapter needs of the protocol besides messages: clients that leave, and what is not HTTP.

Source: ASGI 3.0, "HTTP & WebSocket ASGI Message Format" and "Lifespan Protocol".
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, MutableMapping
from typing import Any

#: How many times the largest body is read, and thrown away, so that a client that is still sending sees the refusal.
DRAINED = 16

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Scope = MutableMapping[str, Any]
App = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


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
    """Answer a server's lifespan, and close a WebSocket, which no operation has."""
    message = await receive()
    if kind == "websocket":
        return await send({"type": "websocket.close"})
    while message["type"] != "lifespan.shutdown":
        await send({"type": "lifespan.startup.complete"})
        message = await receive()
    return await send({"type": "lifespan.shutdown.complete"})
