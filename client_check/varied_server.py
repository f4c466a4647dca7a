"""A mock that varies its replies, and keeps what it varied."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from agent_contract.messages import Exchange, Reply, Request
from client_check.variants import ServerVariant
from mockserver import Engine
from mockserver.core.limits import Limits
from mockserver.engine import Effort

API = "/api/"


class Varied(NamedTuple):
    """A request, and the reply that was sent instead of the usual one."""

    request: Request
    reply: Reply


@dataclass
class VaryingEngine:
    """An engine whose replies a variant varies. Replies of the control interface stay as they are."""

    engine: Engine
    variant: ServerVariant | None = None
    varied: list[Varied] = field(default_factory=list)
    seen: list[Varied] = field(default_factory=list)  #: every request to the API with its reply
    _lock: threading.Lock = field(default_factory=threading.Lock)

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
        """Record an exchange that the adapter answered itself."""
        self.engine.record(exchange)

    def reply(self, request: Request) -> Reply:
        """Return the varied reply."""
        usual = self.engine.reply(request)
        if not request.path.startswith(API):
            return usual
        variation = self.variant.variation if self.variant else None
        reply = variation(request, usual) if variation else usual
        with self._lock:
            self.seen.append(Varied(request, reply))
            if reply is not usual:
                self.varied.append(Varied(request, reply))
        return reply


def concerns(variant: ServerVariant, seen: Sequence[Varied]) -> bool:
    """Return whether a variant would vary one of the replies; a temporary failure concerns every client."""
    if variant.variation is None:
        return bool(seen)
    return any(variant.variation(request, reply) is not reply for request, reply in seen)


def environment_of(url: str, base_url: str, given: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that tell a client where the mock is; `given` may use `{url}` and `{base_url}`."""
    usual = {
        "AGENT_CONTRACT_URL": url,
        "AGENT_CONTRACT_BASE_URL": base_url,
        "OPENAI_BASE_URL": base_url,
        "OPENAI_API_KEY": "any",
    }
    return usual | {name: value.replace("{url}", url).replace("{base_url}", base_url) for name, value in given.items()}
