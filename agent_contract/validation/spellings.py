"""Other spellings of arrays and objects in a query, which clients use by default whatever the document declares."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from agent_contract.messages import JSON, Request
from agent_contract.model.parameters import MISSING, Parameter
from agent_contract.model.schemas import Schemas
from agent_contract.validation.coercion import coerce, form_of
from agent_contract.validation.nested_pairs import nest

_SEPARATORS = (",", "|", " ")


def lenient_value(schemas: Schemas, parameter: Parameter, declared: JSON, request: Request) -> JSON:
    """Return the value of a parameter of the query, in the declared spelling, or in another if only that is valid.

    It is `declared` if no spelling is valid.
    """
    if parameter.place != "query" or parameter.schema is None or parameter.json:
        return declared
    types = form_of(schemas, parameter.schema).types
    if "array" not in types and "object" not in types:
        return declared
    nested = parameter.style == "deepObject"
    repeated = not parameter.explode and sum(name == parameter.name for name, _ in request.query) > 1
    if not nested and not repeated and declared is not MISSING and _is_valid(parameter, declared):
        return declared
    for value in _spellings(schemas, parameter, types, request.query):
        if value is not MISSING and _is_valid(parameter, value):
            return value
    return declared


def _is_valid(parameter: Parameter, value: JSON) -> bool:
    return parameter.validator is None or parameter.validator.is_valid(value)


def _spellings(
    schemas: Schemas, parameter: Parameter, types: Sequence[str], query: Sequence[tuple[str, str]]
) -> Iterator[JSON]:
    """Yield the value in each spelling that is found: brackets, dots, repeated names, separators, JSON, properties."""
    name, place = parameter.name, parameter.schema
    bare = name.removesuffix("[]")
    mine = [(key, text) for key, text in query if key in (name, bare) or key.startswith(bare + "[")]
    if mine:
        value = nest((bare + key.removeprefix(name).removeprefix(bare), text) for key, text in mine)[bare]
        texts = [text for _, text in mine]
        yield coerce(schemas, place, value)
        if "array" in types:
            yield coerce(schemas, place, list(texts))
            for separator in _SEPARATORS:
                yield coerce(schemas, place, [part for text in texts for part in text.split(separator)])
        if "object" in types:
            parts = texts[-1].split(",")
            yield coerce(schemas, place, dict(zip(parts[::2], parts[1::2], strict=False)))
    if "object" in types:
        dotted = [(key[len(bare) + 1 :], text) for key, text in query if key.startswith(bare + ".")]
        if dotted:
            yield coerce(schemas, place, dict(dotted))
        properties = form_of(schemas, place).properties if place else {}
        spread = [(key, text) for key, text in query if key in properties]
        if spread:
            yield coerce(schemas, place, dict(spread))
