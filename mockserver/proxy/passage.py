"""One request on its way through the proxy, with what is known about it so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

from agent_contract import Operation
from agent_contract.messages import Exchange, Reply, Request, Violation
from mockserver.core.scopes import SCOPE_HEADER, is_scope_name
from mockserver.faults.broken_reply import Ending
from mockserver.proxy.headers import Fields
from mockserver.proxy.received import Received
from mockserver.proxy.script import ProxyScript


class Enforce(Enum):
    """Which direction is refused if it breaks the contract."""

    NONE = "none"
    REQUESTS = "requests"
    REPLIES = "replies"
    BOTH = "both"

    @property
    def requests(self) -> bool:
        """Whether requests are refused."""
        return self in (Enforce.REQUESTS, Enforce.BOTH)

    @property
    def replies(self) -> bool:
        """Whether replies are refused."""
        return self in (Enforce.REPLIES, Enforce.BOTH)


@dataclass(slots=True)
class Passage:
    """One request on its way, with what is known about it so far."""

    request: Request
    fields: Fields
    target: bytes
    begun: float
    enforce: Enforce
    number: int = 0
    operation: Operation | None = None
    parameters: Mapping[str, str] = field(default_factory=dict)
    refused: Exchange | None = None  # the refusal that the contract gives to the request
    broken: tuple[Violation, ...] = ()
    clauses: tuple[str, ...] = ()
    reply: Reply | None = None  # the head of what the upstream answered
    received: Received | None = None
    is_started: bool = False  # the client has got the head of a reply
    is_request_checked: bool = False
    is_checked: bool = False  # the body of the reply was checked before it was sent
    exchange: Exchange | None = None  # what the journal has
    notes: list[str] = field(default_factory=list)
    script: ProxyScript | None = None
    rule: str = ""  # the rule of a scenario that decided the reply
    faults: tuple[str, ...] = ()  # the faults of the reply
    ending: Ending | None = None  # how a fault ends the connection

    @property
    def scope(self) -> str:
        """The scope whose journal has the exchange: the one that the request names, if that is a name."""
        name = self.request.headers.get(SCOPE_HEADER, "")
        return name if is_scope_name(name) else ""
