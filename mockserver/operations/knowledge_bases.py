"""Operations that create, list, read, change and delete knowledge bases."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mockserver.core import keys
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection
from mockserver.operations.agent_store import all_agents
from mockserver.operations.index_store import (
    agents_of,
    all_indexes,
    find_knowledge_base,
    index_removal,
    indexes_of,
    linked_agents,
)
from mockserver.operations.indexes import details as index_details
from mockserver.operations.resource_store import (
    all_resources,
    check_room,
    deletion_reply,
    given_fields,
    json_reply,
    list_resources,
    removed,
    saved,
)
from mockserver.resources.agents import Agent
from mockserver.resources.resource import KNOWLEDGE_BASE, Resource

#: The fields that clients may set, in the order of the contract.
FIELDS = ("name", "description", "index_refresh_policy", "data_origin_type")


def create_knowledge_base(context: Context) -> Outcome:
    """Return the new knowledge base with 201."""
    check_room(context, len(_all(context)), "knowledge bases")
    now = context.fresh.now
    given = {name: value for name, value in given_fields(context, FIELDS).items() if value is not None}
    fields = {**given, "created_at": int(now), "last_updated_at": int(now)}
    base = Resource(KNOWLEDGE_BASE, context.fresh.id, fields, {"created": now})
    return Outcome(json_reply(201, base.as_json()), (saved(context, base, keys.KNOWLEDGE_BASES),))


def list_knowledge_bases(context: Context) -> Outcome:
    """Return a page of the knowledge bases, each with its status and its links."""
    indexes, agents = all_indexes(context), all_agents(context.settings, context.transaction)
    return list_resources(context, _all(context), KNOWLEDGE_BASE, lambda base: _details(context, base, indexes, agents))


def get_knowledge_base(context: Context) -> Outcome:
    """Return the knowledge base with its status and its links."""
    base = find_knowledge_base(context)
    agents = all_agents(context.settings, context.transaction)
    return Outcome(json_reply(200, base.as_json(**_details(context, base, all_indexes(context), agents))))


def update_knowledge_base(context: Context) -> Outcome:
    """Return the changed knowledge base. A null deletes the name or the description."""
    base = find_knowledge_base(context)
    given = given_fields(context, FIELDS)
    origin, kept = given.pop("data_origin_type", None), base.fields["data_origin_type"]
    if origin not in (None, kept):
        why = f"The data_origin_type of a knowledge base can't be changed. It is {kept}."
        raise Rejection(400, "origin-kept", why, ("body", "data_origin_type"), kept, origin)
    if given.get("index_refresh_policy") is None:
        given.pop("index_refresh_policy", None)
    fields = {**base.fields, **given, "last_updated_at": int(context.fresh.now)}
    fields = {name: value for name, value in fields.items() if value is not None}
    changed = Resource(KNOWLEDGE_BASE, base.id, fields, base.hidden)
    return Outcome(json_reply(200, changed.as_json()), (saved(context, changed, keys.KNOWLEDGE_BASES),))


def delete_knowledge_base(context: Context) -> Outcome:
    """Delete the knowledge base with its indexes and documents; raises `Rejection` while an agent uses it."""
    base = find_knowledge_base(context)
    indexes = indexes_of(all_indexes(context), base.id)
    linked = linked_agents(context, indexes)
    if linked:
        names = ", ".join(agent.name for agent in linked[:10])
        why = f"The knowledge base is in use and can't be deleted: {names} use it. Unlink it first."
        raise Rejection(409, "delete-linked", why, ("path", KNOWLEDGE_BASE.parameter), 0, len(linked))
    removals = [index_removal(context, index) for index in indexes]
    writes = (removed(context, keys.KNOWLEDGE_BASES, base.id), *(write for some, _ in removals for write in some))
    return Outcome(deletion_reply(base), writes, tuple(prefix for _, some in removals for prefix in some))


def _all(context: Context) -> list[Resource]:
    return all_resources(context.settings, context.transaction, KNOWLEDGE_BASE, keys.KNOWLEDGE_BASES)


def _details(context: Context, base: Resource, indexes: Sequence[Resource], agents: Sequence[Agent]) -> dict[str, Any]:
    """Return the status and the links of a knowledge base."""
    own = indexes_of(indexes, base.id)
    return {
        "status": _status(context, own),
        "num_linked_data_sources": 0,
        "num_linked_agents": len(agents_of(agents, own)),
    }


def _status(context: Context, indexes: Sequence[Resource]) -> str:
    """Return the status of a knowledge base: an error if one of its indexes has one."""
    if not indexes:
        return "NOT_CONFIGURED"
    return "ERROR" if any(index_details(context, index)["status"] == "ERROR" for index in indexes) else "AVAILABLE"
