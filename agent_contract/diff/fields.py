"""What goes over the wire, field by field: each with its types, its rules, and whether it must be there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from agent_contract.document.document import Document
from agent_contract.document.json_pointer import Place, parse
from agent_contract.messages import JSON
from agent_contract.model.operations import MediaType, Operation
from agent_contract.validation.check import is_json
from agent_contract.versions.schema_usage import in_place

#: The keywords that bound a value. Source: JSON Schema 2020-12, validation, section 6.
RULES = (
    *("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf", "minLength", "maxLength", "pattern"),
    *("format", "minItems", "maxItems", "uniqueItems", "minProperties", "maxProperties", "default"),
)


@dataclass(frozen=True, slots=True)
class Field:
    """One value of a message: `places` are the schemas that describe it, all that a reference leads to included.

    `types` is empty if any type is valid, `values` if any value is.
    """

    places: tuple[Place, ...]
    required: bool
    types: frozenset[str]
    values: tuple[JSON, ...]
    rules: Mapping[str, JSON]


def request_fields(operation: Operation) -> dict[str, Field]:
    """Return what a request of an operation may have, by its way, as in `query/limit` or `body/messages/*/role`."""
    found: dict[str, Field] = {}
    for parameter in operation.parameters:
        way = f"{parameter.place}/{parameter.name}"
        places = [parameter.schema] if parameter.schema else []
        found.update(_flat(operation.document, way, places, parameter.required))
        if way in found:
            own = (parse(parameter.pointer), *found[way].places)
            found[way] = _field(operation.document, own, parameter.required)
    if operation.request_body:
        content = operation.request_body.content
        found.update(_content(operation.document, "body", content, operation.request_body.required))
    return found


def reply_fields(operation: Operation, status: str) -> dict[str, Field]:
    """Return what a reply of a documented status may have, by its way, as in `body/choices/*/index`."""
    response = operation.responses[status]
    found: dict[str, Field] = {}
    for header in response.headers:
        places = [header.schema] if header.schema else []
        found.update(_flat(operation.document, f"headers/{header.name}", places, header.required))
    return found | _content(operation.document, "body", response.content, bool(response.content))


def _content(document: Document, way: str, content: Mapping[str, MediaType], required: bool) -> dict[str, Field]:
    """Return the fields of a body; those of a media type other than JSON are under its name."""
    found: dict[str, Field] = {}
    for name, media in content.items():
        if media.schema:
            here = way if is_json(name) else f"{way}({name})"
            found.update(_flat(document, here, [media.schema], required))
    return found


def _flat(document: Document, way: str, schemas: list[Place], required: bool) -> dict[str, Field]:
    """Return a value and everything inside it, by its way; a schema that holds itself is entered once."""
    found: dict[str, Field] = {}
    waiting: list[tuple[str, list[Place], bool, frozenset[Place]]] = [(way, schemas, required, frozenset())]
    while waiting:
        here, starts, needed, above = waiting.pop()
        places = tuple(dict.fromkeys(place for start in starts for place in in_place(document, start)))
        if not places or any(place in above for place in places):
            continue
        found[here] = _field(document, places, needed)
        inner = {key: (inside, must) for key, inside, must in _inside(document, places)}
        inside_of = above | set(places)
        waiting.extend((f"{here}/{key}", *held, inside_of) for key, held in reversed(inner.items()))
    return found


def _inside(document: Document, places: tuple[Place, ...]) -> Iterator[tuple[str, list[Place], bool]]:
    """Yield the properties and the items of a value: key, the schemas that describe each, whether it must be there."""
    described: dict[str, list[Place]] = {}
    required: set[str] = set()
    for place in places:
        schema: Any = document.at(place)
        required.update(schema.get("required") or ())
        for name in schema.get("properties") or ():
            described.setdefault(name, []).append(place.child("properties", name))
        for keyword, key in (("items", "*"), ("additionalProperties", "*"), ("contentSchema", "(content)")):
            if isinstance(schema.get(keyword), dict):
                described.setdefault(key, []).append(place.child(keyword))
    for name, schemas in described.items():
        yield name, schemas, name in required


def _field(document: Document, places: tuple[Place, ...], required: bool) -> Field:
    types: set[str] = set()
    values: list[JSON] = []
    rules: dict[str, JSON] = {}
    for place in places:
        schema: Any = document.at(place)
        written = schema.get("type", [])
        types.update([written] if isinstance(written, str) else written)
        if types and schema.get("nullable") is True:  # OpenAPI 3.0
            types.add("null")
        values += [schema["const"]] if "const" in schema else schema.get("enum") or []
        rules.update((name, schema[name]) for name in RULES if name in schema)
    return Field(places, required, frozenset(types), tuple(values), rules)
