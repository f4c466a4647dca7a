"""Builds the content of a body: its media types, their schemas and examples, and what the events of a stream hold."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent_contract.compiler.context import Builder
from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON
from agent_contract.model.operations import EventData, MediaType
from agent_contract.model.schemas import Direction


def build_content(
    builder: Builder, place: Place, value: Mapping[str, Any], direction: Direction
) -> dict[str, MediaType]:
    """Return the media types (lower-case) of a body, in the document's order, each with its schema compiled."""
    content = {}
    for name in value.get("content") or ():
        media, described = builder.at(place.child("content", name))
        schema = _schema(media, described)
        validator = builder.validator(schema, direction) if schema else None
        events = tuple(_events(builder, schema)) if schema and _bare(name) == "text/event-stream" else ()
        content[_bare(name)] = MediaType(
            _bare(name), str(media), schema, validator, _examples(builder, media, described), events
        )
    return content


def _schema(media: Place, described: Mapping[str, Any]) -> Place | None:
    """Return the schema of a body; of a stream it is the schema of each item, `itemSchema` since OpenAPI 3.2."""
    return next((media.child(one) for one in ("itemSchema", "schema") if one in described), None)


def _bare(name: str) -> str:
    return name.partition(";")[0].strip().lower()


def _examples(builder: Builder, media: Place, value: Mapping[str, Any]) -> dict[str, JSON]:
    examples: dict[str, JSON] = {"": value["example"]} if "example" in value else {}
    for name in value.get("examples") or ():
        _, example = builder.at(media.child("examples", name))
        if "value" in example:
            examples[name] = example["value"]
    return examples


def _events(builder: Builder, schema: Place) -> Iterator[EventData]:
    """Yield the schemas of the JSON inside an event's `data`, which JSON Schema itself leaves unchecked."""
    for event in _choices(builder, schema):
        _, value = builder.at(event)
        if "data" not in (value.get("properties") or {}):
            continue
        for data in _choices(builder, event.child("properties", "data")):
            _, described = builder.at(data)
            if "contentSchema" in described:
                inner = data.child("contentSchema")
                applies, validator = builder.validator(data, "reply"), builder.validator(inner, "reply")
                if applies and validator:
                    yield EventData(str(inner), applies, inner, validator)


def _choices(builder: Builder, schema: Place) -> Iterator[Place]:
    """Yield a schema and everything that it applies to the same value, references followed."""
    place, value = builder.at(schema)
    yield place
    for keyword in ("allOf", "anyOf", "oneOf"):
        for index in range(len(value.get(keyword) or ())):
            yield from _choices(builder, place.child(keyword, index))
