"""Agents in the store: lookup, listing and counting.

A configured agent is in the store only after a client changed or deleted it.
"""

from __future__ import annotations

from agent_contract.printable import shorten
from mockserver.core import keys
from mockserver.core.context import Context, Settings
from mockserver.core.outcome import Rejection
from mockserver.core.transaction import Transaction
from mockserver.resources.agents import DELETED, Agent, decode_agent, find_configured, is_uuid, unique
from mockserver.stores.base import all_items


def find_agent(context: Context) -> Agent:
    """Return the agent that the path names; raises `Rejection` if it does not exist."""
    settings, transaction = context.settings, context.transaction
    address = str(context.call.parameters["agent_id"])
    agent = look_up(settings, transaction, address)
    if agent:
        return agent
    known = unique(settings.agents)[:10]  # agents created by clients are only in the store
    names = shorten(", ".join(one.name for one in known if look_up(settings, transaction, one.id)))
    why = f'No agent found with the specified ID "{shorten(address)}". Known agents: {names}.'
    raise Rejection(404, "agent-unknown", why, ("path", "agent_id"), names, address)


def look_up(settings: Settings, transaction: Transaction, address: str) -> Agent | None:
    """Return the agent with this id or configured name, or None; the case of an id does not matter."""
    known = find_configured(settings.agents, address)
    id = known.id if known else address.lower()
    if not known and not is_uuid(id):
        return None
    stored = transaction.get(keys.agent(id))
    return known if stored is None else decode_agent(id, stored, known)


def all_agents(settings: Settings, transaction: Transaction) -> list[Agent]:
    """Return every agent, sorted by creation time, then by id."""
    stored = {keys.agent_id(key): value for key, value in all_items(transaction.items, keys.AGENTS)}
    known = {agent.id: agent for agent in unique(settings.agents)}
    unchanged = [agent for id, agent in known.items() if id not in stored]
    changed = [decode_agent(id, value, known.get(id)) for id, value in stored.items()]
    agents = unchanged + [agent for agent in changed if agent]
    return sorted(agents, key=lambda agent: (agent.setting("created_at", 0), agent.id))


def count_agents(settings: Settings, transaction: Transaction) -> int:
    """Return the number of agents, without decoding them."""
    stored = dict(all_items(transaction.items, keys.AGENTS))
    unchanged = sum(keys.agent(agent.id) not in stored for agent in unique(settings.agents))
    return unchanged + sum(value != DELETED for value in stored.values())
