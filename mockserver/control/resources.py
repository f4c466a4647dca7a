"""Control operations on agents, with the mock's own settings, and on sessions, with their messages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, cast

import orjson

from agent_contract.messages import JSON_TYPE, Reply
from mockserver.control.pagination import page_of
from mockserver.core import keys
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection, Write
from mockserver.generation.retrieval import SearchIndex
from mockserver.operations.agent_store import look_up
from mockserver.operations.session_store import is_expired, live_sessions, save_session, session_lines
from mockserver.resources.agents import Agent, decode_agent, id_of, unique
from mockserver.resources.session_truncation import summary_message
from mockserver.resources.sessions import EMPTY, Session, decode
from mockserver.stores.base import all_items

_PAGE = 100


def list_agents(context: Context) -> Outcome:
    """Return a page of the agents: the configured ones, then those that clients created."""
    rows = _agents(context, str(context.call.parameters.get("after", "")))
    indexes = context.settings.indexes
    return page_of("agents", rows, context.call, lambda row: row[0].id, lambda row: _shown_agent(*row, indexes))


def reset_agent(context: Context) -> Outcome:
    """Delete the changes and the sessions of a configured agent; return the agent as configured."""
    agents, address = context.settings.agents, str(context.call.parameters["agent_id"])
    agent = agents.get(id_of(agents, address))
    if agent is None:
        names = ", ".join(one.name for one in unique(agents))
        why = f"No configured agent has this id or name. Configured agents: {names}."
        raise Rejection(404, "", why, ("path", "agent_id"), None, address[:200])
    reply = Reply(200, JSON_TYPE, _dumps(_shown_agent(agent, "configured", context.settings.indexes)))
    return Outcome(reply, (Write(keys.agent(agent.id), None),), (keys.sessions(agent.id),))


def list_sessions(context: Context, now: float) -> Outcome:
    """Return a page of the sessions that are not expired at `now`, without their messages."""
    named, after = context.call.parameters.get("agent"), str(context.call.parameters.get("after") or "")
    prefix = keys.SESSIONS if named is None else keys.sessions(id_of(context.settings.agents, str(named)))
    found = live_sessions(context.transaction, context.settings, prefix, keys.after_session(after), now)
    rows = ((keys.session_cursor(key), _shown_session(key, session)) for key, session in found)
    return page_of("sessions", rows, context.call, lambda row: row[0], lambda row: row[1])


def get_session(context: Context, now: float) -> Outcome:
    """Return a session with a page of its messages, oldest first."""
    key, session = _find_session(context, now)
    after = _number(context, "after")
    rows, described = enumerate(_lines(context, key, session, after), after + 1), _described(key, session)
    return page_of("messages", rows, context.call, lambda row: row[0], lambda row: orjson.Fragment(row[1]), described)


def _lines(context: Context, key: str, session: Session, after: int) -> Iterator[bytes]:
    """Yield the messages of a session as JSON, without the first `after` ones; the very first may be a summary."""
    if session.summary is not None:
        if not after:
            yield orjson.dumps(summary_message(session.summary))
        after = max(0, after - 1)
    yield from session_lines(context.transaction, key, session.first + after, session.last)


def _number(context: Context, name: str) -> int:
    return int(context.call.parameters[name])  # type: ignore[arg-type]  # checked by the schema


def create_session(context: Context, now: float) -> Outcome:
    """Create a session of an agent that contains messages, written at `now`."""
    id, body = str(context.call.parameters["session_id"]).lower(), cast(dict[str, Any], context.call.body)
    agent = look_up(context.settings, context.transaction, body["agent"])
    if agent is None:
        raise Rejection(
            404, "", "No such agent in this scope. Create it first.", ("body", "agent"), None, body["agent"]
        )
    if context.transaction.get(keys.session(agent.id, id)) is not None:
        raise Rejection(409, "", "This session exists. Choose another id.", ("path", "session_id"), None, id)
    write = save_session(agent, id, EMPTY, body.get("messages", []), now, context.settings.limits.session)
    # The store must not delete it by real time: the scope may have another clock.
    return Outcome(Reply(201, JSON_TYPE, _dumps({"session": id, "agent": agent.id})), (replace(write, expires=None),))


def delete_session(context: Context, now: float) -> Outcome:
    """Delete a session."""
    key, _ = _find_session(context, now)
    return Outcome(Reply(204, {}, b""), (Write(key, None),))


def _agents(context: Context, after: str) -> Iterator[tuple[Agent, str]]:
    transaction = context.transaction
    configured = {agent.id: agent for agent in unique(context.settings.agents)}
    ids = list(configured)
    start = ids.index(after) + 1 if after in configured else len(ids) if after else 0
    for id in ids[start:]:
        stored = transaction.get(keys.agent(id))
        agent = configured[id] if stored is None else decode_agent(id, stored, configured[id])
        if agent:
            yield agent, "configured" if stored is None else "changed"
    cursor = "" if after in configured or not after else keys.agent(after)
    for key, value in all_items(transaction.items, keys.AGENTS, cursor, _PAGE):
        id = keys.agent_id(key)
        created = None if id in configured else decode_agent(id, value, None)
        if created:
            yield created, "created"


def _shown_agent(agent: Agent, origin: str, indexes: Mapping[str, SearchIndex]) -> dict[str, Any]:
    searched = indexes.get(str(agent.setting("index_id", "")))
    documents = (*agent.documents, *(searched.documents if searched else ()))
    return {
        "id": agent.id,
        "name": agent.name,
        "origin": origin,
        "roles": sorted(agent.roles),
        "any_model": agent.any_model,
        "calls_tools": agent.calls_tools,
        "documents": [document.origin_name or document.id for document in documents],
        "agent": agent.as_json(),
    }


def _find_session(context: Context, now: float) -> tuple[str, Session]:
    """Return the key and the value of a session of any agent; needs one lookup per agent that has sessions."""
    id, after = str(context.call.parameters["session_id"]), ""
    while found := context.transaction.items(keys.SESSIONS, after, 1):
        agent, _ = keys.session_ids(found[0][0])
        key = keys.session(agent, id)
        value = context.transaction.get(key)
        if value is not None:
            session = decode(value)
            if not is_expired(session, look_up(context.settings, context.transaction, agent), now):
                return key, session
        after = keys.after_sessions(agent)
    why = "This scope does not contain a session with this id. It may have expired or been evicted."
    raise Rejection(404, "", why, ("path", "session_id"), None, id)


def _described(key: str, session: Session) -> dict[str, Any]:
    agent, id = keys.session_ids(key)
    return {"session": id, "agent": agent, "tokens": session.tokens, "written": session.written}


def _shown_session(key: str, session: Session) -> dict[str, Any]:
    return {**_described(key, session), "messages": session.length}


def _dumps(value: Any) -> bytes:
    try:
        return orjson.dumps(value)
    except TypeError:  # nested deeper than 254 levels
        return json.dumps(value, ensure_ascii=False).encode()
