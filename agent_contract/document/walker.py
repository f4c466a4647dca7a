"""Walks a document by the grammar: every object with its kind, and what each one leads to through references."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from agent_contract.document.document import Document, UnresolvedError
from agent_contract.document.errors import ContractError, Problem, UnreadableError
from agent_contract.document.json_pointer import Place
from agent_contract.document.object_types import CHILDREN, IN_PLACE, NEEDED
from agent_contract.messages import JSON

#: Fields of a schema that would move its base, so that references inside it would name something else.
_MOVING = {"$id": "refer to it by its place in the document", "$schema": "write it in the document's own dialect"}


@dataclass(frozen=True, slots=True)
class Walk:
    """What a walk found: each object's kind and value, what it holds or refers to, and what it refers to alone."""

    kinds: dict[Place, str] = field(default_factory=dict)
    values: dict[Place, JSON] = field(default_factory=dict)
    edges: dict[Place, list[Place]] = field(default_factory=dict)
    references: dict[Place, Place] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)  #: references to files that can't be read or parsed

    def of_kind(self, kind: str) -> Iterator[Place]:
        """Yield the places of a kind, in the document's order."""
        return (place for place, found in self.kinds.items() if found == kind)

    def reachable(self, *starts: Place) -> set[Place]:
        """Return every place that these lead to, themselves included."""
        found, waiting = set(starts), list(starts)
        while waiting:
            for place in self.edges.get(waiting.pop(), ()):
                if place not in found:
                    found.add(place)
                    waiting.append(place)
        return found


def walk(document: Document, starts: Iterable[tuple[Place, str]] = ((Place("", ()), "openapi"),)) -> Walk:
    """Return what the document holds; references to other files are read on the way, faults are collected.

    With `starts`, places with their types, it is only what these hold and refer to.
    """
    result = Walk()
    waiting = list(starts)
    while waiting:
        place, kind = waiting.pop()
        if place in result.kinds:
            continue
        value = document.at(place)
        fault = _fault(kind, value)
        if fault:
            result.problems.append(document.problem(place, *fault))
            continue
        result.kinds[place] = kind
        result.values[place] = value
        children = list(_children(document, result, place, kind, value))
        result.edges[place] = [child for child, _ in children]
        waiting.extend(reversed(children))
    result.problems.extend(_endless(document, result))
    return result


def _fault(kind: str, value: Any) -> tuple[str, str] | None:
    if kind == "schema" and isinstance(value, bool):
        return None
    if not isinstance(value, dict):
        return f"a {kind} must be an object, not {_noun(value)}", "write it as an object"
    if "$ref" in value and kind != "schema":
        return None
    for name in NEEDED.get(kind, ()):
        if name not in value:
            return f"a {kind} needs {name!r}", f"add {name!r}"
    if kind == "schema":
        for name, remedy in _MOVING.items():
            if name in value:
                return f"{name!r} in a schema is not supported", remedy
    return None


def _children(document: Document, result: Walk, place: Place, kind: str, value: Any) -> Iterator[tuple[Place, str]]:
    """Yield what an object holds and refers to; what stands at the wrong place becomes a problem."""
    if not isinstance(value, dict):
        return
    reference = value.get("$ref")
    if reference is not None:
        follows = kind == "path-item" or (kind == "schema" and not document.is_3_0)
        target = _target(document, result, place, reference)
        if target is not None:
            result.references[place] = target
            yield target, kind
        if not follows:
            return  # keys next to the reference are ignored
    table = CHILDREN[kind]
    for name, item in value.items():
        how, held = table.get(name) or (("", "") if name.startswith("x-") else table.get("*", ("", "")))
        child = place.child(name)
        if how == "one":
            yield child, held
        elif how == "list" and isinstance(item, list):
            yield from ((child.child(index), held) for index in range(len(item)))
        elif how == "map" and isinstance(item, dict):
            yield from ((child.child(key), held) for key in item if not (key.startswith("x-") and held != "schema"))
        elif how:
            wanted = {"list": "a list", "map": "an object"}[how]
            result.problems.append(
                document.problem(child, f"{name!r} must be {wanted}, not {_noun(item)}", f"write {wanted}")
            )


def _target(document: Document, result: Walk, place: Place, reference: Any) -> Place | None:
    here = place.child("$ref")
    if not isinstance(reference, str):
        result.problems.append(document.problem(here, "'$ref' must be text", "write the reference as text"))
        return None
    try:
        return document.target(reference, place.file)
    except UnresolvedError as error:
        result.problems.append(document.problem(here, f"{reference!r} {error.problem}", error.remedy))
    except ContractError as error:  # the other file's own fault, with its own place
        result.problems.extend(error.problems)
        if isinstance(error, UnreadableError):
            result.unreadable.append(reference)
    return None


def _endless(document: Document, result: Walk) -> Iterator[Problem]:
    """Yield each object that leads back to itself without going into a value: to follow it would never end."""
    done: set[Place] = set()
    for start in result.kinds:
        path: dict[Place, Iterator[Place]] = {start: _in_place(result, start)} if start not in done else {}
        while path:
            place, below = next(reversed(path.items()))
            child = next(below, None)
            if child is None:
                done.add(place)
                del path[place]
            elif child in path:
                yield document.problem(place, "refers to itself", "let a property or an item stand between")
            elif child not in done:
                path[child] = _in_place(result, child)


def _in_place(result: Walk, place: Place) -> Iterator[Place]:
    """Yield what an object is by reference, and what a schema applies to its own value."""
    if place in result.references:
        yield result.references[place]
    if result.kinds.get(place) == "schema":
        for child in result.edges.get(place, ()):
            if child != result.references.get(place) and child.tokens[len(place.tokens)] in IN_PLACE:
                yield child


def _noun(value: Any) -> str:
    names = {dict: "an object", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
