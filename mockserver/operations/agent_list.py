"""The list of agents, configured and stored ones together, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent_contract.messages import JSON
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection, json_outcome
from mockserver.operations.agent_store import all_agents
from mockserver.operations.chat_request import short
from mockserver.resources.agents import Agent, is_uuid


def list_agents(context: Context) -> Outcome:
    """Return a page of the agents.

    The cursors cut the list, the filters select from the rest, and `offset` and `limit` from that. `before` without
    `after` returns the last agents before the cursor, so that a client can page backwards.
    """
    query = context.call.parameters
    agents = all_agents(context.settings, context.transaction)
    if query["order"] == "desc":
        agents.reverse()
    ids = [agent.id for agent in agents]
    after, before = (_cursor_index(ids, name, query.get(name)) for name in ("after", "before"))
    start = 0 if after is None else after + 1
    found = _filtered(agents[start:before], query)[_integer(query["offset"]) :]
    limit = _integer(query["limit"])
    page = found[:limit] if before is None or start else found[-limit:]
    value = _page(page, len(page) < len(found))
    if query["set_num_objects"]:
        value["num_objects"] = len(_filtered(agents, query))
    return json_outcome(value)


def _integer(value: JSON) -> int:
    return int(value)  # type: ignore[arg-type]  # checked by the schema


def _cursor_index(ids: Sequence[str], name: str, value: JSON) -> int | None:
    """Return the index of the agent that a cursor names, None without a cursor."""
    if value is None:
        return None
    text, where = str(value), ("query", name)
    if text.lower() in ids:
        return ids.index(text.lower())
    if not is_uuid(text):
        why = (
            f'An invalid ID was passed for paginating results: {name} is "{short(text)}", which is not an agent\'s id.'
        )
        raise Rejection(400, "cursor-invalid", why, where, "a uuid", text)
    why = f"An invalid ID was passed for paginating results: {name} is {text}, and no agent has this id."
    raise Rejection(400, "after-unknown" if name == "after" else "", why, where, "the id of an agent", text)


def _filtered(agents: list[Agent], query: Mapping[str, JSON]) -> list[Agent]:
    """Return the agents that pass the filters; the API does not say which links are to a knowledge base."""
    if "name" in query:
        agents = [agent for agent in agents if agent.setting("name") == query["name"]]
    if "index_id" in query:
        index = str(query["index_id"]).lower()
        agents = [agent for agent in agents if agent.setting("index_id", "").lower() == index]
    if "knowledge_base_id" in query:
        base = str(query["knowledge_base_id"]).lower()
        agents = [
            agent for agent in agents if any(link["tool_id"].lower() == base for link in agent.setting("tools", ()))
        ]
    return agents


def _page(agents: Sequence[Agent], has_more: bool) -> dict[str, Any]:
    return {
        "object": "list",
        "data": [agent.as_json() for agent in agents],
        "has_more": has_more,
        "first_id": agents[0].id if agents else None,
        "last_id": agents[-1].id if agents else None,
    }
