"""Truncates sessions that are longer than their agent allows.

The API does not specify how. `summarize` replaces the oldest messages with one that lists their topics; every other
strategy, such as `delete_oldest`, drops them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from mockserver.generation.replies import topic_of
from mockserver.resources.sessions import EMPTY, Session, extend, text_of, texts_of

#: The summary takes at most 1/4 of the maximum length of a session.
_SHARE = 4
#: Maximum number of characters and of topics in a summary.
_SUMMARY = 400
_NAMED = 5


def truncate(session: Session, most: int | None, strategy: str) -> Session:
    """Return the session with at most `most` characters, unchanged if it is short enough or `most` is None."""
    if most is None or count_characters(session.messages) <= most:
        return session
    summarize = strategy == "summarize"
    kept = newest_messages(session.messages, most - min(_SUMMARY, most // _SHARE) if summarize else most)
    dropped = session.messages[: len(session.messages) - len(kept)]
    begin = (_summary(dropped, max(0, most - count_characters(kept))),) if summarize else ()
    return extend(EMPTY, [*begin, *kept], session.written)


def count_characters(messages: Sequence[dict[str, Any]]) -> int:
    """Return the number of characters of the messages: of their text, and of the names and arguments of calls."""
    return sum(map(len, texts_of(messages)))


def newest_messages(messages: Sequence[dict[str, Any]], most: int) -> tuple[dict[str, Any], ...]:
    """Return the newest messages with at most `most` characters, without results of calls that are dropped."""
    first, left = len(messages), most
    while first and (left := left - count_characters(messages[first - 1 : first])) >= 0:
        first -= 1
    while first and first < len(messages) and messages[first]["role"] == "tool":
        first += 1
    return tuple(messages[first:])


def _summary(messages: Sequence[dict[str, Any]], most: int) -> dict[str, Any]:
    """Return one message with the topics of `messages`, with at most `most` characters."""
    topics = [topic for message in messages if (topic := topic_of(text_of(message)))]
    listed = "; ".join(topics[:_NAMED])
    text = f"Summary of {len(messages)} earlier messages: {listed}"
    return {"role": "assistant", "content": text[: min(most, _SUMMARY)]}
