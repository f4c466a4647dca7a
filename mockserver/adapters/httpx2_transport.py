"""The mock as an httpx2 transport, for sync and async clients, without a port.

OpenAI's SDK is built on httpx2 from version 3.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass

from agent_contract.installation import DISTRIBUTION

try:
    import httpx2
except ImportError as error:
    raise ImportError(
        f"mockserver.Httpx2Transport needs httpx2, which is not installed: pip install '{DISTRIBUTION}[httpx2]'",
        name="httpx2",
    ) from error

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
class _Stream(httpx2.SyncByteStream, httpx2.AsyncByteStream):
    events: tuple[Event, ...]
    timeout: ClientTimeout

    def __iter__(self) -> Iterator[bytes]:
        return events(self.events, self.timeout)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return events_async(self.events, self.timeout)


class Httpx2Transport(httpx2.BaseTransport, httpx2.AsyncBaseTransport):
    """Answers every request with an engine, for any host: `httpx2.Client(transport=Httpx2Transport())`.

    It applies the delays of the mock and the read timeout of the client: a reply or an event that is slower than the
    timeout raises `httpx2.ReadTimeout`.
    """

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = engine or load_engine()

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:  # noqa: D102
        timeout = client_timeout_of(request, httpx2.ReadTimeout)
        return _response(reply_of(self.engine, request, request.read(), timeout), timeout)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:  # noqa: D102
        timeout = client_timeout_of(request, httpx2.ReadTimeout)
        return _response(await reply_of_async(self.engine, request, await request.aread(), timeout), timeout)


def _response(reply: Reply, timeout: ClientTimeout) -> httpx2.Response:
    if isinstance(reply.body, bytes):
        return httpx2.Response(reply.status, headers=dict(reply.headers), content=reply.body)
    return httpx2.Response(reply.status, headers=dict(reply.headers), stream=_Stream(reply.body, timeout))
