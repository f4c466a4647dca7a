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
from mockserver.generation.retrieval import SearchIndex
from mockserver.resources.agents import Agent
from mockserver.resources.models import Model
from mockserver.scenarios.script import ActiveScript


@dataclass(frozen=True, slots=True)
class Settings:
    """Values that are the same for every request; `seed` is part of the seed of every generated text.

    `agents` are the configured ones, by id and by name. `indexes` are by id; an agent's own documents are an index with
    the id of the agent.
    """

    agents: Mapping[str, Agent]
    limits: Limits = field(default_factory=Limits)
    pace: Pace = field(default_factory=Pace)
    seed: bytes = b""
    models: Mapping[str, Model] = field(default_factory=dict)
    indexes: Mapping[str, SearchIndex] = field(default_factory=dict)


@value_class(frozen=True, slots=True)
class FreshValues:
    """Values for one attempt to answer: seconds since 1970, two new uuids, 8 random bytes."""

    now: float
    id: str
    session_id: str
    nonce: bytes


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
