"""Contract coverage: which parts of the contract a client has met, and which never."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from agent_contract import Contract, Operation
from agent_contract.document.json_pointer import Place
from agent_contract.model.schemas import Schemas
from agent_contract.versions.schema_usage import properties_of
from mockserver.analysis.clause_conditions import CONDITIONAL, CONDITIONS, NOT_COUNTED, Conditions, applying
from mockserver.analysis.observation import DONE, Observation
from mockserver.faults.catalogue import KINDS

#: What is counted, in the order of a report.
DIMENSIONS = (
    *("operations", "statuses", "finish reasons", "event kinds", "request fields", "reply fields"),
    *("clauses", "faults"),
)
FINISH_REASONS = ("stop", "length", "tool_calls", "content_filter")
EVENT_KINDS = ("role", "content", "tool call", "finish", "usage", "error", DONE)
#: Levels of a field's path: `choices[].message.tool_calls` has three.
_DEPTH = 3

Items = Mapping[str, frozenset[str]]


@dataclass
class Coverage:
    """How often each part was met, by dimension and name; `incomplete` exchanges lack a part of a body."""

    exchanges: int = 0
    incomplete: int = 0
    met: dict[str, dict[str, int]] = field(default_factory=lambda: {name: {} for name in DIMENSIONS})

    def add(self, seen: Observation, contract: Contract) -> None:
        """Count what an exchange shows."""
        self.exchanges += 1
        self.incomplete += not seen.is_whole
        for dimension, names in parts_of(seen, contract).items():
            counts = self.met[dimension]
            for name in names:
                counts[name] = counts.get(name, 0) + 1

    def merge(self, other: Coverage) -> None:
        """Add the counts of another run."""
        self.exchanges += other.exchanges
        self.incomplete += other.incomplete
        for dimension, counts in other.met.items():
            mine = self.met[dimension]
            for name, count in counts.items():
                mine[name] = mine.get(name, 0) + count

    def possible(self, contract: Contract) -> dict[str, list[str]]:
        """Return what a client of the called operations can meet, by dimension, in the order of a report."""
        called = [contract.operations[name] for name in self.met["operations"] if name in contract.operations]
        known: dict[str, Iterable[str]] = {
            "operations": contract.operations,
            "statuses": (f"{one.id} {status}" for one in called for status in one.responses),
            "finish reasons": FINISH_REASONS if any(map(_has_choices, called)) else (),
            "event kinds": EVENT_KINDS if any(map(_streams, called)) else (),
            "request fields": (name for one in called for name in sorted(_fields_of(one).sent)),
            "reply fields": (name for one in called for name in sorted(_fields_of(one).replied)),
            "clauses": _clauses_of(contract, called),
            "faults": KINDS,
        }
        return {name: [*dict.fromkeys((*known[name], *self.met[name]))] for name in DIMENSIONS}

    def never(self, contract: Contract) -> dict[str, list[str]]:
        """Return what the client never met, by dimension."""
        possible = self.possible(contract)
        return {name: [one for one in possible[name] if one not in self.met[name]] for name in DIMENSIONS}

    def as_json(self) -> dict[str, Any]:
        """Return the counts as JSON values; `coverage_from` reads them."""
        return {"exchanges": self.exchanges, "incomplete": self.incomplete, "met": self.met}


def coverage_from(value: Mapping[str, Any]) -> Coverage:
    """Return the coverage that `as_json` returned."""
    return Coverage(value["exchanges"], value["incomplete"], {name: dict(value["met"][name]) for name in DIMENSIONS})


def parts_of(seen: Observation, contract: Contract) -> Items:
    """Return what one exchange shows, by dimension."""
    operation = contract.operations.get(seen.operation)
    clauses = {*seen.clauses, *(() if seen.faults else applying(seen, _conditions_of(contract, seen.operation)))}
    found = {
        "operations": {seen.operation} if operation else set(),
        "statuses": {f"{seen.operation} {seen.status}"} if operation else set(),
        "finish reasons": {str(one["finish_reason"]) for one in seen.choices if one.get("finish_reason")},
        "event kinds": set(_event_kinds(seen)),
        "request fields": _present(seen.sent, _fields_of(operation).sent) if operation else set(),
        "reply fields": set(),
        "clauses": clauses,
        "faults": set(seen.faults),
    }
    if operation and seen.status < 400:
        known = _fields_of(operation).replied
        # One object with the fields of all chunks: most of a stream's chunks have the same ones.
        fields = {name: value for one in seen.objects for name, value in one.items() if value is not None}
        found["reply fields"] = _present({**fields, "choices": seen.choices} if "choices" in fields else fields, known)
    return {name: frozenset(found[name]) for name in DIMENSIONS}


def _event_kinds(seen: Observation) -> Iterator[str]:
    if not seen.is_stream:
        return
    if DONE in seen.replies:
        yield DONE
    for value in seen.objects:
        if value.get("error") is not None:
            yield "error"
        if value.get("usage") is not None:
            yield "usage"
    if any(choice.get("finish_reason") for choice in seen.choices):
        yield "finish"
    for part in seen.parts:
        yield from (kind for kind, name in _DELTA_KINDS.items() if part.get(name))


_DELTA_KINDS: Mapping[str, str] = {"role": "role", "content": "content", "tool call": "tool_calls"}


@dataclass(frozen=True, slots=True)
class _Fields:
    """The paths of the documented fields of an operation's requests and replies."""

    sent: frozenset[str]
    replied: frozenset[str]


@cache
def _fields_of(operation: Operation) -> _Fields:
    media = [*operation.request_body.content.values()] if operation.request_body else []
    sent = {path for one in media if one.schema for path in _paths(operation.schemas, one.schema, _DEPTH)}
    replied: set[str] = set()
    for status, response in operation.responses.items():
        for one in response.content.values() if status.startswith("2") else ():
            schemas = [event.schema for event in one.events] or ([one.schema] if one.schema else [])
            replied.update(path for schema in schemas for path in _paths(operation.schemas, schema, _DEPTH))
    return _Fields(frozenset(sent), frozenset(replied))


def _paths(schemas: Schemas, schema: Place, depth: int) -> Iterator[str]:
    """Yield the paths of the fields that a schema describes, as in `choices[].index`."""
    for name, places in properties_of(schemas.document, schema).items():
        yield name
        for place in places if depth > 1 else ():
            yield from (f"{name}.{path}" for path in _paths(schemas, place, depth - 1))
            value: Any = schemas.document.at(place)
            if isinstance(value, dict) and isinstance(value.get("items"), dict):
                yield from (f"{name}[].{path}" for path in _paths(schemas, place.child("items"), depth - 1))


def _present(value: Any, known: frozenset[str], prefix: str = "") -> set[str]:
    """Return the known paths that a JSON object has; null counts as absent."""
    found: set[str] = set()
    for name, inner in value.items() if isinstance(value, dict) else ():
        path = f"{prefix}{name}"
        if inner is None or path not in known:
            continue
        found.add(path)
        if isinstance(inner, list):
            for one in inner:
                found |= _present(one, known, f"{path}[].")
        else:
            found |= _present(inner, known, f"{path}.")
    return found


@cache
def _conditions_of(contract: Contract, operation: str) -> Conditions:
    """Return the conditions of the clauses that apply to an operation."""
    mine = {clause.id for clause in contract.clauses if operation in clause.operations}
    kept = ((condition, tuple(clause for clause in clauses if clause in mine)) for condition, clauses in CONDITIONS)
    return tuple((condition, clauses) for condition, clauses in kept if clauses)


@cache
def _refused(contract: Contract) -> frozenset[str]:
    """Return the clauses that an example of a refused request shows."""
    return frozenset(
        clause for step in contract.examples if step.example.status >= 400 for clause in step.example.shows
    )


def _clauses_of(contract: Contract, called: Iterable[Operation]) -> list[str]:
    names = {operation.id for operation in called}
    known = (CONDITIONAL | _refused(contract)) - NOT_COUNTED
    return [clause.id for clause in contract.clauses if clause.id in known and names & {*clause.operations}]


def _has_choices(operation: Operation) -> bool:
    return any(name.startswith("choices") for name in _fields_of(operation).replied)


def _streams(operation: Operation) -> bool:
    return any(media.events for response in operation.responses.values() for media in response.content.values())
