"""Describes violations as FastAPI with pydantic 2 does, as `detail` items: `type`, `loc`, `msg`.

Source: FastAPI 0.165 with pydantic 2.14, measured.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Any, TypeAlias

from agent_contract.document.json_pointer import Place, parse
from agent_contract.messages import JSON, Violation
from agent_contract.model.operations import Operation
from agent_contract.model.schemas import Schemas

Words: TypeAlias = tuple[str, str]

#: The type that was wanted -> pydantic's type and message.
_TYPES: Mapping[str, Words] = {
    "boolean": ("bool_type", "Input should be a valid boolean"),
    "integer": ("int_type", "Input should be a valid integer"),
    "number": ("float_type", "Input should be a valid number"),
    "string": ("string_type", "Input should be a valid string"),
    "array": ("list_type", "Input should be a valid list"),
    "object": ("dict_type", "Input should be a valid dictionary"),
    "null": ("none_required", "Input should be None"),
}
_MODEL: Words = ("model_attributes_type", "Input should be a valid dictionary or object to extract fields from")
_UUID_TYPE: Words = ("uuid_type", "UUID input should be a string, bytes or UUID object")

#: The same for values that were sent as text: in a path, a query, a header.
_PARSED: Mapping[str, Words] = {
    "boolean": ("bool_parsing", "Input should be a valid boolean, unable to interpret input"),
    "integer": ("int_parsing", "Input should be a valid integer, unable to parse string as an integer"),
    "number": ("float_parsing", "Input should be a valid number, unable to parse string as a number"),
}

#: The format that was wanted -> pydantic's type and message.
_FORMATS: Mapping[str, Words] = {
    "uuid": ("uuid_parsing", "Input should be a valid UUID, of the form 8-4-4-4-12 hexadecimal digits"),
    "date-time": ("datetime_from_date_parsing", "Input should be a valid datetime"),
    "date": ("date_from_datetime_parsing", "Input should be a valid date"),
    "time": ("time_parsing", "Input should be in a valid time format"),
    "uri": ("url_parsing", "Input should be a valid URL"),
}


def error_detail(holder: Operation | Any, violations: Iterable[Violation]) -> list[JSON]:
    """Return the `detail` of a 422: one item for each violation; `holder` is the operation or contract they are of."""
    return [_item(holder.schemas, violation) for violation in violations]


def _item(schemas: Schemas, violation: Violation) -> JSON:
    if violation.rule == "type":
        kind, message = _of_type(schemas, violation)
    else:
        kind, message = _WORDS.get(violation.rule, _other)(violation)
    return {"type": kind, "loc": list(violation.where), "msg": message}


def _of_type(schemas: Schemas, violation: Violation) -> Words:
    expected = violation.expected
    names = [str(name) for name in expected] if isinstance(expected, list) else [str(expected)]
    wanted = next((name for name in names if name != "null"), "null")
    if violation.where[0] != "body" and wanted in _PARSED:
        return _PARSED[wanted]
    schema = schemas.at(_schema_of(violation.pointer))
    if isinstance(schema, dict):
        if wanted == "object" and "properties" in schema:
            return _MODEL
        if wanted == "string" and schema.get("format") == "uuid":
            return _UUID_TYPE
    return _TYPES[wanted]


@lru_cache(maxsize=4096)
def _schema_of(pointer: str) -> Place:
    """Return the place of the schema that holds a rule; the document has a limited number of them."""
    return parse(pointer).parent


def _limit(kind: str, sentence: str) -> Callable[[Violation], Words]:
    """Return the words for a numeric limit, which they name."""

    def words(violation: Violation) -> Words:
        return kind, sentence.format(_number(violation.expected))

    return words


def _length(kind: str, noun: str, bound: str, counted: str) -> Callable[[Violation], Words]:
    """Return the description of a length in characters or items; for items it has their number, as pydantic's does."""

    def words(violation: Violation) -> Words:
        limit, got = violation.expected, violation.got
        message = f"{noun} should have at {bound} {limit} {counted}{'' if limit == 1 else 's'}"
        if counted == "item" and isinstance(got, (list, dict)):
            message += f" after validation, not {len(got)}"
        return kind, message

    return words


def _enum(violation: Violation) -> Words:
    expected = violation.expected if violation.rule == "enum" else [violation.expected]
    options = [repr(option) for option in expected if option is not None] if isinstance(expected, list) else []
    listed = " or ".join(filter(None, (", ".join(options[:-1]), options[-1] if options else "None")))
    return "literal_error", f"Input should be {listed}"


def _format(violation: Violation) -> Words:
    name = str(violation.expected)
    return _FORMATS.get(name, ("value_error", f"Value error, not a valid {name}"))


def _pattern(violation: Violation) -> Words:
    return "string_pattern_mismatch", f"String should match pattern '{violation.expected}'"


def _fixed(kind: str, message: str) -> Callable[[Violation], Words]:
    return lambda _: (kind, message)


def _other(violation: Violation) -> Words:
    return "value_error", f"Value error, {violation.rule} is not met"


def _number(value: Any) -> str:
    """Return a limit as pydantic writes it: 2.0 is 2."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else json.dumps(value)


_EXTRA = _fixed("extra_forbidden", "Extra inputs are not permitted")

_WORDS: Mapping[str, Callable[[Violation], Words]] = {
    "json": _fixed("json_invalid", "JSON decode error"),
    "required": _fixed("missing", "Field required"),
    "minimum": _limit("greater_than_equal", "Input should be greater than or equal to {}"),
    "maximum": _limit("less_than_equal", "Input should be less than or equal to {}"),
    "exclusiveMinimum": _limit("greater_than", "Input should be greater than {}"),
    "exclusiveMaximum": _limit("less_than", "Input should be less than {}"),
    "multipleOf": _limit("multiple_of", "Input should be a multiple of {}"),
    "minLength": _length("string_too_short", "String", "least", "character"),
    "maxLength": _length("string_too_long", "String", "most", "character"),
    "minItems": _length("too_short", "List", "least", "item"),
    "maxItems": _length("too_long", "List", "most", "item"),
    "minProperties": _length("too_short", "Dictionary", "least", "item"),
    "maxProperties": _length("too_long", "Dictionary", "most", "item"),
    "enum": _enum,
    "const": _enum,
    "format": _format,
    "pattern": _pattern,
    "additionalProperties": _EXTRA,
    "unevaluatedProperties": _EXTRA,
    "false": _EXTRA,
}
