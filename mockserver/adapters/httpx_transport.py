"""The mock as an httpx transport: a client talks to it without a port, synchronously or not."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from urllib.parse import parse_qsl

import anyio
import httpx

from agent_contract.messages import Event, Reply, Request
from mockserver.build import load_engine
from mockserver.engine import Engine


@dataclass(frozen=True, slots=True)
class _Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    events: tuple[Event, ...]

    def __iter__(self) -> Iterator[bytes]:
        for event in self.events:
            time.sleep(event.delay)
            yield event.encode()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in self.events:
            await anyio.sleep(event.delay)
            yield event.encode()


class MockTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers every request by an engine, whatever its host: `httpx.Client(transport=MockTransport())`."""

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = engine or load_engine()

    def handle_request(self, request: httpx.Request) -> httpx.Response:  # noqa: D102
        reply = self._reply(request, request.read())
        time.sleep(reply.delay)
        return _response(reply)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: D102
        body = await request.aread()
        in_thread = self.engine.blocking
        reply = await anyio.to_thread.run_sync(self._reply, request, body) if in_thread else self._reply(request, body)
        await anyio.sleep(reply.delay)
        return _response(reply)

    def _reply(self, request: httpx.Request, body: bytes) -> Reply:
        query = tuple(parse_qsl(request.url.query.decode("latin-1"), keep_blank_values=True))
        headers = {name.lower(): value for name, value in request.headers.items()}
        return self.engine.reply(Request(request.method, request.url.path, query, headers, body))


def _response(reply: Reply) -> httpx.Response:
    if isinstance(reply.body, bytes):
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body)
    return httpx.Response(reply.status, headers=dict(reply.headers), stream=_Stream(reply.body))
