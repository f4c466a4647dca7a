"""What a world holds: its agents with the mock's own settings, and its sessions with their messages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import orjson

from agent_contract import Call
from agent_contract.messages import Reply
from mockserver.control.pagination import page_of, world_of
from mockserver.core.behaviour import Outcome, Refused, Setting, Turn, View, Write, answer
from mockserver.gateway.gateway import JSON_TYPE
from mockserver.operations.session_store import SESSIONS, session_keys
from mockserver.resources.agents import PREFIX, Agent, each, id_of, restored
from mockserver.resources.sessions import Session, decode

_PAGE = 100
_LAST = "\N{DELETE}"  # sorts behind every character of an id


def list_agents(call: Call, setting: Setting, _turn: Turn, view: View) -> Outcome:
    """Return a page of the agents: the configured ones, then those that clients created."""
    world, after = world_of(call, view), str(call.parameters.get("after", ""))
    configured = {agent.id: agent for agent in each(setting.agents)}
    agents = _agents(world, configured, after)
    return page_of("agents", agents, call, lambda row: row[0].id, lambda row: _shown_agent(*row))


def reset_agent(call: Call, setting: Setting, _turn: Turn, view: View) -> Outcome | Refused:
    """Return a configured agent as the configuration has it; what clients made of it is forgotten."""
    address = str(call.parameters["agent_id"])
    agent = setting.agents.get(id_of(setting.agents, address))
    if agent is None:
        names = ", ".join(one.name for one in each(setting.agents))
        why = f"No agent of the configuration has this id or name. There are: {names}."
        return Refused(404, "", why, ("path", "agent_id"), None, address[:200])
    world = world_of(call, view).world
    writes, cleared = (Write(world + PREFIX + agent.id, None),), (world + session_keys(agent.id),)
    return Outcome(Reply(200, JSON_TYPE, _dumps(_shown_agent(agent, "configured"))), writes, cleared)


def list_sessions(call: Call, setting: Setting, _turn: Turn, view: View) -> Outcome:
    """Return a page of the sessions, without their messages."""
    named, after = call.parameters.get("agent"), call.parameters.get("after")
    prefix = SESSIONS if named is None else session_keys(id_of(setting.agents, str(named)))
    rows = _items(world_of(call, view), prefix, "" if after is None else f"{SESSIONS}{after}")
    return page_of("sessions", rows, call, lambda row: row[0].removeprefix(SESSIONS), _shown_session)


def get_session(call: Call, _setting: Setting, _turn: Turn, view: View) -> Outcome | Refused:
    """Return a session with its messages."""
    found = _find_session(call, world_of(call, view))
    if isinstance(found, Refused):
        return found
    session = decode(found[1])
    messages = [orjson.Fragment(_dumps(message)) for message in session.messages]
    return answer({**_described(found[0], session), "messages": messages})


def delete_session(call: Call, _setting: Setting, _turn: Turn, view: View) -> Outcome | Refused:
    """Forget a session."""
    world = world_of(call, view)
    found = _find_session(call, world)
    return found if isinstance(found, Refused) else Outcome(Reply(204, {}, b""), (Write(world.world + found[0], None),))


def _agents(world: View, configured: Mapping[str, Agent], after: str) -> Iterator[tuple[Agent, str]]:
    ids = list(configured)
    behind = ids.index(after) + 1 if after in configured else len(ids) if after else 0
    for id in ids[behind:]:
        stored = world.get(PREFIX + id)
        agent = configured[id] if stored is None else restored(id, stored, configured[id])
        if agent:
            yield agent, "configured" if stored is None else "changed"
    for key, value in _items(world, PREFIX, "" if after in configured or not after else PREFIX + after):
        id = key.removeprefix(PREFIX)
        agent = None if id in configured else restored(id, value, None)
        if agent:
            yield agent, "created"


def _shown_agent(agent: Agent, origin: str) -> dict[str, Any]:
    return {
        "id": agent.id,
        "name": agent.name,
        "origin": origin,
        "roles": sorted(agent.roles),
        "any_model": agent.any_model,
        "calls_tools": agent.calls_tools,
        "documents": [document.origin_name or document.id for document in agent.documents],
        "agent": agent.as_json(),
    }


def _items(world: View, prefix: str, after: str) -> Iterator[tuple[str, bytes]]:
    while page := world.items(prefix, after, _PAGE):
        yield from page
        after = page[-1][0]


def _find_session(call: Call, world: View) -> tuple[str, bytes] | Refused:
    """Return the key and the value of a session, whoever's it is; as many look-ups as agents that have sessions."""
    id = str(call.parameters["session_id"])
    after = ""
    while found := world.items(SESSIONS, after, 1):
        agent = _ids(found[0][0])[0]
        key = session_keys(agent) + id.lower()
        value = world.get(key)
        if value is not None:
            return key, value
        after = session_keys(agent) + _LAST
    return Refused(404, "", "This world has no session of this id, or none any more.", ("path", "session_id"), None, id)


def _ids(key: str) -> tuple[str, str]:
    agent, _, session = key.removeprefix(SESSIONS).partition("/")
    return agent, session


def _described(key: str, session: Session) -> dict[str, Any]:
    agent, id = _ids(key)
    return {"session": id, "agent": agent, "tokens": session.tokens, "written": session.written}


def _shown_session(row: tuple[str, bytes]) -> dict[str, Any]:
    session = decode(row[1])
    return {**_described(row[0], session), "messages": len(session.messages)}


def _dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # nested deeper than 254 levels
        return json.dumps(value, ensure_ascii=False).encode()
