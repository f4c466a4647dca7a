"""The context of an operation: the call, the settings, fresh values and a transaction."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from agent_contract import Call
from agent_contract.value_class import value_class
from mockserver.core.limits import Limits
from mockserver.core.outcome import Outcome
from mockserver.core.transaction import Transaction
from mockserver.generation.latency import Pace
from mockserver.generation.retrieval import SearchIndex, SearchIndexCache
from mockserver.resources.agents import Agent
from mockserver.resources.models import Model
from mockserver.resources.resource import Resource
from mockserver.scenarios.script import ActiveScript


@dataclass(frozen=True, slots=True)
class IndexingSettings:
    """How documents are indexed: the seconds that it takes, whether an upload starts it, and the names that fail."""

    seconds: float = 0.5
    on_upload: bool = True
    failing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Settings:
    """Values that are the same for every request; `seed` is part of the seed of every generated text.

    `agents` are the configured ones, by id and by name. `indexes` are by id; an agent's own documents are an index with
    the id of the agent. `configured` are the configured resources of the control plane, by the prefix of their keys
    and by id.
    """

    agents: Mapping[str, Agent]
    limits: Limits = field(default_factory=Limits)
    pace: Pace = field(default_factory=Pace)
    seed: bytes = b""
    models: Mapping[str, Model] = field(default_factory=dict)
    indexes: Mapping[str, SearchIndex] = field(default_factory=dict)
    configured: Mapping[str, Mapping[str, Resource]] = field(default_factory=dict)
    indexing: IndexingSettings = field(default_factory=IndexingSettings)
    search_cache: SearchIndexCache = field(default_factory=SearchIndexCache, compare=False)


@value_class(frozen=True, slots=True)
class FreshValues:
    """Values for one attempt to answer: seconds since 1970, and 80 random digits for two uuids and a nonce."""

    now: float
    digits: str = ""

    @property
    def id(self) -> str:
        """A new uuid."""
        return as_uuid(self.digits[48:])

    @property
    def session_id(self) -> str:
        """A new uuid, for a session."""
        return as_uuid(self.digits[16:48])

    @property
    def nonce(self) -> bytes:
        """8 random bytes."""
        return bytes.fromhex(self.digits[:16])


def as_uuid(digits: str) -> str:
    """Return 32 digits as a uuid. Source: RFC 9562, section 5.4."""
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


@value_class(frozen=True, slots=True)
class Context:
    """Everything that one attempt to answer a call may use; `script` is None if no rules or faults are set."""

    call: Call
    settings: Settings
    fresh: FreshValues
    transaction: Transaction
    script: ActiveScript | None = None


#: The implementation of an operation: the same context gives the same outcome. Raises `Rejection` to refuse a request.
Behaviour: TypeAlias = Callable[[Context], Outcome]
