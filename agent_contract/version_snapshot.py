"""A document as one of its API versions had it, without the parts that came later or had ended, and what uses them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from agent_contract.contract import Contract
from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError
from agent_contract.document.json_pointer import Place, parse
from agent_contract.document.object_types import METHODS
from agent_contract.document.walker import Walk
from agent_contract.messages import JSON
from agent_contract.model.operations import Example, Operation
from agent_contract.versions.schema_usage import uses
from agent_contract.versions.versions import (
    UNTIL,
    absent_parts,
    check_api_version,
    is_within,
    marks_of,
    reached,
    version_problems,
    versions_of,
)

#: Lists that mean nothing, or something else, if they are empty.
_NEEDS_ITEMS = ("allOf", "anyOf", "oneOf", "prefixItems")


@dataclass(frozen=True, slots=True)
class _AbsentParts:
    """What a version does not have: `parts` of the document, and `clauses` by their ids."""

    whole: Contract
    walk: Walk
    parts: set[Place]
    clauses: frozenset[str]

    @property
    def document(self) -> Document:
        return self.whole.schemas.document

    def has(self, place: Place) -> bool:
        return is_within(self.parts, place)

    def drop(self, place: Place) -> None:
        """Take a part out, and whatever refers to it."""
        self.parts.add(place)
        self.parts.update(one for one, target in self.walk.references.items() if target == place)


def as_of(whole: Contract, walk: Walk, version: str) -> Document:
    """Return the document of a contract as an API version had it; ContractError for a version that it doesn't know.

    It lacks the operations, parameters, schemas, replies, links, clauses and examples that came later or ended before,
    and the examples that use them or that show no other clauses. No part of it has an `x-until`. The pointers of list
    items are those of the document that is left; its lines are those of the whole document.
    """
    document = whole.schemas.document
    check_api_version(document, version)
    problems = list(version_problems(document, walk))
    if problems:
        raise ContractError(problems)
    parts = absent_parts(document, walk, version, marks_of(walk))
    known = versions_of(document)
    gone = frozenset(clause.id for clause in whole.clauses if not clause.is_in(version, known))
    left = _AbsentParts(whole, walk, parts, gone)
    here = reached(walk, parts)
    lost = reached(walk, set()) - here
    left.parts.update(_clauses(left, lost))
    for place in _components(lost, here):
        left.drop(place)
    for place in (*_required(left), *_emptied(left), *_values(left)):
        left.drop(place)
    for place in (*_examples(left), *_links(left)):
        left.drop(place)
    left.parts.update(_ends(left))
    moved: dict[Place, Place] = {}
    files = {
        name: _kept(value, Place(name, ()), Place(name, ()), left.parts, moved)
        for name, value in document.files.items()
    }
    root: Any = files[""]
    versions: list[JSON] = list(known[: known.index(version) + 1])
    root["info"] = {**root["info"], "version": version, "x-versions": versions}
    return Document(document.path, files, document.texts, moved=moved)


def _ends(left: _AbsentParts) -> Iterator[Place]:
    """Yield the marks of parts and clauses that end with this version or a later one: it does not know that yet."""
    for place, (_, until) in marks_of(left.walk).items():
        if until:
            yield place.child(UNTIL)
    for clause in left.whole.clauses:
        yield parse(clause.pointer).child("until")


def _kept(value: JSON, place: Place, here: Place, parts: set[Place], moved: dict[Place, Place]) -> JSON:
    """Return a copy of a value without some parts; the copy is at `here`, and its items that moved are added."""
    if isinstance(value, dict):
        return {
            key: _kept(item, place.child(key), here.child(key), parts, moved)
            for key, item in value.items()
            if place.child(key) not in parts
        }
    if isinstance(value, list):
        kept: list[JSON] = []
        for index, item in enumerate(value):
            before, after = place.child(index), here.child(len(kept))
            if before not in parts:
                if before != after:
                    moved[after] = before
                kept.append(_kept(item, before, after, parts, moved))
        return kept
    return value


def _components(lost: set[Place], here: set[Place]) -> Iterator[Place]:
    """Yield the components that only absent parts lead to."""
    used = {place.tokens[:3] for place in here if not place.file}
    for place in lost:
        is_component = not place.file and place.tokens[:1] == ("components",) and len(place.tokens) == 3
        if is_component and place.tokens not in used:
            yield place


def _clauses(left: _AbsentParts, lost: set[Place]) -> Iterator[Place]:
    """Yield the clauses of other versions, and those on what no part of this version leads to."""
    for clause in left.whole.clauses:
        place = parse(clause.pointer)
        if clause.id in left.clauses or place.parent.parent in lost:
            yield place


def _required(left: _AbsentParts) -> Iterator[Place]:
    """Yield the names in `required` lists whose properties are gone."""
    for place in left.walk.of_kind("schema"):
        schema: Any = left.document.at(place)
        if not isinstance(schema, dict):
            continue
        names = [name for name in schema.get("properties") or () if place.child("properties", name) in left.parts]
        for index, name in enumerate(schema.get("required") or ()):
            if name in names:
                yield place.child("required", index)


def _emptied(left: _AbsentParts) -> Iterator[Place]:
    """Yield the paths that have no operation left, and the keywords whose lists have no item left."""
    for place, kind in left.walk.kinds.items():
        value: Any = left.document.at(place)
        if not isinstance(value, dict):
            continue
        if kind == "path-item":
            operations = [place.child(method) for method in METHODS if method in value]
            if operations and all(one in left.parts for one in operations):
                yield place
        for name in _NEEDS_ITEMS if kind == "schema" else ():
            items = [place.child(name, index) for index in range(len(value.get(name) or ()))]
            if items and all(one in left.parts for one in items):
                yield place.child(name)


def _values(left: _AbsentParts) -> Iterator[Place]:
    """Yield the examples of schemas, parameters, headers and replies that use what is gone."""
    for place, kind in left.walk.kinds.items():
        value: Any = left.document.at(place)
        if not isinstance(value, dict) or kind not in ("schema", "media-type", "parameter", "header"):
            continue
        schema = place if kind == "schema" else place.child("schema")
        if kind != "schema" and "schema" not in value:
            continue
        for name, example in _written(left.document, place, value):
            if uses(left.document, left.parts, schema, example):
                yield place.child(*name)


def _written(document: Document, place: Place, value: dict[str, Any]) -> Iterator[tuple[tuple[str, ...], JSON]]:
    """Yield the values that stand as examples in an object, with the way to each."""
    if "example" in value:
        yield ("example",), value["example"]
    listed = value.get("examples")
    if isinstance(listed, list):
        yield from ((("examples", str(index)), item) for index, item in enumerate(listed))
    for name in listed if isinstance(listed, dict) else ():
        example: Any = document.at(document.follow(place.child("examples", name)))
        if isinstance(example, dict) and "value" in example:
            yield ("examples", name), example["value"]


def _examples(left: _AbsentParts) -> Iterator[Place]:
    """Yield the request examples that this version can't play, and in the others the absent clauses that they show."""
    unplayable = {
        (operation.id, example.name)
        for operation in left.whole.operations.values()
        for example in operation.examples
        if left.has(parse(operation.pointer)) or _needs_absent(left, operation, example)
    }
    for step in left.whole.examples:
        place = parse(step.example.pointer)
        if any((one.operation.id, one.example.name) in unplayable for one in left.whole.chain(step)):
            yield place
            continue
        for index, clause in enumerate(step.example.shows):
            if clause in left.clauses:
                yield place.child("x-exchange", "shows", index)


def _needs_absent(left: _AbsentParts, operation: Operation, example: Example) -> bool:
    """Return whether an example needs or shows what is gone."""
    shown = example.shows and all(clause in left.clauses for clause in example.shows)
    reply = parse(operation.pointer).child("responses", example.status)
    if shown or left.has(parse(example.pointer)) or left.has(reply):
        return True
    sent = {
        *example.set,
        *(f"query.{name}" for name, _ in example.query),
        *(f"header.{name}" for name in example.headers),
    }
    if any(f"{place}.{name}" in sent for place, name in _parameters(left, operation)):
        return True
    content = operation.request_body.content.values() if operation.request_body else ()
    return any(media.schema and uses(left.document, left.parts, media.schema, example.value) for media in content)


def _parameters(left: _AbsentParts, operation: Operation) -> Iterator[tuple[str, str]]:
    """Yield place and name of an operation's parameters that are gone."""
    place = parse(operation.pointer)
    for holder in (place.parent, place):
        value: Any = left.document.at(holder)
        for index in range(len(value.get("parameters") or ())):
            written = holder.child("parameters", index)
            if written in left.parts:
                parameter: Any = left.document.at(left.document.follow(written))
                name = str(parameter["name"])
                yield parameter["in"], name.lower() if parameter["in"] == "header" else name


def _links(left: _AbsentParts) -> Iterator[Place]:
    """Yield the links to operations that are gone or with a body that uses what is gone, and their later parameters."""
    operations = left.whole.operations
    replies = [reply for operation in operations.values() for reply in operation.responses.values()]
    for link in {link.pointer: link for reply in replies for link in reply.links}.values():
        target, place = operations[link.operation_id], parse(link.pointer)
        schemas = [media.schema for media in target.request_body.content.values()] if target.request_body else []
        body = any(schema and uses(left.document, left.parts, schema, link.request_body) for schema in schemas)
        if left.has(parse(target.pointer)) or body:
            yield place
        gone = {name for pair in _parameters(left, target) for name in (pair[1], ".".join(pair))}
        yield from (place.child("parameters", key) for key in link.parameters if key in gone)
