"""The transport that the ones for httpx and httpx2 extend; the two libraries have the same classes.

Without a socket, the client's read timeout has no effect. So the transports compare each delay of the mock with the
timeout: if the delay is longer, they raise the library's ReadTimeout after that timeout.
"""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, ClassVar, Generic, Protocol, TypeVar
from urllib.parse import parse_qsl

import anyio

from agent_contract.messages import Event, Reply, Request
from mockserver.build import load_engine
from mockserver.engine import Engine


class ClientRequest(Protocol):
    """The request of either library."""

    @property
    def method(self) -> str:
        """The method, in capitals."""

    @property
    def url(self) -> Any:
        """The address; `path` is decoded, `query` are bytes."""

    @property
    def headers(self) -> Any:
        """The headers, a mapping of strings."""

    @property
    def extensions(self) -> Any:
        """The extensions of the request, such as `timeout`."""

    def read(self) -> bytes:
        """Return the body."""

    async def aread(self) -> bytes:
        """Return the body."""


RequestT = TypeVar("RequestT", bound=ClientRequest)
ResponseT = TypeVar("ResponseT")


@dataclass(frozen=True, slots=True)
class ClientTimeout:
    """The read timeout of a client in seconds, None for no limit, and the error to raise after it."""

    seconds: float | None
    timed_out: Callable[[], Exception]

    def wait(self, delay: float) -> None:
        """Wait for `delay` seconds; raise the error if that exceeds the timeout."""
        time.sleep(self._bounded(delay))
        self._check(delay)

    async def wait_async(self, delay: float) -> None:
        """Wait without blocking the event loop; raise the error if `delay` exceeds the timeout."""
        await anyio.sleep(self._bounded(delay))
        self._check(delay)

    def _bounded(self, delay: float) -> float:
        return delay if self.seconds is None else min(delay, self.seconds)

    def _check(self, delay: float) -> None:
        if self.seconds is not None and delay > self.seconds:
            raise self.timed_out()


@dataclass(frozen=True, slots=True)
class EventBody:
    """The body of a streamed response: each event after its delay."""

    events: tuple[Event, ...]
    timeout: ClientTimeout

    def __iter__(self) -> Iterator[bytes]:
        for event in self.events:
            self.timeout.wait(event.delay)
            yield event.encode()

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for event in self.events:
            await self.timeout.wait_async(event.delay)
            yield event.encode()


class EngineTransport(ABC, Generic[RequestT, ResponseT]):
    """Answers every request with an engine, for any host, for sync and async clients.

    It applies the delays of the mock and the read timeout of the client: a reply or an event that is slower than the
    timeout raises the library's `ReadTimeout`.
    """

    read_timeout: ClassVar[Callable[..., Exception]]

    def __init__(self, engine: Engine | None = None) -> None:
        self.engine = engine or load_engine()

    def handle_request(self, request: RequestT) -> ResponseT:  # noqa: D102
        timeout = self._timeout_of(request)
        reply = self.engine.reply(_converted(request, request.read()))
        timeout.wait(reply.delay)
        return self._response(reply, timeout)

    async def handle_async_request(self, request: RequestT) -> ResponseT:  # noqa: D102
        timeout = self._timeout_of(request)
        converted = _converted(request, await request.aread())
        # An engine that may wait for its store runs in a thread.
        waiting = anyio.to_thread.run_sync(self.engine.reply, converted) if self.engine.blocking else None
        reply = await waiting if waiting else self.engine.reply(converted)
        await timeout.wait_async(reply.delay)
        return self._response(reply, timeout)

    @abstractmethod
    def _response(self, reply: Reply, timeout: ClientTimeout) -> ResponseT:
        """Return the reply as a response of the library."""

    def _timeout_of(self, request: RequestT) -> ClientTimeout:
        seconds: Mapping[str, float | None] = request.extensions.get("timeout") or {}
        timed_out = partial(type(self).read_timeout, "The read operation timed out", request=request)
        return ClientTimeout(seconds.get("read"), timed_out)


def _converted(request: ClientRequest, body: bytes) -> Request:
    query = tuple(parse_qsl(request.url.query.decode("latin-1"), keep_blank_values=True))
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, request.url.path, query, headers, body)
