"""Answers that are sent piece by piece: event streams."""

from __future__ import annotations

import orjson

from agent_contract.messages import JSON, Event

#: The media types that are sent as a stream.
EVENTS = frozenset({"text/event-stream"})


def stream_of(value: JSON) -> tuple[Event, ...]:
    """Return the events of an example or sample of a stream, which is one event, a list of events, or text."""
    several = value if isinstance(value, list) else [value]
    return tuple(Event(_data(one.get("data") if isinstance(one, dict) and "data" in one else one)) for one in several)


def _data(value: JSON) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else orjson.dumps(value)
