"""Checks values of a file, or of a caller, against a JSON Schema: what is wrong, where, why, and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

from jsonschema_rs import Draft202012Validator

from agent_contract.document.errors import Problem
from agent_contract.document.reader import line_of

Keys = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: a file with its text, or a caller, whose values have no lines."""

    name: str
    text: str = ""

    def problem(self, keys: Keys, problem: str, remedy: str) -> Problem:
        """Return a problem at the place that `keys` lead to."""
        line = line_of(self.text, tuple(str(key) for key in keys)) or 1 if self.text else None
        place = f"{self.name}:{line}" if line else self.name
        return Problem(
            place, ".".join(str(key) for key in keys) or ("the file" if self.text else "the value"), problem, remedy
        )


def schema_problems(schema: dict[str, Any], value: Any, source: Source, at: Keys = ()) -> Iterator[Problem]:
    """Yield what `value` breaks of `schema`; `at` is where the value is in its source."""
    for error in Draft202012Validator(schema, validate_formats=True).iter_errors(value):
        keys = tuple(error.instance_path)
        known = _known_keys(schema, keys)
        unexpected = getattr(error.kind, "unexpected", None)
        if unexpected and known:
            for name in unexpected:
                yield source.problem((*at, *keys, name), f'"{name}" is not a known key', suggestion(name, known))
            continue
        remedy = f"known keys here: {', '.join(known)}" if known else "correct the value"
        yield source.problem((*at, *keys), error.message, remedy)


def suggestion(name: str, known: list[str]) -> str:
    """Return what to write instead of an unknown name."""
    near = get_close_matches(name, known, 1)
    listed = f"known keys here: {', '.join(known)}"
    return f'did you mean "{near[0]}"? {listed}' if near else listed


def _known_keys(schema: Mapping[str, Any], keys: Keys) -> list[str]:
    """Return the keys of the mapping at `keys`; none if it is not a mapping."""
    part: Any = schema
    for key in keys:
        part = part.get("items", {}) if isinstance(key, int) else part.get("properties", {}).get(key, {})
        if "$ref" in part:
            part = schema["$defs"][part["$ref"].rpartition("/")[2]]
    return list(part.get("properties", {}))
