"""How long the delays of a reply take: real time, or the time of a clock that a test controls."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Protocol

from agent_contract.messages import Reply
from agent_contract.value_class import value_class

#: Waits for seconds of real time; a true result means that the server stops.
Sleep = Callable[[float], object]
AsyncSleep = Callable[[float], Awaitable[object]]


class Waits(Protocol):
    """The waits of one reply, one after the other; adapters pass the function that waits in real time.

    A wait begins when the one before it should have ended, so that no delay adds up.
    """

    def has_passed(self, seconds: float) -> bool:
        """Return whether a wait of `seconds`, if it were the next, would be over at once."""

    def wait(self, seconds: float, sleep: Sleep) -> None:
        """Return when `seconds` have passed, or when the server stops."""

    async def wait_async(self, seconds: float, sleep: AsyncSleep) -> None:
        """Return when `seconds` have passed, without blocking the event loop."""


class RealTime:
    """Waits in real time, from the begin of the first one."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._due: float | None = None  # the end of the last wait

    def has_passed(self, seconds: float) -> bool:
        """Return whether a wait of `seconds`, if it were the next, would be over at once."""
        return self._due is not None and self._due + seconds <= self._clock()

    def wait(self, seconds: float, sleep: Sleep) -> None:
        """Wait."""
        if (left := self._next(seconds)) > 0:
            sleep(left)

    async def wait_async(self, seconds: float, sleep: AsyncSleep) -> None:
        """Wait without blocking the event loop."""
        if (left := self._next(seconds)) > 0:
            await sleep(left)

    def _next(self, seconds: float) -> float:
        """Begin the next wait; return how many seconds of it are left."""
        now = self._clock()
        if self._due is None:
            self._due = now + seconds
            return seconds
        self._due += seconds
        return self._due - now


@value_class(frozen=True, slots=True)
class TimedReply(Reply):
    """A reply whose delays don't have to be real time: without `waits` they are."""

    waits: Waits | None = None


def waits_of(reply: Reply) -> Waits:
    """Return what waits for the delays of a reply."""
    return (reply.waits if isinstance(reply, TimedReply) else None) or RealTime()


def with_waits(reply: Reply, waits: Waits) -> Reply:
    """Return the reply with `waits` for its delays; the reply itself if it has none."""
    if isinstance(reply, TimedReply):
        return replace(reply, waits=waits)
    if reply.delay or (not isinstance(reply.body, bytes) and any(event.delay for event in reply.body)):
        return TimedReply(reply.status, reply.headers, reply.body, reply.delay, waits)
    return reply
