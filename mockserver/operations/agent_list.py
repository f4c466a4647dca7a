"""The list of agents: configured and stored ones, in pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from typing import Any

from agent_contract.messages import JSON
from agent_contract.printable import shorten
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection, json_outcome
from mockserver.generation.retrieval import SearchIndex
from mockserver.operations.agent_store import all_agents
from mockserver.resources.agents import Agent, is_uuid


def list_agents(context: Context) -> Outcome:
    """Return a page of the agents.

    The order is: cursors, then filters, then `offset` and `limit`. `before` without `after` returns the last agents
    before the cursor, so that a client can page backwards.
    """
    query = context.call.parameters
    agents = all_agents(context.settings, context.transaction)
    if query["order"] == "desc":
        agents.reverse()
    ids = [agent.id for agent in agents]
    after, before = (_cursor_index(ids, name, query.get(name)) for name in ("after", "before"))
    start = 0 if after is None else after + 1
    indexes = context.settings.indexes
    found = _filtered(agents[start:before], query, indexes)[_integer(query["offset"]) :]
    limit = _integer(query["limit"])
    page = found[:limit] if before is None or start else found[-limit:]
    total = len(_filtered(agents, query, indexes)) if query["set_num_objects"] else None
    return json_outcome(_page(page, len(page) < len(found), total))


def _integer(value: JSON) -> int:
    return int(value)  # type: ignore[arg-type]  # checked by the schema


def _cursor_index(ids: Sequence[str], name: str, value: JSON) -> int | None:
    """Return the index of the agent that a cursor names, None without a cursor."""
    if value is None:
        return None
    text, location = str(value), ("query", name)
    if text.lower() in ids:
        return ids.index(text.lower())
    if not is_uuid(text):
        why = f'An invalid ID was passed for paginating results: {name} is "{shorten(text)}", which is not a uuid.'
        raise Rejection(400, "cursor-invalid", why, location, "a uuid", text)
    why = f"An invalid ID was passed for paginating results: {name} is {text}, and no agent has this id."
    raise Rejection(400, "after-unknown" if name == "after" else "", why, location, "the id of an agent", text)


def _filtered(agents: list[Agent], query: Mapping[str, JSON], indexes: Mapping[str, SearchIndex]) -> list[Agent]:
    """Return the agents that pass the filters; an agent uses a knowledge base if it searches one of its indexes."""
    if "name" in query:
        agents = [agent for agent in agents if agent.setting("name") == query["name"]]
    if "index_id" in query:
        index = str(query["index_id"]).lower()
        agents = [agent for agent in agents if agent.setting("index_id", "").lower() == index]
    if "knowledge_base_id" in query:
        base = str(query["knowledge_base_id"]).lower()
        ids = {id for id, index in indexes.items() if index.knowledge_base_id == base}
        tools = {indexes[id].tool_id for id in ids}
        agents = [agent for agent in agents if _searches(agent, ids, tools)]
    return agents


def _searches(agent: Agent, indexes: Set[str], tools: Set[str]) -> bool:
    """Return whether an agent searches one of these indexes, or is linked to one of these search tools."""
    linked = (link["tool_id"].lower() in tools for link in agent.setting("tools", ()))
    return agent.setting("index_id", "").lower() in indexes or any(linked)


def _page(agents: Sequence[Agent], has_more: bool, total: int | None) -> dict[str, Any]:
    return {
        "object": "list",
        "data": [agent.as_json() for agent in agents],
        "has_more": has_more,
        "num_objects": total,
        "first_id": agents[0].id if agents else None,
        "last_id": agents[-1].id if agents else None,
    }
