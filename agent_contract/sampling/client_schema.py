"""JSON Schemas that clients send: they may be wrong, hostile, or too expensive."""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import jsonschema_rs

from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError
from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON
from agent_contract.sampling.budget import WorkBudget
from agent_contract.sampling.sample_strings import SampleStrings
from agent_contract.sampling.sampler import TRIES, SampleError, SampleSource, size_of, value_of
from agent_contract.sampling.schema_cost import SchemaCost, cost_of, mappings, pattern_options

_ROOT = Place("", ())
_REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
_POINTER = re.compile(r"#(/|$)")


class SchemaRefused(ValueError):
    """A schema can't be used; the message is the reason."""


@dataclass(frozen=True, slots=True)
class ClientSchema:
    """A compiled JSON Schema, in the draft that its `$schema` names.

    Without a `$schema` it is read as 2020-12, or as 2019-09 if the `items` of an array are a list: only the drafts
    up to 2019-09 write tuples so.
    """

    value: JSON
    validator: jsonschema_rs.Validator
    cost: SchemaCost

    def sample(
        self, seed: int, strings: Callable[[random.Random], SampleStrings], budget: WorkBudget | None = None
    ) -> JSON:
        """Return a value that the schema accepts, the same for the same seed; SampleError if none is found.

        The work is counted in `budget`; SampleError, too, if that is not enough.
        """
        document = Document(Path("schema"), {"": self.value})
        budget = budget or WorkBudget()
        for attempt in range(TRIES):
            chance = random.Random(seed * TRIES + attempt)
            source = SampleSource(document.at, document.follow, chance, strings(chance), budget)
            try:
                value = value_of(source, _ROOT)
                budget.spend("steps", self.cost.steps(*size_of(value)))
                if self.validator.is_valid(value):
                    return value
            except (ContractError, LookupError, TypeError, ValueError, ArithmeticError, RecursionError) as error:
                raise SampleError(_in_one_line(error)) from None
        raise SampleError(f"no value that it accepts was found in {TRIES} tries")


def read_schema(value: JSON, budget: WorkBudget | None = None) -> ClientSchema:
    """Return a schema, compiled; SchemaRefused if it is not one, refers to something outside, or costs too much.

    What it costs is counted in `budget`.
    """
    try:
        _check_references(value)
        cost = cost_of(value, budget or WorkBudget())
        validator = _compile(value)
    except (ValueError, LookupError, jsonschema_rs.ReferencingError) as error:
        raise SchemaRefused(_in_one_line(error)) from None
    except RecursionError:
        raise SchemaRefused("it is nested too deep") from None
    return ClientSchema(value, validator, cost)


def _compile(value: JSON) -> jsonschema_rs.Validator:
    older = not (isinstance(value, dict) and "$schema" in value) and any(
        isinstance(schema.get("items"), list) for schema in mappings(value)
    )
    compile = jsonschema_rs.Draft201909Validator if older else jsonschema_rs.validator_for
    return compile(value, validate_formats=True, offline=True, pattern_options=pattern_options())  # type: ignore[arg-type]


def _in_one_line(error: Exception) -> str:
    """Return a library's message in one line."""
    if isinstance(error, RecursionError):
        return "it is nested too deep"
    text = str(getattr(error, "message", "") or error)
    return text.strip().partition("\n")[0][:300]


def _check_references(value: JSON) -> None:
    """Raise SchemaRefused for a reference that is not a pointer into the schema: nothing is fetched or opened."""
    for schema in mappings(value):
        for keyword in _REFERENCES:
            reference = schema.get(keyword)
            if isinstance(reference, str) and (keyword != "$ref" or not _POINTER.match(reference)):
                raise SchemaRefused(f'the {keyword} "{reference[:100]}" is not a pointer such as "#/$defs/Name"')
