"""What can be wrong with agents that are changed and deleted."""

from collections.abc import Mapping
from typing import Any

from benchmarks.detection.field_mutators import retyped
from benchmarks.detection.mutants.mutant import planting
from benchmarks.detection.registry import Registry
from benchmarks.detection.resources import UPDATE
from server_defects.defect import MANAGED

agents = planting("agents", family="agents", options=MANAGED)


class ReplacesOnUpdate(Registry):
    """Forgets on an update what the update does not have."""

    def update(self, id: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        old = self.known(id)
        self.agents[id] = {**self.made(id, sent, old["created_at"]), "model": sent.get("model") or old["model"]}
        return 200, self.agents[id]


class UpdatesTheAnswerAlone(Registry):
    """Answers an update with the changed agent, and keeps the old one."""

    def update(self, id: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return 200, {**self.known(id), **sent}


class NullIsIgnored(Registry):
    """Takes null in an update for the field's absence."""

    def update(self, id: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().update(id, {name: value for name, value in sent.items() if value is not None})


class UpdateCreates(Registry):
    """Creates the agent that an update does not find."""

    def update(self, id: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        self.agents.setdefault(id, self.made(id, {"model": self.model, **sent}, 0))
        return super().update(id, sent)


class DeletesNothing(Registry):
    """Answers a deletion, and keeps the agent."""

    def delete(self, id: str) -> tuple[int, Any]:  # noqa: D102
        self.known(id)
        return 200, {"id": id, "object": "agent.deleted", "deleted": True}


class HidesTheDeleted(Registry):
    """Answers no deleted agent any more, but lists it."""

    gone: frozenset[str] = frozenset()

    def delete(self, id: str) -> tuple[int, Any]:  # noqa: D102
        self.known(id)
        self.gone |= {id}
        return 200, {"id": id, "object": "agent.deleted", "deleted": True}

    def get(self, id: str) -> tuple[int, Any]:  # noqa: D102
        self.known("" if id in self.gone else id)
        return super().get(id)


class ChatsOn(HidesTheDeleted):
    """Neither answers nor lists a deleted agent, but lets it chat."""

    def chosen(self, query: Mapping[str, Any]) -> list[dict[str, Any]]:  # noqa: D102
        return [agent for agent in super().chosen(query) if agent["id"] not in self.gone]


class DeletesAnyId(Registry):
    """Answers the deletion of an agent that does not exist with 200."""

    def delete(self, id: str) -> tuple[int, Any]:  # noqa: D102
        self.agents.setdefault(id, {"id": id})
        return super().delete(id)


CHANGED = (
    agents("update-replaces", "update", "Forgets on an update what it does not have.", registry=ReplacesOnUpdate),
    agents("update-not-kept", "update", "Answers an update, and keeps the old agent.", registry=UpdatesTheAnswerAlone),
    agents("update-null-ignored", "update-null", "Ignores null in an update.", registry=NullIsIgnored),
    agents(
        "update-unbounded",
        "update-invalid",
        "Checks no bound on an update.",
        resource_fields=retyped(
            UPDATE, name=(str | None, None), metadata=(Any, None), session_max_ttl=(Any, None), index_id=(Any, None)
        ),
    ),
    agents("delete-nothing", "deleted-gone", "Answers a deletion, and keeps the agent.", registry=DeletesNothing),
    agents("delete-still-listed", "deleted-gone", "Lists an agent that was deleted.", registry=HidesTheDeleted),
    agents("delete-still-chats", "deleted-chat", "Lets a deleted agent chat.", registry=ChatsOn),
)
UNKNOWN = tuple(
    planting("agents", options=MANAGED)(name, "agent-unknown", sentence, registry=registry)
    for name, sentence, registry in (
        ("update-creates", "Creates the agent that an update does not find.", UpdateCreates),
        ("delete-any-id", "Answers the deletion of an agent that does not exist with 200.", DeletesAnyId),
    )
)
MUTANTS = (*CHANGED, *UNKNOWN)
