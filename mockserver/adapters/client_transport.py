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

from agent_contract.messages import Event, Reply, Request, with_encoded_slash
from mockserver.build import load_engine
from mockserver.core.scopes import SCOPE_HEADER
from mockserver.engine import Engine
from mockserver.faults.broken_reply import BrokenReply, Ending
from mockserver.generation.waits import Waits, waits_of


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
    """The read timeout of a client in seconds, None for no limit, and the errors of the library.

    `timed_out` is the error after the timeout, `cut` of an incomplete reply, `reset` of a connection that is reset,
    `refused` of one that is refused.
    """

    seconds: float | None
    timed_out: Callable[[], Exception]
    cut: Callable[[], Exception]
    reset: Callable[[], Exception]
    refused: Callable[[], Exception]

    def wait(self, delay: float, waits: Waits) -> None:
        """Wait for `delay` seconds; raise the error if that exceeds the timeout."""
        waits.wait(self._bounded(delay), time.sleep)
        self._check(delay)

    async def wait_async(self, delay: float, waits: Waits) -> None:
        """Wait without blocking the event loop; raise the error if `delay` exceeds the timeout."""
        await waits.wait_async(self._bounded(delay), anyio.sleep)
        self._check(delay)

    def _bounded(self, delay: float) -> float:
        return delay if self.seconds is None else min(delay, self.seconds)

    def _check(self, delay: float) -> None:
        if self.seconds is not None and delay > self.seconds:
            raise self.timed_out()


@dataclass(frozen=True, slots=True)
class EventBody:
    """The body of a streamed response: each event after its delay; a broken reply ends with the library's error."""

    reply: Reply
    timeout: ClientTimeout

    def __iter__(self) -> Iterator[bytes]:
        waits = waits_of(self.reply)
        for event in self._events():
            self.timeout.wait(event.delay, waits)
            yield event.encode()
        if isinstance(self.reply, BrokenReply):
            self.timeout.wait(self.reply.seconds, waits)
            raise _error_of(self.reply, self.timeout)

    async def __aiter__(self) -> AsyncIterator[bytes]:
        waits = waits_of(self.reply)
        for event in self._events():
            await self.timeout.wait_async(event.delay, waits)
            yield event.encode()
        if isinstance(self.reply, BrokenReply):
            await self.timeout.wait_async(self.reply.seconds, waits)
            raise _error_of(self.reply, self.timeout)

    def _events(self) -> tuple[Event, ...]:
        return () if isinstance(self.reply.body, bytes) else self.reply.body


class EngineTransport(ABC, Generic[RequestT, ResponseT]):
    """Answers every request with an engine, for any host, for sync and async clients.

    It applies the delays of the mock and the read timeout of the client: a reply or an event that is slower than the
    timeout raises the library's `ReadTimeout`. With a `scope`, every request is in that scope.
    """

    request_class: ClassVar[type]
    #: Which transport a client of the other library needs.
    instead: ClassVar[str]
    read_timeout: ClassVar[Callable[..., Exception]]
    read_error: ClassVar[Callable[..., Exception]]
    protocol_error: ClassVar[Callable[..., Exception]]
    connect_error: ClassVar[Callable[..., Exception]]

    def __init__(self, engine: Engine | None = None, *, scope: str = "") -> None:
        self.engine = engine or load_engine()
        self.scope = scope

    def handle_request(self, request: RequestT) -> ResponseT:  # noqa: D102
        timeout = self._timeout_of(request)
        reply = self.engine.reply(self._converted(request, request.read()))
        timeout.wait(reply.delay, waits_of(reply))
        return self._response(_with_head(reply, timeout), timeout)

    async def handle_async_request(self, request: RequestT) -> ResponseT:  # noqa: D102
        timeout = self._timeout_of(request)
        converted = self._converted(request, await request.aread())
        # An engine that may wait for its store runs in a thread.
        waiting = anyio.to_thread.run_sync(self.engine.reply, converted) if self.engine.blocking else None
        reply = await waiting if waiting else self.engine.reply(converted)
        await timeout.wait_async(reply.delay, waits_of(reply))
        return self._response(_with_head(reply, timeout), timeout)

    def _converted(self, request: RequestT, body: bytes) -> Request:
        query = tuple(parse_qsl(request.url.query.decode("latin-1"), keep_blank_values=True))
        headers = {name.lower(): value for name, value in request.headers.items()}
        if self.scope:
            headers[SCOPE_HEADER] = self.scope
        raw_path = with_encoded_slash(request.url.raw_path)
        return Request(request.method, request.url.path, query, headers, body, raw_path)

    @abstractmethod
    def _response(self, reply: Reply, timeout: ClientTimeout) -> ResponseT:
        """Return the reply as a response of the library."""

    def _timeout_of(self, request: RequestT) -> ClientTimeout:
        if not isinstance(request, self.request_class):
            library = type(request).__module__.partition(".")[0]
            raise TypeError(f"{type(self).__name__} can't serve a client of {library}. Use {self.instead}.")
        seconds: Mapping[str, float | None] = request.extensions.get("timeout") or {}
        return ClientTimeout(
            seconds.get("read"),
            partial(type(self).read_timeout, "The read operation timed out", request=request),
            partial(type(self).protocol_error, "The server closed the connection in the reply", request=request),
            partial(type(self).read_error, "Connection reset by peer", request=request),
            partial(type(self).connect_error, "Connection refused", request=request),
        )


def _with_head(reply: Reply, timeout: ClientTimeout) -> Reply:
    """Return the reply; raise the library's error if not even its headers are sent."""
    if isinstance(reply, BrokenReply) and not reply.has_head:
        raise _error_of(reply, timeout)
    return reply


def _error_of(reply: BrokenReply, timeout: ClientTimeout) -> Exception:
    """Return the error that the library raises at the end of such a connection."""
    errors = {Ending.RESET: timeout.reset, Ending.REFUSE: timeout.refused}
    return errors.get(reply.ending, timeout.cut)()
