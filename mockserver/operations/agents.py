"""Agents, created, read, changed and deleted by clients."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from agent_contract import Call
from agent_contract.messages import Reply
from mockserver.core.behaviour import Outcome, Refused, Setting, Turn, View, Write
from mockserver.operations.chat_request import agent_unknown, body_of
from mockserver.operations.session_store import session_keys
from mockserver.resources.agents import DELETED, FIELDS, PREFIX, READY, Agent, count_agents, find_agent

#: What the server fills in where a create leaves it out: 30 days, and some fifty pages.
DEFAULTS: Mapping[str, Any] = {
    "session_max_ttl": 30 * 24 * 60 * 60,
    "session_max_length": 100_000,
    "session_summarization_strategy": "delete_oldest",
    "chat_system_instruction_mode": "system-message",
    "completion_role": "assistant",
}

_INTEGERS = frozenset({"session_max_ttl", "session_max_length", "index_top_n"})
#: What every JSON reader takes for the number that was meant; larger ones are cut to it. Source: RFC 8259, section 6.
_LARGEST = 2**53 - 1


def create_agent(call: Call, setting: Setting, turn: Turn, view: View) -> Outcome | Refused:
    """Return the new agent with 201, or why it is not created: the server keeps no more of them, or none so large."""
    most = setting.limits.agents
    if count_agents(setting.agents, view) >= most:
        why = f"This server keeps at most {most} agents: delete one that is not needed any more."
        return Refused(400, "create-bound", why, ("body",), most, most)
    given = {name: value for name, value in _given(call).items() if value is not None}
    begun = {"created_at": int(turn.now), "status": READY}
    return _written(Agent(turn.id, begun | _ordered({**DEFAULTS, **given})), 201, setting)


def get_agent(call: Call, setting: Setting, _turn: Turn, view: View) -> Outcome | Refused:
    """Return the agent, or that there is none."""
    agent = _find(call, setting, view)
    return agent if isinstance(agent, Refused) else Outcome(_reply(200, agent.as_json()))


def update_agent(call: Call, setting: Setting, _turn: Turn, view: View) -> Outcome | Refused:
    """Return the agent as it is now: null has unset a field, but not the model, which every agent has."""
    agent = _find(call, setting, view)
    if isinstance(agent, Refused):
        return agent
    given = _given(call)
    model = agent.model if given.get("model") is None else given["model"]
    begun = {name: value for name, value in agent.fields.items() if name not in FIELDS}
    return _written(Agent(agent.id, begun | _ordered({**agent.fields, **given, "model": model})), 200, setting)


def delete_agent(call: Call, setting: Setting, _turn: Turn, view: View) -> Outcome | Refused:
    """Return that the agent is gone, and its sessions with it."""
    agent = _find(call, setting, view)
    if isinstance(agent, Refused):
        return agent
    # A configured agent would be there again: of that one it is kept that it was deleted.
    left = DELETED if agent.id in setting.agents else None
    write = Write(PREFIX + agent.id, left, pinned=True)
    reply = _reply(200, {"id": agent.id, "object": "agent.deleted", "deleted": True})
    return Outcome(reply, (write,), (session_keys(agent.id),))


def _find(call: Call, setting: Setting, view: View) -> Agent | Refused:
    address = str(call.parameters["agent_id"])
    return find_agent(setting.agents, view, address) or agent_unknown(setting, view, address)


def _given(call: Call) -> dict[str, Any]:
    body = body_of(call)
    return {name: _kept(name, body[name]) for name in FIELDS if name in body}


def _ordered(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields that have a value, in the order of the contract."""
    return {name: value for name in FIELDS if (value := fields.get(name)) is not None}


def _kept(name: str, value: Any) -> Any:
    if name in _INTEGERS and value is not None:
        return max(-_LARGEST, min(int(value), _LARGEST))
    if name == "index_similarity_cutoff" and value is not None:
        return float(max(-_LARGEST, min(value, _LARGEST)))
    if name == "tools" and value is not None:
        return [{part: link[part] for part in ("link_type", "tool_id")} for link in value]
    return value


def _written(agent: Agent, status: int, setting: Setting) -> Outcome | Refused:
    value, most = agent.encode(), setting.limits.agent
    if len(value) > most:
        why = f"This server keeps at most {most} bytes of an agent; this one has {len(value)}."
        return Refused(413, "body-too-large", why, ("body",), most, len(value))
    return Outcome(_reply(status, agent.as_json()), (Write(PREFIX + agent.id, value, pinned=True),))


def _reply(status: int, value: dict[str, Any]) -> Reply:
    return Reply(status, {"content-type": "application/json"}, orjson.dumps(value))
