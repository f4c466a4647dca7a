"""Replies that break HTTP or the event stream on purpose: raw bytes, and connections that end too soon."""

from __future__ import annotations

from enum import Enum

from agent_contract.messages import Event
from agent_contract.value_class import value_class
from mockserver.generation.waits import TimedReply


@value_class(frozen=True, slots=True)
class Piece(Event):
    """Bytes that are sent as they are, `delay` seconds after what came before them."""

    def encode(self) -> bytes:
        """Return the bytes."""
        return self.data


class Ending(Enum):
    """What happens to the connection after the body of a broken reply."""

    CLOSE = "closed before the reply is complete"
    RESET = "reset"
    REFUSE = "refused"
    STALL = "left open without another byte"


@value_class(frozen=True, slots=True)
class BrokenReply(TimedReply):
    """A reply whose connection does not end as HTTP requires; its headers are not sent without `has_head`.

    A stalled connection is closed after `seconds`.
    """

    ending: Ending = Ending.CLOSE
    has_head: bool = True
    seconds: float = 0.0
