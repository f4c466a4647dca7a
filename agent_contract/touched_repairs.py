"""Which repairs the replies of an operation depend on."""

from __future__ import annotations

from collections.abc import Iterator

from agent_contract.contract import Contract
from agent_contract.document.json_pointer import Place, parse
from agent_contract.document.walker import walk
from agent_contract.model.operations import Operation


def touching_repairs(contract: Contract, operation: Operation) -> tuple[str, ...]:
    """Return a sentence for each repair in what an operation holds and refers to, and in the document's security.

    Among them are the schemas that were found to be impossible to compile when they were used.
    """
    schemas = contract.schemas
    if not contract.repairs and not schemas.unchecked:
        return ()
    document, place = schemas.document, parse(operation.pointer)
    reached = walk(document, [(place, "operation"), *_shared(contract, place)]).kinds
    described = document.at(place)
    inherits = isinstance(described, dict) and "security" not in described
    found = [
        f"{repair.place}: {repair.sentence}"
        for repair in contract.repairs
        if any(one in reached for one in _enclosing(repair.place))
        or (inherits and repair.place == Place("", ("security",)))
    ]
    found += [f"{one}: is not checked: {why}" for one, why in schemas.unchecked.items() if one in reached]
    return tuple(found)


def _shared(contract: Contract, operation: Place) -> Iterator[tuple[Place, str]]:
    """Yield the parameters that a path has for all its operations."""
    item = contract.schemas.document.at(operation.parent)
    listed = item.get("parameters") if isinstance(item, dict) else None
    for index in range(len(listed) if isinstance(listed, list) else 0):
        yield operation.parent.child("parameters", index), "parameter"


def _enclosing(place: Place) -> Iterator[Place]:
    """Yield a place and what encloses it, from the inside."""
    for length in range(len(place.tokens), -1, -1):
        yield Place(place.file, place.tokens[:length])
