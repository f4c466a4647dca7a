"""Code that the transports for httpx and httpx2 share; the two libraries have the same classes.

Without a socket, the client's read timeout has no effect. So the transports compare each delay of the mock with the
timeout: if the delay is longer, they raise the library's ReadTimeout after that timeout.
"""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qsl

import anyio

from agent_contract.messages import Event, Reply, Request
from mockserver.engine import Player


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


def client_timeout_of(request: ClientRequest, error: Callable[..., Exception]) -> ClientTimeout:
    """Return the read timeout of a request; `error` is the library's ReadTimeout."""
    timeouts: Mapping[str, float | None] = request.extensions.get("timeout") or {}
    return ClientTimeout(timeouts.get("read"), lambda: error("The read operation timed out", request=request))


def events(found: tuple[Event, ...], timeout: ClientTimeout) -> Iterator[bytes]:
    """Yield a stream's events, each after its delay."""
    for event in found:
        timeout.wait(event.delay)
        yield event.encode()


async def events_async(found: tuple[Event, ...], timeout: ClientTimeout) -> AsyncIterator[bytes]:
    """Yield a stream's events, each after its delay."""
    for event in found:
        await timeout.wait_async(event.delay)
        yield event.encode()


def reply_of(engine: Player, request: ClientRequest, body: bytes, timeout: ClientTimeout) -> Reply:
    """Return the engine's reply after its delay."""
    reply = engine.reply(_converted(request, body))
    timeout.wait(reply.delay)
    return reply


async def reply_of_async(engine: Player, request: ClientRequest, body: bytes, timeout: ClientTimeout) -> Reply:
    """Return the engine's reply after its delay; an engine that may wait for its store runs in a thread."""
    converted = _converted(request, body)
    waiting = anyio.to_thread.run_sync(engine.reply, converted) if engine.blocking else None
    reply = await waiting if waiting else engine.reply(converted)
    await timeout.wait_async(reply.delay)
    return reply


def _converted(request: ClientRequest, body: bytes) -> Request:
    query = tuple(parse_qsl(request.url.query.decode("latin-1"), keep_blank_values=True))
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, request.url.path, query, headers, body)
