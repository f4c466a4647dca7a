"""The list of agents: configured and stored ones, in pages."""

from __future__ import annotations

from collections.abc import Sequence

from mockserver.core.context import Context
from mockserver.core.outcome import Outcome
from mockserver.operations.agent_store import all_agents
from mockserver.operations.index_store import agents_of, all_indexes, indexes_of
from mockserver.operations.pages import page_of
from mockserver.resources.agents import Agent


def list_agents(context: Context) -> Outcome:
    """Return a page of the agents."""
    agents = all_agents(context.settings, context.transaction)
    return page_of(context, agents, lambda some: _filtered(some, context), Agent.as_json, "agent")


def _filtered(agents: Sequence[Agent], context: Context) -> Sequence[Agent]:
    """Return the agents that pass the filters; an agent uses a knowledge base if it searches one of its indexes."""
    query = context.call.parameters
    if "name" in query:
        agents = [agent for agent in agents if agent.setting("name") == query["name"]]
    if "index_id" in query:
        index = str(query["index_id"]).lower()
        agents = [agent for agent in agents if agent.setting("index_id", "").lower() == index]
    if "knowledge_base_id" in query:
        base = str(query["knowledge_base_id"]).lower()
        agents = agents_of(agents, indexes_of(all_indexes(context), base))
    return agents
