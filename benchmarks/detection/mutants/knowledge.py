"""What can be wrong with knowledge bases, and with the lists of the control plane."""

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from pydantic import Field

from benchmarks.detection.field_mutators import retyped
from benchmarks.detection.knowledge import Knowledge, Object
from benchmarks.detection.knowledge_routes import CREATE_BASE, LIST_OBJECTS, Policy
from benchmarks.detection.mutants.mutant import planting
from server_defects.defect import MANAGED
from server_defects.hooks import Refusal
from server_defects.resource_mutators import answering, each, with_status, without

lists = planting("lists of the control plane", family="control", options=MANAGED)
bases = planting("knowledge bases", family="knowledge-bases", options=MANAGED)


class PagesIgnoring(Knowledge):
    """Ignores one parameter of its lists."""

    ignored: ClassVar[Mapping[str, Any]] = {}

    def page(self, objects: Sequence[Object], query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return super().page(objects, {**query, **self.ignored})


class IgnoresAfter(PagesIgnoring):
    """Begins every page with the first object."""

    ignored: ClassVar[Mapping[str, Any]] = {"after": None}


class IgnoresLimit(PagesIgnoring):
    """Lists all objects whatever the limit."""

    ignored: ClassVar[Mapping[str, Any]] = {"limit": 999}


class IgnoresOrder(PagesIgnoring):
    """Lists the objects oldest first, always."""

    ignored: ClassVar[Mapping[str, Any]] = {"order": "asc"}


class IgnoresCursors(Knowledge):
    """Takes a cursor that it does not know for none."""

    def page(self, objects: Sequence[Object], query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        known = [one["id"] for one in objects]
        cursors = {name: query[name] if query.get(name) in known else None for name in ("after", "before")}
        return super().page(objects, {**query, **cursors})


class KeepsNoBase(Knowledge):
    """Answers a create, and keeps no knowledge base."""

    def list_bases(self, query: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return self.page([self.detailed(base) for base in list(self.bases.values())[:2]], query)


class AnswersAnyBase(Knowledge):
    """Takes an unknown knowledge base for the first one."""

    def known(self, kept: Mapping[str, Object], id: str) -> Object:  # noqa: D102
        return super().known(kept, id if id in kept else next(iter(kept), ""))


class ForgetsTheDescription(Knowledge):
    """Reads a knowledge base without its description."""

    def get_base(self, base: str) -> tuple[int, Any]:  # noqa: D102
        return 200, without("description")(self.detailed(self.known(self.bases, base)))


class UpdatesTheAnswerAlone(Knowledge):
    """Answers an update with the changed knowledge base, and keeps the old one."""

    def update_base(self, base: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        return 200, {**self.known(self.bases, base), **sent}


class ChangesTheOrigin(Knowledge):
    """Changes the origin of a knowledge base."""

    def update_base(self, base: str, sent: Mapping[str, Any]) -> tuple[int, Any]:  # noqa: D102
        status, value = super().update_base(base, sent)
        value["data_origin_type"] = sent.get("data_origin_type") or value["data_origin_type"]
        return status, value


class DeletesNothing(Knowledge):
    """Answers a deletion, and keeps the knowledge base."""

    def delete_base(self, base: str) -> tuple[int, Any]:  # noqa: D102
        self.known(self.bases, base)
        return 200, {"id": base, "object": "knowledge_base", "deleted": True}


class DeletesTheLinked(Knowledge):
    """Deletes a knowledge base that an agent uses."""

    def delete_base(self, base: str) -> tuple[int, Any]:  # noqa: D102
        try:
            return super().delete_base(base)
        except Refusal as refusal:
            if refusal.kind != "linked":
                raise
            del self.bases[base]
            return 200, {"id": base, "object": "knowledge_base", "deleted": True}


class CountsNoAgents(Knowledge):
    """Counts no agents that use a knowledge base."""

    def detailed(self, base: Object) -> Object:  # noqa: D102
        return {**super().detailed(base), "num_linked_agents": 0}


MUTANTS = (
    lists("bases-after-ignored", "after", "Ignores the cursor of a page of knowledge bases.", knowledge=IgnoresAfter),
    lists("bases-limit-ignored", "limit", "Lists all objects whatever the limit.", knowledge=IgnoresLimit),
    lists(
        "bases-order-ignored",
        "order",
        "Lists knowledge bases oldest first, whatever the order.",
        knowledge=IgnoresOrder,
    ),
    lists(
        "bases-cursor-ignored",
        "cursor-invalid",
        "Ignores an invalid cursor of knowledge bases.",
        knowledge=IgnoresCursors,
    ),
    lists(
        "bases-counts-nothing",
        "num-objects",
        "Does not count the objects.",
        resource=answering("list-bases", lambda value: {**value, "num_objects": None}),
    ),
    lists(
        "bases-bare", "list", "Lists objects without the ends.", resource=answering("list-bases", without("last_id"))
    ),
    lists(
        "bases-object",
        "list-object",
        "Calls a list `bases`.",
        resource=answering("list-bases", lambda value: {**value, "object": "bases"}),
    ),
    lists(
        "bases-ends-swapped",
        "list-ends",
        "Names the first object as the last and the last as the first.",
        resource=answering(
            "list-bases", lambda value: {**value, "first_id": value["last_id"], "last_id": value["first_id"]}
        ),
    ),
    lists(
        "bases-never-more",
        "has-more",
        "Sends on every page of knowledge bases that nothing follows.",
        resource=answering("list-bases", lambda value: {**value, "has_more": False}),
    ),
    lists(
        "bases-limit-zero",
        "limit-bounds",
        "Accepts a limit of 0 for knowledge bases.",
        resource_fields=retyped(LIST_OBJECTS, limit=(int, Field(100, ge=0, lt=1000))),
    ),
    lists(
        "bases-offset-negative",
        "offset-bounds",
        "Accepts a negative offset for knowledge bases.",
        resource_fields=retyped(LIST_OBJECTS, offset=(int, Field(0, le=4294967296))),
    ),
    lists(
        "bases-order-any",
        "order-unknown",
        "Accepts any word as an order of knowledge bases.",
        resource_fields=retyped(LIST_OBJECTS, order=(str, "asc")),
    ),
    bases(
        "base-200",
        "create",
        "Answers a create of a knowledge base with 200.",
        resource=with_status("create-base", 201, 200),
    ),
    bases(
        "base-dated-in-words",
        "conforms",
        "Sends words for the time of creation.",
        resource=answering("create-base", lambda value: {**value, "last_updated_at": "today"}),
    ),
    bases(
        "base-without-policy",
        "conforms",
        "Lists knowledge bases without their policies.",
        resource=answering("list-bases", each(without("index_refresh_policy"))),
    ),
    bases(
        "base-forgets-the-name",
        "created-fields",
        "Creates knowledge bases without their names.",
        resource=answering("create-base", without("name")),
    ),
    bases(
        "base-object",
        "object",
        "Calls a knowledge base `kb`.",
        resource=answering("create-base", lambda value: {**value, "object": "kb"}),
    ),
    bases(
        "base-in-milliseconds",
        "created-at",
        "Sends the time of creation in milliseconds.",
        resource=answering("create-base", lambda value: {**value, "created_at": value["created_at"] * 1000}),
    ),
    bases("base-not-listed", "created-listed", "Lists no created knowledge base.", knowledge=KeepsNoBase),
    bases("base-get-bare", "get", "Reads a knowledge base without its description.", knowledge=ForgetsTheDescription),
    bases("base-any", "base-unknown", "Answers an unknown knowledge base with another.", knowledge=AnswersAnyBase),
    bases(
        "base-status-unknown",
        "status",
        "Sends the status READY of a knowledge base.",
        resource=answering("list-bases", each(lambda base: {**base, "status": "READY"})),
    ),
    bases("base-update-lost", "update", "Keeps nothing of an update.", knowledge=UpdatesTheAnswerAlone),
    bases("base-origin-changed", "origin-kept", "Changes the origin.", knowledge=ChangesTheOrigin),
    bases(
        "base-no-origin",
        "origin-required",
        "Creates a knowledge base without an origin.",
        resource_fields=retyped(CREATE_BASE, data_origin_type=(str, "LOCAL_FILES")),
    ),
    bases(
        "base-no-policy",
        "policy-required",
        "Creates a knowledge base without a policy.",
        resource_fields=retyped(CREATE_BASE, index_refresh_policy=(Policy | None, None)),
    ),
    bases(
        "base-any-origin",
        "origin-unknown",
        "Creates a knowledge base of any origin.",
        resource_fields=retyped(CREATE_BASE, data_origin_type=(str, ...)),
    ),
    bases(
        "base-any-name",
        "name-length",
        "Accepts a name of any length for a knowledge base.",
        resource_fields=retyped(CREATE_BASE, name=(str | None, None)),
    ),
    bases("base-kept", "deleted-gone", "Deletes no knowledge base.", knowledge=DeletesNothing),
    bases(
        "base-delete-bare",
        "delete",
        "Answers a deletion with nothing.",
        resource=answering("delete-base", lambda value: {}),
    ),
    bases("base-linked-deleted", "delete-linked", "Deletes one that an agent uses.", knowledge=DeletesTheLinked),
    bases("base-agents-uncounted", "linked-agents", "Counts no agents.", knowledge=CountsNoAgents),
)
