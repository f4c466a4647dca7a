"""Examples in a row: which one is played before which, within an operation and across operations."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from agent_contract.document.document import Document
from agent_contract.document.errors import Problem
from agent_contract.document.json_pointer import look_up, parse, tokens_of
from agent_contract.model.operations import Example, Operation
from agent_contract.model.runtime_expressions import REMEDY, unreadable

#: What `set` may take a value into besides the body, by the prefix of its key.
PARTS = ("path", "query", "header")


class Step(NamedTuple):
    """An example, and the operation that it is played on."""

    operation: Operation
    example: Example


def each_once(operations: Mapping[str, Operation]) -> Iterator[Step]:
    """Yield every example of the document with the first operation that has it, however many share it."""
    seen = set()
    for operation in operations.values():
        for example in operation.examples:
            if example.pointer not in seen:
                seen.add(example.pointer)
                yield Step(operation, example)


def chain(operations: Mapping[str, Operation], step: Step) -> tuple[Step, ...]:
    """Return the examples to play for one, in order, itself last; a missing or repeated one ends the chain."""
    steps = [step]
    while (before := _before(operations, steps[0])) and before not in steps:
        steps.insert(0, before)
    return tuple(steps)


def _before(operations: Mapping[str, Operation], step: Step) -> Step | None:
    """Return the example that comes before one: its operation's own of that name, else another operation's."""
    operation, name = step.operation, step.example.after
    if not name:
        return None
    for example in operation.examples:
        if example.name == name:
            return Step(operation, example)
    for other in operations.values():
        for example in other.examples:
            if name == f"{other.id}.{example.name}":
                return Step(other, example)
    return None


def check_examples(
    document: Document, operations: Mapping[str, Operation], clauses: Collection[str], problems: list[Problem]
) -> None:
    """Add to `problems` what examples name and what is not there: clauses, other examples, parameters, places."""
    for operation in operations.values():
        for example in operation.examples:
            place = parse(example.pointer).child("x-exchange")
            for index, clause in enumerate(example.shows):
                if clause not in clauses:
                    here = place.child("shows", index)
                    problems.append(document.problem(here, f"unknown clause {clause!r}", "correct its id"))
            first = chain(operations, Step(operation, example))[0]
            if example.after and (first.example is example or _before(operations, first)):
                said = f"no earlier example is called {example.after!r}"
                remedy = "name an example that ends in a first one, another operation's as operationId.name"
                problems.append(document.problem(place.child("after"), said, remedy))
            faults = (*_path_faults(operation, example), *_set_faults(operation, example))
            problems.extend(document.problem(place.child(*where), said, remedy) for where, said, remedy in faults)


_Fault = tuple[tuple[str, ...], str, str]


def _path_faults(operation: Operation, example: Example) -> Iterator[_Fault]:
    names = _path_names(operation)
    for name in example.path:
        if name not in names:
            yield ("path", name), f"the path has no {{{name}}}", f"use one of: {', '.join(names) or 'none'}"
    for name in names:
        if example.declared and name not in example.path and f"path.{name}" not in example.set:
            yield (), f"nothing fills the path's {{{name}}}", "add it to 'path', or give the parameter an example"


def _set_faults(operation: Operation, example: Example) -> Iterator[_Fault]:
    if example.set and not example.after:
        yield ("set",), "'set' takes from the exchange of an example before, and 'after' names none", "add 'after'"
    for key, text in example.set.items():
        part, _, name = key.partition(".")
        if unreadable(text):
            yield ("set", key), f"{unreadable(text)!r} is not a runtime expression", REMEDY
        if part == "path" and name not in _path_names(operation):
            yield ("set", key), f"the path has no {{{name}}}", "name one of the path's parameters"
        elif (part not in PARTS or not name) and not _leads_into(example, key):
            remedy = "write path.NAME, query.NAME, header.NAME, or a pointer to what is in the body's value already"
            yield ("set", key), f"{key!r} is not a part of the request", remedy


def _leads_into(example: Example, pointer: str) -> bool:
    """Return whether a pointer leads to a member of an object or to an item of a list in the body."""
    try:
        *parents, last = tokens_of(pointer)
        holder = look_up(example.value, parents)
    except (LookupError, ValueError):
        return False
    return isinstance(holder, dict) or (isinstance(holder, list) and last.isdigit() and int(last) < len(holder))


def _path_names(operation: Operation) -> list[str]:
    return [parameter.name for parameter in operation.parameters if parameter.place == "path"]
