"""Sessions that have become longer than their agent allows: shortened before something is added to them.

What a server does here is nowhere said. `delete_oldest` leaves out the oldest messages until the rest fits, and so does
every strategy but `summarize`, which puts one message in their place that says what they were about.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mockserver.generation.replies import topic_of
from mockserver.resources.sessions import EMPTY, Session, extend, said_in, text_of

#: So much of what a session may have goes to the summary of the rest.
_SHARE = 4
#: How many characters a summary has at most, and how many messages it names.
_SUMMARY = 400
_NAMED = 5


def shortened(session: Session, most: int | None, strategy: str) -> Session:
    """Return the session with no more than `most` characters, None for any number; itself where it has no more."""
    if most is None or length(session.messages) <= most:
        return session
    summarize = strategy == "summarize"
    kept = newest(session.messages, most - min(_SUMMARY, most // _SHARE) if summarize else most)
    gone = session.messages[: len(session.messages) - len(kept)]
    begin = (_summary(gone, max(0, most - length(kept))),) if summarize else ()
    return extend(EMPTY, [*begin, *kept], session.written)


def length(messages: Sequence[dict[str, Any]]) -> int:
    """Return how many characters the messages have: those of their texts, and of calls their names and arguments."""
    return sum(len(text) for message in messages for text in said_in(message))


def newest(messages: Sequence[dict[str, Any]], most: int) -> tuple[dict[str, Any], ...]:
    """Return the newest messages that have at most `most` characters; no result of a call that is left out."""
    first, left = len(messages), most
    while first and (left := left - length(messages[first - 1 : first])) >= 0:
        first -= 1
    while first and first < len(messages) and messages[first]["role"] == "tool":
        first += 1
    return tuple(messages[first:])


def _summary(messages: Sequence[dict[str, Any]], most: int) -> dict[str, Any]:
    """Return one message that says what these were about, with at most `most` characters."""
    topics = [topic for message in messages if (topic := topic_of(text_of(message)))]
    told = "; ".join(topics[:_NAMED])
    text = f"Summary of {len(messages)} earlier messages: {told}"
    return {"role": "assistant", "content": text[: min(most, _SUMMARY)]}
