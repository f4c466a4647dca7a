"""Reads server-sent events from bytes. Source: WHATWG HTML, section 9.2.6 (interpreting an event stream)."""

from __future__ import annotations

import re

from agent_contract.messages import Event

#: The end of an event: the end of its last line, and a blank line.
EVENT_END = re.compile(rb"\r\n\r\n|\n\n|\r\r")
_LINE = re.compile(rb"\r\n|\n|\r")


def parse_events(stream: bytes) -> tuple[Event, ...]:
    """Return the events of a whole stream; one without its closing blank line is dropped, as browsers do."""
    events: list[Event] = []
    data: list[bytes] = []
    name = b""
    for line in _LINE.split(stream.removeprefix(b"\xef\xbb\xbf"))[:-1]:
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if not line:
            if data:
                events.append(Event(b"\n".join(data), name.decode("utf-8", "replace")))
            data, name = [], b""
        elif field == b"data":
            data.append(value)
        elif field == b"event":
            name = value
    return tuple(events)
