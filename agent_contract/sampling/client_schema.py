"""JSON Schemas that stand in no document: a client sent them, and they may be wrong, hostile or beyond all measure."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs

from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError
from agent_contract.document.json_pointer import Place, look_up, tokens_of
from agent_contract.messages import JSON
from agent_contract.sampling.sampler import TRIES, SampleError, Source, Texts, value_of

#: How often one value may be looked at while it is judged, references unfolded: each may double what is to be done.
_MOST_LOOKS = 2_000
#: How many values a sample may have inside.
_MOST_VALUES = 2_000
_ROOT = Place("", ())
#: The keywords that judge the same value once more.
_SEVERAL = ("allOf", "anyOf", "oneOf")
_ONE = ("not", "if", "then", "else")
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_POINTER = re.compile(r"#(/|$)")


class SchemaRefused(ValueError):
    """A schema can't be used; the text says why."""


@dataclass(frozen=True, slots=True)
class RawSchema:
    """A compiled JSON Schema, in the draft that its `$schema` names or else in 2020-12."""

    value: JSON
    validator: jsonschema_rs.Validator

    def sample(self, seed: int, texts: Callable[[random.Random], Texts]) -> JSON:
        """Return a value that the schema accepts, the same for the same seed; SampleError when none is found."""
        document = Document(Path("schema"), {"": self.value})
        for attempt in range(TRIES):
            chance = random.Random(seed * TRIES + attempt)
            source = Source(document.at, document.follow, chance, texts(chance), _MOST_VALUES)
            try:
                value = value_of(source, _ROOT)
                if self.validator.is_valid(value):
                    return value
            except (ContractError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
                raise SampleError(_said(error)) from None
        raise SampleError(f"no value that it accepts was found in {TRIES} tries")


def read_schema(value: JSON) -> RawSchema:
    """Return a schema, compiled; SchemaRefused where it is none, refers to something outside, or costs too much."""
    try:
        _check_references(value)
        validator = jsonschema_rs.validator_for(value, validate_formats=True, offline=True)  # type: ignore[arg-type]
        looks = _looks(value, value, {})
    except (ValueError, LookupError, jsonschema_rs.ReferencingError) as error:
        raise SchemaRefused(_said(error)) from None
    except RecursionError:
        raise SchemaRefused("it is nested too deep") from None
    if looks > _MOST_LOOKS:
        raise SchemaRefused(f"it would judge one value more than {_MOST_LOOKS} times over")
    return RawSchema(value, validator)


def _said(error: Exception) -> str:
    """Return in one line what a library says of a fault."""
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    text = str(getattr(error, "message", "") or error)
    return text.strip().partition("\n")[0][:300]


def _check_references(value: JSON) -> None:
    """Raise SchemaRefused for a reference that is no pointer into the schema: nothing is fetched or opened."""
    for schema in _mappings(value):
        for keyword in _REFERENCES:
            reference = schema.get(keyword)
            if isinstance(reference, str) and (keyword != "$ref" or not _POINTER.match(reference)):
                raise SchemaRefused(f'the {keyword} "{reference[:100]}" is no pointer such as "#/$defs/Name"')


def _mappings(value: JSON) -> Iterator[Mapping[str, Any]]:
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            yield one
        rest.extend(one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())


def _looks(root: JSON, schema: JSON, known: dict[int, int]) -> int:
    """Return how often a value that `schema` judges is looked at, its references unfolded; a ring counts once."""
    if not isinstance(schema, dict):
        return 1
    if id(schema) not in known:
        known[id(schema)] = 0
        known[id(schema)] = min(1 + sum(_looks(root, one, known) for one in _again(root, schema)), 10 * _MOST_LOOKS)
    return known[id(schema)]


def _again(root: JSON, schema: Mapping[str, Any]) -> Iterator[JSON]:
    """Yield the schemas that judge the same value as this one does."""
    for keyword in _SEVERAL:
        yield from schema.get(keyword) or ()
    for keyword in _ONE:
        if keyword in schema:
            yield schema[keyword]
    dependent = schema.get("dependentSchemas")
    yield from dependent.values() if isinstance(dependent, dict) else ()
    reference = schema.get("$ref")
    if isinstance(reference, str):
        yield look_up(root, tokens_of(reference.removeprefix("#")))
