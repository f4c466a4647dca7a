"""The list of agents: configured and stored ones together, page by page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from agent_contract import Call
from agent_contract.messages import JSON
from mockserver.core.behaviour import Outcome, Refused, Setting, Turn, View, answer
from mockserver.operations.chat_request import short
from mockserver.resources.agents import Agent, all_agents, is_uuid


def list_agents(call: Call, setting: Setting, _turn: Turn, view: View) -> Outcome | Refused:
    """Return a page of the agents, or why a cursor is refused.

    The cursors cut the list, the filters choose from what is left of it, and `offset` and `limit` from that. `before`
    without `after` gives the last ones before it, so that pages can be turned back.
    """
    asked = call.parameters
    agents = all_agents(setting.agents, view)
    if asked["order"] == "desc":
        agents.reverse()
    ids = [agent.id for agent in agents]
    after, before = (_place(ids, name, asked.get(name)) for name in ("after", "before"))
    if isinstance(after, Refused):
        return after
    if isinstance(before, Refused):
        return before
    behind = 0 if after is None else after + 1
    found = _chosen(agents[behind:before], asked)[_number(asked["offset"]) :]
    limit = _number(asked["limit"])
    page = found[:limit] if before is None or behind else found[-limit:]
    value = _page(page, len(page) < len(found))
    if asked["set_num_objects"]:
        value["num_objects"] = len(_chosen(agents, asked))
    return answer(value)


def _number(value: JSON) -> int:
    return int(value)  # type: ignore[arg-type]  # checked by the schema


def _place(ids: Sequence[str], name: str, value: JSON) -> int | None | Refused:
    """Return where the agent stands that a cursor names, None where there is no cursor."""
    if value is None:
        return None
    text, where = str(value), ("query", name)
    if text.lower() in ids:
        return ids.index(text.lower())
    if not is_uuid(text):
        why = f'An invalid ID was passed for paginating results: {name} is "{short(text)}", which is no agent\'s id.'
        return Refused(400, "cursor-invalid", why, where, "a uuid", text)
    why = f"An invalid ID was passed for paginating results: {name} is {text}, and there is no agent of that id."
    return Refused(400, "after-unknown" if name == "after" else "", why, where, "the id of an agent", text)


def _chosen(agents: list[Agent], asked: Mapping[str, JSON]) -> list[Agent]:
    """Return the agents that pass the filters; of which kind a link to a knowledge base is, is nowhere said."""
    if "name" in asked:
        agents = [agent for agent in agents if agent.setting("name") == asked["name"]]
    if "index_id" in asked:
        index = str(asked["index_id"]).lower()
        agents = [agent for agent in agents if agent.setting("index_id", "").lower() == index]
    if "knowledge_base_id" in asked:
        base = str(asked["knowledge_base_id"]).lower()
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
