"""What adapters serve: a player, and the effort of its replies."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import Protocol

from agent_contract.messages import Exchange, Reply, Request
from mockserver.core.limits import Limits


class Effort(Enum):
    """What a reply takes, as far as the request shows before it is parsed."""

    #: Less than a millisecond: an event loop can call `reply` itself.
    LITTLE = "little"
    #: It may wait for the store: an event loop must call `reply` in a thread.
    WAITS = "waits"
    #: It may wait for a store that groups writes: one thread calls `replies` with all that wait.
    GROUPED = "grouped"
    #: It may compute for some time, although its body is small: in a thread, one of these at a time.
    COMPUTES = "computes"
    #: It computes for some time, because its body or its answer may be large: in a thread, one of these at a time.
    HEAVY = "heavy"


class Backend(Protocol):
    """What a server must know of what it serves: the limits, what a reply may take, and who records exchanges."""

    @property
    def limits(self) -> Limits:
        """What one request may cost; an adapter reads at most `limits.largest_body` bytes of a body, and one more."""

    @property
    def blocking(self) -> bool:
        """Whether a reply may wait for a disk or the network."""

    def effort(self, request: Request) -> Effort:
        """Return what the reply to a request may take."""

    def record(self, exchange: Exchange) -> None:
        """Record an exchange that the server answered itself; never raises."""


class Player(Backend, Protocol):
    """What an adapter serves: an `Engine`, or a wrapper around one."""

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request; never raises."""

    def replies(self, requests: Sequence[Request]) -> Sequence[Reply]:
        """Return the replies to several requests, in their order; never raises."""


class BackendWrapper:
    """Takes from `engine` what a wrapper around it does not change."""

    engine: Backend

    @property
    def limits(self) -> Limits:
        """What one request may cost."""
        return self.engine.limits

    @property
    def blocking(self) -> bool:
        """Whether a reply may wait for a disk or the network."""
        return self.engine.blocking

    def effort(self, request: Request) -> Effort:
        """Return what the reply to a request may take."""
        return self.engine.effort(request)

    def record(self, exchange: Exchange) -> None:
        """Record an exchange that the server answered itself."""
        self.engine.record(exchange)
