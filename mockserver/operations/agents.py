"""Operations that create, read, change and delete agents."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from agent_contract import Call
from agent_contract.messages import JSON_TYPE, Reply
from mockserver.core import keys
from mockserver.core.context import Context
from mockserver.core.limits import Limits
from mockserver.core.outcome import Outcome, Rejection, Write
from mockserver.operations.agent_store import count_agents, find_agent
from mockserver.operations.request_body import body_of
from mockserver.resources.agents import AVAILABLE, DELETED, FIELDS, Agent

#: Defaults of a new agent: 30 days, and about fifty pages.
DEFAULTS: Mapping[str, Any] = {
    "session_max_ttl": 30 * 24 * 60 * 60,
    "session_max_length": 100_000,
    "session_summarization_strategy": "delete_oldest",
    "chat_system_instruction_mode": "system-message",
    "completion_role": "assistant",
}

_INTEGERS = frozenset({"session_max_ttl", "session_max_length", "index_top_n"})
#: The largest integer that every JSON parser reads exactly; larger ones are reduced to it. Source: RFC 8259, section 6.
_LARGEST = 2**53 - 1


def create_agent(context: Context) -> Outcome:
    """Return the new agent with 201; raises `Rejection` if the scope is full or the agent too large."""
    settings, fresh = context.settings, context.fresh
    most = settings.limits.agents
    if count_agents(settings, context.transaction) >= most:
        why = f"This server stores at most {most} agents. Delete one that you no longer need."
        raise Rejection(400, "create-bound", why, ("body",), most, most)
    given = {name: value for name, value in _given_fields(context.call).items() if value is not None}
    server_set = {"created_at": int(fresh.now), "status": AVAILABLE}
    return _saved(Agent(fresh.id, server_set | _ordered({**DEFAULTS, **given})), 201, settings.limits)


def get_agent(context: Context) -> Outcome:
    """Return the agent."""
    return Outcome(_reply(200, find_agent(context).as_json()))


def update_agent(context: Context) -> Outcome:
    """Return the changed agent. A null deletes a field, except the model, which is required."""
    agent = find_agent(context)
    given = _given_fields(context.call)
    model = agent.model if given.get("model") is None else given["model"]
    server_set = {name: value for name, value in agent.fields.items() if name not in FIELDS}
    fields = server_set | _ordered({**agent.fields, **given, "model": model})
    return _saved(Agent(agent.id, fields), 200, context.settings.limits)


def delete_agent(context: Context) -> Outcome:
    """Delete the agent and its sessions."""
    agent = find_agent(context)
    # A configured agent needs an entry in the store, or it would exist again.
    stored = DELETED if agent.id in context.settings.agents else None
    write = Write(keys.agent(agent.id), stored, pinned=True)
    reply = _reply(200, {"id": agent.id, "object": "agent.deleted", "deleted": True})
    return Outcome(reply, (write,), (keys.sessions(agent.id),))


def _given_fields(call: Call) -> dict[str, Any]:
    body = body_of(call)
    return {name: _stored_value(name, body[name]) for name in FIELDS if name in body}


def _ordered(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value, in the order of the contract."""
    return {name: value for name in FIELDS if (value := fields.get(name)) is not None}


def _stored_value(name: str, value: Any) -> Any:
    if name in _INTEGERS and value is not None:
        return max(-_LARGEST, min(int(value), _LARGEST))
    if name == "index_similarity_cutoff" and value is not None:
        return float(max(-_LARGEST, min(value, _LARGEST)))
    if name == "tools" and value is not None:
        return [_stored_link(link) for link in value]
    return value


def _stored_link(link: Mapping[str, Any]) -> dict[str, Any]:
    """Return a tool link as it was sent, its fields in the order of the contract."""
    stored = {name: link[name] for name in ("link_type", "tool_id")}
    if link.get("top_n") is not None:
        stored["top_n"] = max(-_LARGEST, min(int(link["top_n"]), _LARGEST))
    if link.get("similarity_cutoff") is not None:
        stored["similarity_cutoff"] = float(max(-_LARGEST, min(link["similarity_cutoff"], _LARGEST)))
    return stored


def _saved(agent: Agent, status: int, limits: Limits) -> Outcome:
    value, most = agent.encode(), limits.agent
    if len(value) > most:
        why = f"The agent has {len(value)} bytes, more than the limit of {most}."
        raise Rejection(413, "body-too-large", why, ("body",), most, len(value))
    return Outcome(_reply(status, agent.as_json()), (Write(keys.agent(agent.id), value, pinned=True),))


def _reply(status: int, value: dict[str, Any]) -> Reply:
    return Reply(status, JSON_TYPE, orjson.dumps(value))
