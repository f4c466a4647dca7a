"""Agents: their fields, their mock settings, and the built-in agents."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any

import orjson

from mockserver.generation.retrieval import KnowledgeDocument, KnowledgeIndex

#: The roles that OpenAI's endpoint knows.
OPENAI_ROLES = frozenset({"developer", "system", "user", "assistant", "tool", "function"})
#: The roles that an agent accepts by default.
CHAT_ROLES = frozenset({"user", "assistant", "tool"})
#: The stored value of a configured agent that was deleted.
DELETED = b""

#: The default model of a configured agent.
MODEL = "llama-2-70b-chat-hf"
#: The status of every agent of the mock.
AVAILABLE = "AVAILABLE"
#: The fields that clients may set, in the order of the contract.
FIELDS = (
    "model",
    "name",
    "description",
    "instructions",
    "metadata",
    "session_max_ttl",
    "session_max_length",
    "session_summarization_strategy",
    "chat_system_instruction_mode",
    "completion_role",
    "index_id",
    "index_top_n",
    "index_similarity_cutoff",
    "index_reference_format",
    "index_reference_delimiter",
    "tools",
    "agent_type",
)


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: `id` is a uuid in lower case, `fields` are the fields of the API except `id` and `object`.

    The others are settings of the mock. The agent accepts messages with these `roles`. With `any_model` it accepts
    every model. With `calls_tools` it calls tools unless `tool_choice` forbids it. It always searches its `documents`.
    """

    id: str
    fields: Mapping[str, Any] = field(default_factory=dict)
    roles: frozenset[str] = CHAT_ROLES
    any_model: bool = False
    calls_tools: bool = False
    documents: tuple[KnowledgeDocument, ...] = ()

    @property
    def name(self) -> str:
        """The name; the path can name a configured agent by it."""
        return self.fields.get("name") or self.id

    @property
    def model(self) -> str:
        """The name of the model."""
        return str(self.fields["model"])

    @property
    def instructions(self) -> str:
        """The system instructions."""
        return self.fields.get("instructions") or ""

    def setting(self, name: str, absent: Any = None) -> Any:
        """Return a field of the API; `absent` if it is null or missing."""
        value = self.fields.get(name)
        return absent if value is None else value

    def searches(self, indexes: Set[str], tools: Set[str]) -> bool:
        """Return whether it searches one of these indexes, or is linked to one of these search tools."""
        linked = (link["tool_id"].lower() in tools for link in self.setting("tools", ()))
        return self.setting("index_id", "").lower() in indexes or any(linked)

    def as_json(self) -> dict[str, Any]:
        """Return the agent as the API returns it."""
        return {"id": self.id, "object": "agent", **self.fields}

    def encode(self) -> bytes:
        """Return the stored value, which contains the fields but not the settings of the mock."""
        return orjson.dumps(dict(self.fields))


def configured_agent(id: str, name: str, /, **rest: Any) -> Agent:
    """Return a configured agent; `rest` are settings of the mock and fields of the API."""
    own = {key: rest.pop(key) for key in ("roles", "any_model", "calls_tools", "documents") if key in rest}
    return Agent(id.lower(), {"created_at": 0, "status": AVAILABLE, "model": MODEL, "name": name, **rest}, **own)


def by_address(agents: Iterable[Agent]) -> Mapping[str, Agent]:
    """Return the configured agents by id and by name."""
    return {address: agent for agent in agents for address in (agent.id, agent.name)}


def unique(agents: Mapping[str, Agent]) -> tuple[Agent, ...]:
    """Return each agent of a mapping once."""
    return tuple({agent.id: agent for agent in agents.values()}.values())


def id_of(agents: Mapping[str, Agent], address: str) -> str:
    """Return the id of the agent with this id or name; `address` itself if it is unknown."""
    known = find_configured(agents, address)
    return known.id if known else address.lower() if is_uuid(address) else address


def find_configured(agents: Mapping[str, Agent], address: str) -> Agent | None:
    """Return the configured agent with this id or name, or None."""
    return agents.get(address) or agents.get(address.lower() if len(address) == 36 else address)


def decode_agent(id: str, stored: bytes, known: Agent | None) -> Agent | None:
    """Return the agent that `stored` encodes, None for a deleted one; `known` is the configured agent of that id."""
    if stored == DELETED:
        return None
    fields = orjson.loads(stored)
    return replace(known, fields=fields) if known else Agent(id, fields)


def is_uuid(text: str) -> bool:
    """Return whether `text` is a uuid with its hyphens."""
    try:
        return str(uuid.UUID(text)) == text.lower()
    except ValueError:
        return False


def _document(name: str, text: str) -> KnowledgeDocument:
    identity = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    return KnowledgeDocument(identity, text, name, "text/plain", f"handbook/{name}")


#: The default index.
LIBRARY = KnowledgeIndex(
    "1f0b7c92-d503-4a61-8e2f-903c5b4d1701",
    "library",
    (
        _document("loans.txt", "A borrowed book may be kept for four weeks, and twice as long once it is renewed."),
        _document("fees.txt", "Each week that a book is late costs one euro. Children pay no fees."),
        _document("opening-hours.txt", "The library is open from ten to seven on weekdays and closed on Sundays."),
        _document("events.txt", "Every first Saturday of the month there are readings for children at eleven."),
    ),
)
BUILT_IN = (
    configured_agent(
        "a61e2f90-3c5b-4d17-8e4a-1f0b7c92d501",
        "demo",
        instructions="You are a helpful assistant.",
    ),
    configured_agent(
        "a61e2f90-3c5b-4d17-8e4a-1f0b7c92d502",
        "demo-open",
        roles=OPENAI_ROLES,
        any_model=True,
    ),
    configured_agent(
        "a61e2f90-3c5b-4d17-8e4a-1f0b7c92d503",
        "demo-knowledge",
        instructions="You answer the visitors of a public library.",
        index_id=LIBRARY.id,
    ),
    configured_agent(
        "a61e2f90-3c5b-4d17-8e4a-1f0b7c92d504",
        "demo-tools",
        roles=OPENAI_ROLES,
        any_model=True,
        calls_tools=True,
    ),
)
