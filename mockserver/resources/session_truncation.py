"""Truncates sessions that are longer than their agent allows.

The API does not specify how. `summarize` replaces the oldest messages with one that lists their topics; every other
strategy, such as `delete_oldest`, drops them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from itertools import islice

from mockserver.generation.replies import topic_of
from mockserver.generation.tokenizer import count_tokens
from mockserver.resources.sessions import Message, Session, content_parts, decode_message, text_of

#: The summary takes at most 1/4 of the maximum length of a session.
_SHARE = 4
#: Maximum number of characters and of topics in a summary.
_SUMMARY = 400
_NAMED = 5
#: Maximum number of messages that one turn drops: each takes 5 µs, and an event loop waits meanwhile.
MOST_DROPPED = 2_000


def truncate(session: Session, most: int | None, strategy: str, lines: Iterable[bytes]) -> Session:
    """Return the session with at most `most` characters, unchanged if it is short enough or `most` is None.

    The oldest messages are dropped, and the results of calls with the calls. `lines` are the messages, oldest first;
    no more of them are read than are dropped, and one more. A session that has to lose more than `MOST_DROPPED`
    messages is still too long; the next turns drop the others.
    """
    if most is None or session.characters <= most:
        return session
    summarize = strategy == "summarize"
    room = most - min(_SUMMARY, most // _SHARE) if summarize else most
    old = session.summary or ""
    tokens, characters, size = session.tokens - count_tokens(old), session.characters - len(old), session.size
    dropped = list[Message]()
    for line in islice(lines, MOST_DROPPED):
        message = decode_message(line)
        if characters <= room and message["role"] != "tool":
            break
        texts = content_parts(message)
        tokens, characters, size = tokens - count_tokens(*texts), characters - sum(map(len, texts)), size - len(line)
        dropped.append(message)
    first = session.first + len(dropped)
    summary = None
    if summarize:
        gone = dropped if session.summary is None else [summary_message(old), *dropped]
        summary = _summary(gone, max(0, most - characters))
        tokens, characters = tokens + count_tokens(summary), characters + len(summary)
    forgotten = bisect_left(session.stated, first)
    return session._replace(
        first=first,
        tokens=tokens,
        characters=characters,
        size=size,
        statements="\n".join(session.statements.split("\n")[forgotten:]),
        stated=session.stated[forgotten:],
        summary=summary,
    )


def summary_message(summary: str) -> Message:
    """Return the message that a summary takes the place of."""
    return {"role": "assistant", "content": summary}


def _summary(messages: Sequence[Message], most: int) -> str:
    """Return the topics of `messages`, in at most `most` characters."""
    topics = [topic for message in messages if (topic := topic_of(text_of(message)))]
    listed = "; ".join(topics[:_NAMED])
    return f"Summary of {len(messages)} earlier messages: {listed}"[: min(most, _SUMMARY)]
