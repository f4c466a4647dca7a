"""Sessions in the store: lookup, expiry and encoding."""

from __future__ import annotations

from typing import Any

from agent_contract import exceeds_symbols
from mockserver.core import keys
from mockserver.core.context import Context
from mockserver.core.limits import SYMBOLS
from mockserver.core.outcome import Rejection, Write
from mockserver.resources.agents import Agent
from mockserver.resources.session_truncation import truncate
from mockserver.resources.sessions import EMPTY, Session, decode


def find_session(context: Context, agent: Agent, body: dict[str, Any]) -> Session | None:
    """Return the session that a body names, an empty one if it names none, None if it does not exist.

    It is already truncated to the limit of the agent.
    """
    named = body.get("store_in_session")
    if not named:
        return EMPTY
    stored = context.transaction.get(keys.session(agent.id, named))
    session = decode(stored) if stored else None
    ttl = agent.setting("session_max_ttl")
    if session and ttl is not None and context.fresh.now - session.written > ttl:
        return None
    strategy = agent.setting("session_summarization_strategy", "")
    return session and truncate(session, agent.setting("session_max_length"), strategy)


def save_session(agent: Agent, session_id: str, session: Session, most: int) -> Write:
    """Return the write that saves a session; raises `Rejection` if it is nested too deep or too large.

    It may have `most` bytes, and `SYMBOLS` strings, commas and opening brackets.
    """
    location = ("body", "messages")
    try:
        value = session.encode()
    except RecursionError:
        why = "The messages are nested too deep to be stored in a session."
        raise Rejection(400, "", why, location) from None
    if len(value) > most:
        why = f"With this request the session would have {len(value)} bytes, more than the limit of {most}."
        raise Rejection(400, "", why, location, most, len(value))
    if exceeds_symbols(value, SYMBOLS):
        why = f"With this request the session would have more than {SYMBOLS} strings, commas and opening brackets."
        raise Rejection(400, "", why, location, SYMBOLS)
    ttl = agent.setting("session_max_ttl")
    return Write(keys.session(agent.id, session_id), value, None if ttl is None else session.written + ttl)
