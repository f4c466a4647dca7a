"""Sessions in the store: under which key one stands, whether it is still there, and what is written of it."""

from __future__ import annotations

from typing import Any

from mockserver.core.behaviour import Refused, Turn, View, Write
from mockserver.resources.agents import Agent
from mockserver.resources.session_truncation import shortened
from mockserver.resources.sessions import EMPTY, Session, decode

#: Where the keys of all sessions begin; behind it stand the agent's id and the session's own.
SESSIONS = "session/"


def session_keys(agent_id: str) -> str:
    """Return the beginning of the keys of an agent's sessions."""
    return f"{SESSIONS}{agent_id}/"


def find_session(agent: Agent, body: dict[str, Any], turn: Turn, view: View) -> Session | None:
    """Return the session that a request names, an empty one where it names none, None where it is not there.

    It is as short as the agent wants its sessions before something is added to them.
    """
    named = body.get("store_in_session")
    if not named:
        return EMPTY
    stored = view.get(_key(agent, named))
    session = decode(stored) if stored else None
    ttl = agent.setting("session_max_ttl")
    if session and ttl is not None and turn.now - session.written > ttl:
        return None
    strategy = agent.setting("session_summarization_strategy", "")
    return session and shortened(session, agent.setting("session_max_length"), strategy)


def keep_session(agent: Agent, session_id: str, session: Session, most: int) -> Write | Refused:
    """Return how a session is written, or why it can't be: it is nested too deep or has more than `most` bytes."""
    where = ("body", "messages")
    try:
        value = session.encode()
    except RecursionError:
        return Refused(400, "", "A message that is kept in a session may not be nested this deep.", where)
    if len(value) > most:
        why = f"This server keeps at most {most} bytes of a session; with this request there are {len(value)}."
        return Refused(400, "", why, where, most, len(value))
    ttl = agent.setting("session_max_ttl")
    return Write(_key(agent, session_id), value, None if ttl is None else session.written + ttl)


def _key(agent: Agent, session_id: str) -> str:
    return session_keys(agent.id) + session_id.lower()
