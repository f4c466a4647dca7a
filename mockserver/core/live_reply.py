"""A reply whose events don't exist yet: an adapter asks for them while the client listens."""

from __future__ import annotations

from typing import Protocol

from agent_contract.messages import Event, Reply
from agent_contract.value_class import value_class


class Feed(Protocol):
    """What a live reply sends. Each call of `next` is short, and may wait for the store."""

    @property
    def interval(self) -> float:
        """Seconds between two calls of `next`."""

    def next(self) -> tuple[Event, ...] | None:
        """Return what is to be sent now, often nothing; None at the end of the stream. Never raises."""

    def close(self) -> None:
        """Free what the stream holds; called once, after the last `next`."""


@value_class(frozen=True, slots=True)
class LiveReply(Reply):
    """A stream of the events of `feed`. Its `body` is empty: an adapter that can't wait sends no events."""

    feed: Feed | None = None
