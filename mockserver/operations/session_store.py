"""Sessions in the store: lookup, expiry, messages and encoding."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache, partial
from typing import Any

from mockserver.core import keys
from mockserver.core.context import Context, Settings
from mockserver.core.outcome import Rejection, Write
from mockserver.core.transaction import Transaction
from mockserver.operations.agent_store import look_up
from mockserver.resources.agents import Agent
from mockserver.resources.session_truncation import truncate
from mockserver.resources.sessions import EMPTY, Message, Session, decode, decode_message, extend
from mockserver.stores.base import all_items

#: Number of messages that are read from the end of a session, at most and at once.
RECENT = 1_000
_PAGE = 20
_LISTED = 100


def find_session(context: Context, agent: Agent, body: dict[str, Any]) -> Session | None:
    """Return the session that a body names, an empty one if it names none, None if it does not exist.

    It is already truncated to the limit of the agent.
    """
    named = body.get("store_in_session")
    if not named:
        return EMPTY
    key = keys.session(agent.id, named)
    stored = context.transaction.get(key)
    if stored is None:
        return None
    session = decode(stored)
    if is_expired(session, agent, context.fresh.now):
        return None
    most, strategy = agent.setting("session_max_length"), agent.setting("session_summarization_strategy", "")
    return truncate(session, most, strategy, session_lines(context.transaction, key, session.first, session.last))


def is_expired(session: Session, agent: Agent | None, now: float) -> bool:
    """Return whether a session of an agent, or of a deleted one, is over at `now`.

    The store deletes expired sessions by real time, but none of a scope whose clock a test controls.
    """
    ttl = agent.setting("session_max_ttl") if agent else None
    return ttl is not None and now - session.written > ttl


def live_sessions(
    transaction: Transaction, settings: Settings, prefix: str, after: str, now: float
) -> Iterator[tuple[str, Session]]:
    """Yield the sessions under a prefix that are not expired at `now`, by key, from the one after the key `after`."""
    agent_of = cache(partial(look_up, settings, transaction))
    for key, value in all_items(transaction.items, prefix, after, _LISTED):
        session = decode(value)
        if not is_expired(session, agent_of(keys.session_ids(key)[0]), now):
            yield key, session


def session_lines(transaction: Transaction, key: str, first: int, last: int) -> Iterator[bytes]:
    """Yield the stored messages of a session with these numbers, oldest first, reading pages of growing size."""
    limit = 4
    while first <= last:
        found = transaction.lines(key, first, min(limit, last + 1 - first))
        yield from found
        first, limit = first + limit, min(2 * limit, 100)


def recent_messages(transaction: Transaction, key: str, session: Session) -> Iterator[Message]:
    """Yield the messages of a session, the latest first, `RECENT` at most; they do not include a summary."""
    last, oldest = session.last, max(session.first, session.last + 1 - RECENT)
    while last >= oldest:
        first = max(oldest, last + 1 - _PAGE)
        yield from map(decode_message, reversed(transaction.lines(key, first, last + 1 - first)))
        last = first - 1


def save_session(
    agent: Agent, session_id: str, session: Session, messages: list[Message], now: float, most: int
) -> Write:
    """Return the write that adds messages to a session, and drops those that it no longer has.

    Raises `Rejection` if they are nested too deep, or if the session would have more than `most` bytes.
    """
    location = ("body", "messages")
    try:
        extended, lines = extend(session, messages, now)
    except RecursionError:
        why = "The messages are nested too deep to be stored in a session."
        raise Rejection(400, "", why, location) from None
    if extended.size > most:
        why = f"With this request the session would have {extended.size} bytes, more than the limit of {most}."
        raise Rejection(400, "", why, location, most, extended.size)
    ttl = agent.setting("session_max_ttl")
    return Write(
        keys.session(agent.id, session_id),
        extended.encode(),
        None if ttl is None else now + ttl,
        lines=lines,
        keep=extended.last + 1 - extended.first,
    )
