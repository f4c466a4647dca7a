"""How long the delays of a reply take: real time, or the time of a clock that a test controls."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from agent_contract.messages import Reply
from agent_contract.value_class import value_class

#: Waits for seconds of real time; a true result means that the server stops.
Sleep = Callable[[float], object]
AsyncSleep = Callable[[float], Awaitable[object]]


class Waits(Protocol):
    """The waits of one reply, one after the other; adapters pass the function that waits in real time."""

    def wait(self, seconds: float, sleep: Sleep) -> None:
        """Return when `seconds` have passed, or when the server stops."""

    async def wait_async(self, seconds: float, sleep: AsyncSleep) -> None:
        """Return when `seconds` have passed, without blocking the event loop."""


class RealTime:
    """Waits in real time."""

    def wait(self, seconds: float, sleep: Sleep) -> None:
        """Wait."""
        sleep(seconds)

    async def wait_async(self, seconds: float, sleep: AsyncSleep) -> None:
        """Wait without blocking the event loop."""
        await sleep(seconds)


REAL_TIME: Waits = RealTime()


@value_class(frozen=True, slots=True)
class TimedReply(Reply):
    """A reply whose delays don't have to be real time."""

    waits: Waits = REAL_TIME


def waits_of(reply: Reply) -> Waits:
    """Return what waits for the delays of a reply."""
    return reply.waits if isinstance(reply, TimedReply) else REAL_TIME


def with_waits(reply: Reply, waits: Waits) -> Reply:
    """Return the reply with `waits` for its delays; the reply itself if it has none."""
    if isinstance(reply, TimedReply):
        return replace(reply, waits=waits)
    if reply.delay or (not isinstance(reply.body, bytes) and any(event.delay for event in reply.body)):
        return TimedReply(reply.status, reply.headers, reply.body, reply.delay, waits)
    return reply
