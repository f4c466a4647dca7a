"""The mock as an httpx transport, for sync and async clients, without a port."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

import httpx

from agent_contract.messages import Event, Reply
from mockserver.adapters.client_transport import (
    ClientTimeout,
    client_timeout_of,
    events,
    events_async,
    reply_of,
    reply_of_async,
)
from mockserver.build import load_engine
from mockserver.engine import Engine


@dataclass(frozen=True, slots=True)
class _Stream(httpx.SyncByteStream, httpx.AsyncByteStream):
    events: tuple[Event, ...]
    timeout: ClientTimeout

    def __iter__(self) -> Iterator[bytes]:
        return events(self.events, self.timeout)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return events_async(self.events, self.timeout)


class MockTransport(httpx.BaseTransport, httpx.AsyncBaseTransport):
    """Answers every request with an engine, for any host: `httpx.Client(transport=MockTransport())`.

    It applies the delays of the mock and the read timeout of the client: a reply or an event that is slower than the
    timeout raises `httpx.ReadTimeout`.
    """

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = engine or load_engine()

    def handle_request(self, request: httpx.Request) -> httpx.Response:  # noqa: D102
        timeout = client_timeout_of(request, httpx.ReadTimeout)
        return _response(reply_of(self.engine, request, request.read(), timeout), timeout)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:  # noqa: D102
        timeout = client_timeout_of(request, httpx.ReadTimeout)
        return _response(await reply_of_async(self.engine, request, await request.aread(), timeout), timeout)


def _response(reply: Reply, timeout: ClientTimeout) -> httpx.Response:
    if isinstance(reply.body, bytes):
        return httpx.Response(reply.status, headers=dict(reply.headers), content=reply.body)
    return httpx.Response(reply.status, headers=dict(reply.headers), stream=_Stream(reply.body, timeout))
