"""The agents that the mock plays, and the three that it has out of the box."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

#: The roles that OpenAI's endpoint knows.
OPENAI_ROLES = frozenset({"developer", "system", "user", "assistant", "tool", "function"})
#: The roles of a conversation that has no instructions of its own.
CHAT_ROLES = frozenset({"user", "assistant", "tool"})

_WORD = re.compile(r"\w{4,}")


@dataclass(frozen=True, slots=True)
class Document:
    """A passage of knowledge; `id` is a uuid."""

    id: str
    text: str
    origin_name: str | None = None
    media_type: str | None = None
    origin_ref: str | None = None
    words: frozenset[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "words", frozenset(_WORD.findall(self.text.lower())))


@dataclass(frozen=True, slots=True)
class Agent:
    """One agent: `id` is a uuid in lower case, `roles` those that its messages may have.

    With `any_model` every model is accepted; `session_max_ttl` is in seconds since a session's last write,
    None for sessions that never expire.
    """

    id: str
    name: str
    model: str
    roles: frozenset[str] = CHAT_ROLES
    any_model: bool = False
    instructions: str = ""
    documents: tuple[Document, ...] = ()
    index_top_n: int = 2
    session_max_ttl: int | None = None


def by_address(agents: Iterable[Agent]) -> Mapping[str, Agent]:
    """Return the agents by what may stand in a path: their ids and their names."""
    return {address: agent for agent in agents for address in (agent.id, agent.name)}


def find_agent(agents: Mapping[str, Agent], address: str) -> Agent | None:
    """Return the agent that is meant by a path's `address`; the case of a uuid does not matter."""
    return agents.get(address) or agents.get(address.lower() if len(address) == 36 else address)


def find_documents(agent: Agent, question: str) -> list[tuple[Document, float]]:
    """Return the agent's documents that fit `question` best, best first, each with its score from 0 to 1.

    The score is the share of the question's longer words that stand in the document.
    """
    asked = set(_WORD.findall(question[:10_000].lower()))
    scored = [(document, len(asked & document.words) / (len(asked) or 1)) for document in agent.documents]
    return sorted(scored, key=lambda one: -one[1])[: agent.index_top_n]


def _document(name: str, text: str) -> Document:
    identity = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
    return Document(identity, text, name, "text/plain", f"handbook/{name}")


BUILT_IN = (
    Agent(
        id="a61e2f90-3c5b-4d17-8e4a-1f0b7c92d501",
        name="demo",
        model="llama-2-70b-chat-hf",
        instructions="You are a helpful assistant.",
    ),
    Agent(
        id="a61e2f90-3c5b-4d17-8e4a-1f0b7c92d502",
        name="demo-open",
        model="llama-2-70b-chat-hf",
        roles=OPENAI_ROLES,
        any_model=True,
    ),
    Agent(
        id="a61e2f90-3c5b-4d17-8e4a-1f0b7c92d503",
        name="demo-knowledge",
        model="llama-2-70b-chat-hf",
        instructions="You answer the visitors of a public library.",
        documents=(
            _document("loans.txt", "A borrowed book may be kept for four weeks, and twice as long once it is renewed."),
            _document("fees.txt", "Each week that a book is late costs one euro. Children pay no fees."),
            _document("opening-hours.txt", "The library is open from ten to seven on weekdays and closed on Sundays."),
            _document("events.txt", "Every first Saturday of the month there are readings for children at eleven."),
        ),
    ),
)
