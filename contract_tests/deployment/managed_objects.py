"""What a run creates for its tests, recognizable by its name, and removes at the end: agents and knowledge bases."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from contract_tests.deployment.budget import NOT_MANAGED
from contract_tests.verdict import Finding, NotPassed
from contract_tests.wire.exchange import Exchange

if TYPE_CHECKING:
    from contract_tests.deployment.client import DeploymentClient, Endpoint

#: The prefix of the names of everything that a run creates.
NAME = "agent-contract-verify"


@dataclass(frozen=True, slots=True)
class ManagedKind:
    """A kind of object that a run may create: its name, and the operations that list, create, delete and change it.

    An operation is given with its twin on another path: a server may have only one. `parameter` is the id of an object
    in paths. The operations `inside` change what is deleted together with an object.
    """

    noun: str
    listing: tuple[str, ...]
    creating: tuple[str, ...]
    deleting: tuple[str, ...]
    parameter: str
    updating: tuple[str, ...] = ()
    inside: tuple[str, ...] = ()

    @property
    def changing(self) -> tuple[str, ...]:
        """All operations that need the user's permission."""
        return (*self.creating, *self.deleting, *self.updating, *self.inside)


AGENTS = ManagedKind(
    "agent",
    ("listAgents", "listAssistants"),
    ("createAgent", "createAssistant"),
    ("deleteAgent", "deleteAssistant"),
    "agent_id",
    ("updateAgent", "updateAssistant"),
)
KNOWLEDGE_BASES = ManagedKind(
    "knowledge base",
    ("listKnowledgeBases",),
    ("createKnowledgeBase",),
    ("deleteKnowledgeBase",),
    "knowledge_base_id",
    ("updateKnowledgeBase",),
    (
        *("createIndex", "updateIndex", "deleteIndex"),
        *("uploadDocument", "deleteDocument", "createIndexing", "cancelIndexing"),
    ),
)
#: They are removed in this order: a knowledge base that an agent uses can't be deleted.
KINDS = (AGENTS, KNOWLEDGE_BASES)
#: Statuses of a successful removal.
_GONE = (200, 202, 204, 410)
#: Statuses if the object or the operation does not exist.
_ABSENT = 404
#: Temporary failures: no answer, a link to the object, too many requests, a gateway without a server.
_PASSING = (0, 409, 429, 500, 502, 503, 504)
#: How often an object's removal is tried, and the seconds before it is tried again.
TRIES = 3
PAUSE = 1.0


@dataclass(slots=True)
class ManagedObjects:
    """What a run has created of one kind and not removed yet; `wanted` is whether it may create anything.

    An object is identified by its id; without an id, because a create got no answer, by its name.
    """

    wanted: bool
    kind: ManagedKind = AGENTS
    name: str = field(default_factory=lambda: f"{NAME}-{secrets.token_hex(4)}")
    created: list[str] = field(default_factory=list)
    changes: int = 0  #: how often the list has changed by this run
    tried: bool = False  #: a create was sent, successful or not

    def permit(self, endpoint: Endpoint) -> None:
        """Raise the verdict `skipped` if a request could change something, and the run may not."""
        if endpoint.id in self.kind.changing and not self.wanted:
            raise NotPassed(Finding("skipped", NOT_MANAGED))
        self.tried |= endpoint.id in self.kind.creating

    def record(self, exchange: Exchange) -> None:
        """Remember what a request has created, forget what it has removed."""
        if exchange.operation in self.kind.creating:
            id = id_of(exchange)
            if exchange.status in range(200, 300) and id and id not in self.created:
                self.created.append(id)
                self.changes += 1
        elif exchange.operation in self.kind.deleting and exchange.status in range(200, 300):
            gone = exchange.request.path.rpartition("/")[2]
            self.changes += gone in self.created
            self.created = [id for id in self.created if id != gone]

    def remove_all(
        self, client: DeploymentClient, listing: Iterable[Endpoint], deleting: Iterable[Endpoint]
    ) -> list[str]:
        """Remove the created objects, newest first; return a line for each one that could not be removed.

        Each operation is given with its twin on the other path: a server may have only one. A second call does nothing.
        """
        refused: dict[str, str] = {}
        absent: list[str] = []
        try:
            listing = tuple(listing)
            self._find_created(client, listing)
            waiting = self.created[::-1]
            for attempt in range(TRIES):
                if attempt and waiting:
                    client.budget.limiter.wait(PAUSE)
                for id in waiting.copy():
                    exchange = self._remove(client, deleting, id)
                    refused[id] = exchange.described()
                    if exchange.status not in _PASSING:
                        waiting.remove(id)
                    absent += [id] if exchange.status == _ABSENT else []
            if absent and (found := self._listed(client, listing)) is not None:
                self.created = [id for id in self.created if id not in absent or id in found]
        except KeyboardInterrupt:
            refused = {id: refused.get(id) or "its removal was interrupted" for id in self.created}
        left, self.created = self.created, []
        return [f"{id}: {refused[id]}" for id in left]

    def _find_created(self, client: DeploymentClient, listing: Iterable[Endpoint]) -> None:
        """Add the listed objects with the run's name to the created ones."""
        if self.tried:
            self.tried = False
            found = self._listed(client, listing) or []
            self.created += [id for id in reversed(found) if id not in self.created]

    def _listed(self, client: DeploymentClient, listing: Iterable[Endpoint]) -> list[str] | None:
        """Return the ids of the objects with the run's name, newest first; None without a list."""
        for endpoint in listing:
            value = client.clean_up(endpoint, {"order": "desc", "limit": "100"}).json()
            data = value.get("data") if isinstance(value, dict) else None
            if isinstance(data, list):
                objects = [one for one in data if isinstance(one, dict)]
                return [str(one.get("id")) for one in objects if str(one.get("name", "")).startswith(self.name)]
        return None

    def _remove(self, client: DeploymentClient, deleting: Iterable[Endpoint], id: str) -> Exchange:
        """Return the exchange that removes an object."""
        for endpoint in deleting:
            exchange = client.clean_up(endpoint, None, **{self.kind.parameter: id})
            if exchange.status in _GONE:
                self.created.remove(id)
            if exchange.status not in (405, 501):
                break
        return exchange


def id_of(exchange: Exchange) -> str:
    """Return the id in an answer, empty without one."""
    value = exchange.json()
    id = value.get("id") if isinstance(value, dict) else None
    return id if isinstance(id, str) else ""


def as_text(value: object) -> str:
    """Return a value as it is shown in a verdict, shortened."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 100 else f"{text[:100]}…"
