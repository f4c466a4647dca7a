"""Bodies that are a sequence of values: JSON line by line, JSON text sequences, and events.

Source: RFC 7464; OpenAPI 3.2.0, section 4.14 (itemSchema).
"""

from __future__ import annotations

from agent_contract.document.json_pointer import Place
from agent_contract.model.schemas import Schemas
from agent_contract.validation.coercion import form_of

JSON_SEQUENCE = frozenset({"application/json-seq", "application/geo+json-seq"})
#: The media types of JSON values that are sent one after the other.
JSON_LINES = frozenset(
    {
        *("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonl"),
        *("application/jsonlines", "application/x-jsonlines", "application/stream+json"),
        *JSON_SEQUENCE,
    }
)


def is_event_shaped(schemas: Schemas, place: Place) -> bool:
    """Return whether a schema describes an event, with its `data`, and not the data alone."""
    return "data" in (form := form_of(schemas, place)).properties and set(form.properties) <= {
        *("data", "event", "id", "retry", "comment"),
        *(name for name in form.properties if name.startswith("x-")),
    }


def item_schema(schemas: Schemas, place: Place) -> Place | None:
    """Return the schema of each item of a stream, None if each may be anything.

    It is `itemSchema`; `schema` may describe the items too, or an array of them, or the text of the whole stream.
    """
    form = form_of(schemas, place)
    if place.tokens[-1] == "itemSchema":
        return place
    if "array" in form.types:
        return form.items
    return None if form.types == ("string",) else place


def split_lines(body: bytes) -> list[bytes]:
    """Return the values of a body as they were sent, without separators and empty lines."""
    return [line for part in body.split(b"\x1e") for line in part.splitlines() if line.strip()]
