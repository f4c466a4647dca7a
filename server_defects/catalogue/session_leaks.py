"""Leaks between sessions: which sessions, when, and in which answers."""

from collections.abc import Callable
from typing import Any

from server_defects.defect import planting
from server_defects.hooks import ChatCall, Memory, Message, Payload, recall, remember

plant = planting("sessions")
#: The key under which a server keeps what all calls share.
SHARED = ""
#: Number of messages in a session's first three turns.
THREE_TURNS = 6


def all_messages(memory: Memory) -> list[Message]:
    """Return the messages of all sessions."""
    return [message for messages in memory.values() for message in messages]


def history_of_all_calls(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
    """Return the messages of all calls before, with a session or without one, and keep those of this one."""
    if session is not None:
        recall(memory, session, payload)
    history = memory.setdefault(SHARED, [])
    before = list(history)
    history.extend(payload["messages"])
    return before


def if_session(condition: Callable[[list[Message], Payload], bool]) -> Any:
    """Return a `recall` that takes the messages of all sessions if a session and its call fulfil a condition."""

    def recalled(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
        own = recall(memory, session, payload)
        return all_messages(memory) if session and condition(own, payload) else own

    return recalled


def with_last_other(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
    """Return the context of a session after that of the session opened last."""
    own = recall(memory, session, payload)
    others = [messages for id, messages in memory.items() if id != session]
    return [*others[-1], *own] if session and others else own


def streams_everywhere(memory: Memory, session: str, turn: list[Message], call: ChatCall) -> None:
    """Append a streamed turn to every session there is, any other one to its own."""
    memory.setdefault(session, [])
    if not call.streams:
        remember(memory, session, turn, call)
        return
    for messages in memory.values():
        messages.extend(turn)


def plain_streams(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
    """Return the messages of all sessions to a stream without a session."""
    return all_messages(memory) if session is None and payload.get("stream") else recall(memory, session, payload)


DEFECTS = (
    plant(
        "session-history-of-all-calls",
        "session-isolated",
        "Answers every call from the messages of all calls before.",
        recall=history_of_all_calls,
    ),
    plant(
        "session-with-last-other",
        "session-isolated",
        "Answers in a session from the session opened last, too.",
        recall=with_last_other,
    ),
    plant(
        "session-long-one-knows-all",
        "session-isolated",
        "Answers in a session from all of them, once it has three turns.",
        recall=if_session(lambda own, payload: len(own) >= THREE_TURNS),
    ),
    plant(
        "session-stream-knows-all",
        "session-isolated",
        "Answers a streamed turn from all sessions.",
        recall=if_session(lambda own, payload: bool(payload.get("stream"))),
    ),
    plant(
        "session-streams-stored-everywhere",
        "session-isolated",
        "Stores a streamed turn in every session.",
        remember=streams_everywhere,
    ),
    plant(
        "session-leaks-into-plain-streams",
        "session-isolated",
        "Answers a stream without a session from all sessions.",
        recall=plain_streams,
    ),
)
