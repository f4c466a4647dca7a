"""What the transports for httpx and httpx2 share: both libraries have the same classes, under two names.

A client without a port has no socket whose silence could time out. The transports compare each delay of the mock with
the client's read timeout instead: a delay that is longer ends in the library's own ReadTimeout, after that timeout.
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
        """What the client asks of its transport, `timeout` among it."""


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a client waits for the next bytes, None without an end, and what it raises then."""

    seconds: float | None
    timed_out: Callable[[], Exception]

    def wait(self, delay: float) -> None:
        """Wait as the mock does; raise the client's error if it gives up before."""
        time.sleep(self._bounded(delay))
        self._check(delay)

    async def wait_async(self, delay: float) -> None:
        """Wait as the mock does, without blocking the event loop; raise the client's error if it gives up before."""
        await anyio.sleep(self._bounded(delay))
        self._check(delay)

    def _bounded(self, delay: float) -> float:
        return delay if self.seconds is None else min(delay, self.seconds)

    def _check(self, delay: float) -> None:
        if self.seconds is not None and delay > self.seconds:
            raise self.timed_out()


def patience_of(request: ClientRequest, error: Callable[..., Exception]) -> Patience:
    """Return how long the client of a request waits; `error` is its library's ReadTimeout."""
    timeout: Mapping[str, float | None] = request.extensions.get("timeout") or {}
    return Patience(timeout.get("read"), lambda: error("The read operation timed out", request=request))


def events(found: tuple[Event, ...], patience: Patience) -> Iterator[bytes]:
    """Yield a stream's events, each after its delay."""
    for event in found:
        patience.wait(event.delay)
        yield event.encode()


async def events_async(found: tuple[Event, ...], patience: Patience) -> AsyncIterator[bytes]:
    """Yield a stream's events, each after its delay."""
    for event in found:
        await patience.wait_async(event.delay)
        yield event.encode()


def reply_of(engine: Player, request: ClientRequest, body: bytes, patience: Patience) -> Reply:
    """Return the engine's reply after its delay."""
    reply = engine.reply(_converted(request, body))
    patience.wait(reply.delay)
    return reply


async def reply_of_async(engine: Player, request: ClientRequest, body: bytes, patience: Patience) -> Reply:
    """Return the engine's reply after its delay; an engine that may wait for its store is asked in a thread."""
    converted = _converted(request, body)
    asked = anyio.to_thread.run_sync(engine.reply, converted) if engine.blocking else None
    reply = await asked if asked else engine.reply(converted)
    await patience.wait_async(reply.delay)
    return reply


def _converted(request: ClientRequest, body: bytes) -> Request:
    query = tuple(parse_qsl(request.url.query.decode("latin-1"), keep_blank_values=True))
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, request.url.path, query, headers, body)
