"""Answers that are sent piece by piece: event streams, and JSON line by line.

Source: WHATWG HTML, section "Server-sent events"; RFC 7464 (JSON text sequences); OpenAPI 3.2.0, section 4.14.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from agent_contract import Operation, parse_events
from agent_contract.document.json_pointer import parse
from agent_contract.messages import JSON, Event
from agent_contract.model.operations import MediaType
from agent_contract.validation.coercion import form_of
from agent_contract.validation.lines import JSON_LINES, JSON_SEQUENCE, is_event_shaped
from agent_contract.value_class import value_class

EVENT_STREAM = "text/event-stream"
#: The media types that are sent as a stream.
STREAMS = frozenset({EVENT_STREAM, *JSON_LINES})
#: How many events are sampled for a stream without an example.
SAMPLED = 3
_DONE = "[DONE]"


@value_class(frozen=True, slots=True)
class Line(Event):
    """One line of JSON, sent `delay` seconds after the one before it."""

    def encode(self) -> bytes:
        """Return the line."""
        return self.data + b"\n"


@value_class(frozen=True, slots=True)
class SequenceItem(Event):
    """One item of a JSON text sequence."""

    def encode(self) -> bytes:
        """Return the item after its separator."""
        return b"\x1e" + self.data + b"\n"


def several_values(operation: Operation, media: MediaType) -> list[JSON] | None:
    """Return the documented items of a stream: those of a list, or all named examples in order; None for none.

    A string is a whole stream as it is sent; then only the first example counts.
    """
    values = list(media.examples.values())
    if not values:
        return None
    if isinstance(values[0], str) and (len(values) == 1 or "\n" in values[0]):
        return [values[0]]
    if any(isinstance(value, list) for value in values) and not _are_arrays(operation, media):
        first = next(value for value in values if isinstance(value, list))
        return list(first)
    return values


def _are_arrays(operation: Operation, media: MediaType) -> bool:
    """Return whether each item of the stream is an array itself."""
    per_item = media.schema is not None and media.schema.tokens[-1] == "itemSchema"
    return per_item and media.schema is not None and "array" in form_of(operation.schemas, media.schema).types


def stream_of(operation: Operation, media: MediaType, sent_type: str, values: Sequence[JSON]) -> tuple[Event, ...]:
    """Return the pieces of a stream with these items, and the usual `[DONE]` if the document shows it."""
    if sent_type == EVENT_STREAM:
        shaped = media.schema is not None and is_event_shaped(operation.schemas, media.schema)
        events = tuple(event for value in values for event in _events(value, shaped))
        ends = events and events[-1].data == _DONE.encode()
        return events if ends or not _shows_done(operation, media) else (*events, Event(_DONE.encode()))
    kind = SequenceItem if sent_type in JSON_SEQUENCE else Line
    return tuple(kind(data) for value in values for data in _lines(value))


def _events(value: JSON, shaped: bool) -> Iterator[Event]:
    """Yield the events of an item: an event, the data of one, or the text of a stream."""
    if isinstance(value, str) and (found := parse_events(value.encode("utf-8", "replace").rstrip() + b"\n\n")):
        yield from found
    elif isinstance(value, dict) and "data" in value and (shaped or set(value) <= {"data", "event", "id", "retry"}):
        yield Event(_data(value["data"]), str(value.get("event") or ""))
    else:
        yield Event(_data(value))


def _lines(value: JSON) -> Iterator[bytes]:
    if isinstance(value, str) and value.strip():
        yield from (line.strip().encode("utf-8", "replace") for line in value.splitlines() if line.strip())
    else:
        yield orjson.dumps(value)


def _data(value: JSON) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else orjson.dumps(value)


def _shows_done(operation: Operation, media: MediaType) -> bool:
    """Return whether the operation, or the description of its `stream`, has the usual end of a stream."""
    document = operation.schemas.document
    texts: list[Any] = [document.at(parse(operation.pointer)), document.at(parse(media.pointer))]
    for described in operation.request_body.content.values() if operation.request_body else ():
        place = form_of(operation.schemas, described.schema).properties.get("stream") if described.schema else None
        texts += [document.at(place)] if place else []
    return any(_contains(text) for text in texts)


def _contains(value: Any) -> bool:
    if isinstance(value, Mapping):
        return any(map(_contains, value.values()))
    return any(map(_contains, value)) if isinstance(value, list) else isinstance(value, str) and _DONE in value
