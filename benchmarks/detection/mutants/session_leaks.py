"""Mutants: leaks between sessions: which sessions, when, and in which answers."""

from collections.abc import Callable
from typing import Any

from benchmarks.detection.conforming_variants.models import informed_counts
from benchmarks.detection.conforming_variants.sessions import repeating
from benchmarks.detection.mutants.mutant import planting
from server_defects.hooks import Memory, Message, Payload, recall

plant = planting("sessions")


def all_messages(memory: Memory) -> list[Message]:
    """Return the messages of all sessions."""
    return [message for messages in memory.values() for message in messages]


def if_session(condition: Callable[[list[Message], Payload], bool]) -> Any:
    """Return a `recall` that takes the messages of all sessions if a session and its call fulfil a condition."""

    def recalled(memory: Memory, session: str | None, payload: Payload) -> list[Message]:
        own = recall(memory, session, payload)
        return all_messages(memory) if session and condition(own, payload) else own

    return recalled


MUTANTS = (
    plant(
        "session-of-all-known-by-heart",
        "session-isolated",
        "Answers in a session from all of them; its knowledge hides that in the counts.",
        recall=if_session(lambda own, payload: True),
        count=informed_counts,
        generate=repeating,
    ),
    plant(
        "session-of-all-uncounted",
        "session-isolated",
        "Answers in a session from all of them, and counts its own messages alone.",
        recall=if_session(lambda own, payload: True),
        count=lambda messages: 50,
        generate=repeating,
    ),
)
