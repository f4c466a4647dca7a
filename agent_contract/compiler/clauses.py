"""Collects a document's clauses: `x-clauses` on any of its objects, and which operations each speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from agent_contract.document.document import Document
from agent_contract.document.errors import Problem
from agent_contract.document.json_pointer import Place, parse
from agent_contract.document.walker import Walk
from agent_contract.messages import GRADES, JSON, Clause, Violation
from agent_contract.model.operations import Operation
from agent_contract.versions.versions import marks_of, version_ranges, versions_of, versions_with

#: The keys that an item of `x-clauses` may have.
FIELDS = frozenset(("id", "sentence", "grade", "since", "until", "rules", "x-untestable"))


def build_clauses(
    document: Document, walk: Walk, operations: Iterable[Operation], problems: list[Problem]
) -> tuple[Clause, ...]:
    """Return the document's clauses in its order; what is wrong with one is added to `problems`."""
    holders = {place: listed for place, value in walk.values.items() if (listed := _listed(value))}
    if not holders:
        return ()
    reached = {operation.id: _reached(walk, operation) for operation in operations}
    known, marks = versions_of(document), marks_of(walk)
    ranges = version_ranges(document, walk, marks)
    clauses: dict[str, Clause] = {}
    for holder, listed in holders.items():
        speaks_of = tuple(name for name, places in reached.items() if holder in places) or _whole(holder, reached)
        for index, item in enumerate(listed):
            place = holder.child("x-clauses", index)
            clause = _clause(document, place, item, versions_with(known, marks, ranges, holder), speaks_of, problems)
            if clause and clause.id in clauses:
                first = document.line(parse(clauses[clause.id].pointer))
                problems.append(
                    document.problem(place, f"the clause {clause.id!r} exists already, in line {first}", "rename one")
                )
            elif clause:
                clauses[clause.id] = clause
    return tuple(clauses.values())


def clause_index(clauses: Iterable[Clause]) -> Mapping[str, tuple[Clause, ...]]:
    """Return the clauses by the pointer of the object that holds them."""
    index: dict[str, tuple[Clause, ...]] = {}
    for clause in clauses:
        holder = str(parse(clause.pointer).parent.parent)
        index[holder] = (*index.get(holder, ()), clause)
    return index


def clause_for(index: Mapping[str, tuple[Clause, ...]], violation: Violation, operation: Operation) -> str:
    """Return the id of the clause that puts a violation's rule into words; "" for none.

    It is looked for at the schema that holds the rule (for an absent property first at that property), then at the
    operation's request body and the operation. What encloses the schema has rules of its own, which are not meant.
    """
    for pointer in _holders(violation, operation):
        for clause in index.get(pointer, ()):
            if violation.rule in clause.rules and operation.id in clause.operations:
                return clause.id
    return ""


def _holders(violation: Violation, operation: Operation) -> Iterator[str]:
    holder = violation.pointer.rpartition("/")[0] or violation.pointer
    if violation.rule == "required" and violation.where:
        yield str(parse(holder).child("properties", violation.where[-1]))
    yield holder
    if operation.request_body:
        yield operation.request_body.pointer
    yield operation.pointer


def _listed(value: JSON) -> list[Any]:
    listed = value.get("x-clauses") if isinstance(value, dict) else None
    return listed if isinstance(listed, list) else []


def _reached(walk: Walk, operation: Operation) -> set[Place]:
    """Return what an operation leads to: its parts, the security schemes it names, and what its path holds for all."""
    place = parse(operation.pointer)
    schemes = [Place("", ("components", "securitySchemes", name)) for names in operation.security for name in names]
    shared = [child for child in walk.edges.get(place.parent, ()) if walk.kinds.get(child) == "parameter"]
    return walk.reachable(place, *schemes, *shared) | {place.parent}


def _whole(holder: Place, reached: Mapping[str, Any]) -> tuple[str, ...]:
    """Return every operation for a clause on the document as a whole, none for one that nothing leads to."""
    return tuple(reached) if holder.tokens in ((), ("info",), ("paths",)) else ()


def _clause(
    document: Document,
    place: Place,
    item: Any,
    versions: tuple[str, str],
    operations: tuple[str, ...],
    problems: list[Problem],
) -> Clause | None:
    """Return one clause; None if something is wrong with it, which is added to `problems`."""
    item = {"since": versions[0], "until": versions[1], **item} if isinstance(item, dict) else item
    faults = list(_faults(document, item))
    for name, problem, remedy in faults:
        here = place.child(name) if name else place
        problems.append(document.problem(here, problem, remedy))
    if faults:
        return None
    return Clause(
        id=item["id"],
        sentence=" ".join(item["sentence"].split()),
        grade=item["grade"],
        since=str(item["since"]),
        until="" if str(item["until"]) == versions_of(document)[-1] else str(item["until"]),
        operations=operations,
        pointer=str(place),
        rules=tuple(str(rule) for rule in item.get("rules", ())),
        untestable=" ".join(str(item.get("x-untestable", "")).split()),
    )


def _faults(document: Document, item: Any) -> Iterator[tuple[str, str, str]]:
    """Yield what is wrong with a clause: the field that is at fault ("" for one that is absent), problem and remedy."""
    if not isinstance(item, dict):
        yield "", "a clause must be an object", "write id, sentence and grade"
        return
    for name in ("id", "sentence"):
        if not isinstance(item.get(name), str) or not item[name].strip():
            yield name if name in item else "", f"the clause has no {name}", f"add '{name}: …'"
    remedy = f"use one of {', '.join(GRADES)}"
    if "grade" not in item:
        yield "", "the clause has no grade", remedy
    elif not isinstance(item["grade"], str) or item["grade"] not in GRADES:
        yield "grade", f"the grade {item['grade']!r} is unknown", remedy
    if not isinstance(item.get("rules", []), list):
        yield "rules", "'rules' must be a list", "write the schema keywords that the clause puts into words"
    yield from _version_faults(versions_of(document), item)
    for name in item:
        if name not in FIELDS:
            yield name, f"{name!r} is not a key of a clause", f"use {', '.join(sorted(FIELDS))}"


def _version_faults(known: tuple[str, ...], item: Any) -> Iterator[tuple[str, str, str]]:
    unknown = [mark for mark in ("since", "until") if str(item[mark]) not in known]
    for mark in unknown:
        yield mark, f"the version {item[mark]!r} is unknown", "use one of info.x-versions"
    if not unknown and known.index(str(item["until"])) < known.index(str(item["since"])):
        yield "until", f"it ends with {item['until']}, before it begins with {item['since']}", "correct one of the two"
