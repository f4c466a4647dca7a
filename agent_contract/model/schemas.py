"""Compiles a document's schemas once, and reports the violations of a value.

Schemas of OpenAPI 3.0 are put into the words of JSON Schema 2020-12 first, keyword by keyword at its place, so that
every pointer still leads into the document that was written.
Source: OpenAPI 3.0.4, section 4.7.24; jsonschema-rs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import quote, unquote

import jsonschema_rs

from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError, Problem
from agent_contract.document.json_pointer import Place, look_up, tokens_of
from agent_contract.document.walker import Walk
from agent_contract.messages import JSON

Direction = Literal["request", "reply"]
Validator = jsonschema_rs.Draft202012Validator

_ROOT = "urn:contract"
#: What a direction leaves out of `required`. Source: OpenAPI 3.0.4, section 4.7.24.2; JSON Schema 2020-12, section 9.4.
_LEFT_OUT: Mapping[Direction, str] = {"request": "readOnly", "reply": "writeOnly"}


@dataclass(frozen=True, slots=True, eq=False)
class Schemas:
    """A document's schemas as they are checked: `trees` are its files in 2020-12 words, for each direction."""

    document: Document
    trees: Mapping[Direction, Mapping[str, JSON]]
    registries: Mapping[Direction, jsonschema_rs.Registry]

    def compiled(self, place: Place, direction: Direction) -> Validator:
        """Return the validator of the schema at a place; ContractError if it can't be compiled."""
        schema = {"$ref": _address(place)}
        try:
            return Validator(schema, registry=self.registries[direction], validate_formats=True, offline=True)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            path = getattr(error, "instance_path", [])
            where = Place(place.file, tuple(str(part) for part in path)) if path else place
            message = getattr(error, "message", str(error))
            raise ContractError([self._invalid(where, message)]) from None

    def at(self, place: Place, direction: Direction = "request") -> JSON:
        """Return the value at a place, schemas with the keywords of 2020-12; LookupError if it does not exist."""
        return look_up(self.trees[direction][place.file], place.tokens)

    def faults(self, walk: Walk) -> Iterator[Problem]:
        """Yield what JSON Schema's own schema finds wrong, for every schema that is not inside another one."""
        for place in walk.of_kind("schema"):
            yield from self._wrong_patterns(place)
            if self._lists_types(place):
                said = "'type' must be text in OpenAPI 3.0"
                yield self.document.problem(place.child("type"), said, "write one type, and 'nullable: true' beside it")
            if place.parent in walk.kinds and walk.kinds[place.parent] == "schema":
                continue
            if place.parent.parent in walk.kinds and walk.kinds[place.parent.parent] == "schema":
                continue
            try:
                jsonschema_rs.meta.validate(self.at(place))  # type: ignore[arg-type]
            except ValueError as error:
                where = place.child(*getattr(error, "instance_path", []))
                yield self._invalid(where, getattr(error, "message", str(error)))

    def _lists_types(self, place: Place) -> bool:
        """Return whether a schema of OpenAPI 3.0 lists types, which only later versions can."""
        schema = self.document.at(place)
        return self.document.is_3_0 and isinstance(schema, dict) and isinstance(schema.get("type"), list)

    def _wrong_patterns(self, place: Place) -> Iterator[Problem]:
        """Yield the regular expressions that can't be compiled, which JSON Schema's own schema doesn't look into."""
        schema = self.at(place)
        if not isinstance(schema, dict):
            return
        patterns: list[tuple[tuple[str, ...], JSON]] = (
            [(("pattern",), schema["pattern"])] if "pattern" in schema else []
        )
        named = schema.get("patternProperties")
        patterns.extend((("patternProperties", name), name) for name in (named if isinstance(named, dict) else ()))
        for path, pattern in patterns:
            try:
                Validator({"pattern": pattern})
            except ValueError as error:
                yield self._invalid(place.child(*path), getattr(error, "message", str(error)))

    def _invalid(self, place: Place, message: str) -> Problem:
        return self.document.problem(place, f"is not a valid schema: {message}", "correct the keyword")


def prepare(document: Document, walk: Walk) -> Schemas:
    """Return the document's schemas, ready to be compiled."""
    directions: tuple[Direction, ...] = ("request", "reply")
    texts = "".join(document.texts.values())
    differ = any(word in texts for word in _LEFT_OUT.values())
    trees: dict[Direction, Mapping[str, JSON]] = {}
    registries: dict[Direction, jsonschema_rs.Registry] = {}
    for direction in directions:
        if direction == "reply" and not differ:
            trees[direction], registries[direction] = trees["request"], registries["request"]
            continue
        trees[direction] = _translated(document, walk, direction)
        resources = [(_resource(file), tree) for file, tree in trees[direction].items()]
        registries[direction] = jsonschema_rs.Registry(resources)
    return Schemas(document, trees, registries)


def place_of(location: str) -> Place:
    """Return the place that an absolute keyword location, as jsonschema-rs gives it, stands for."""
    resource, _, fragment = location.partition("#")
    return Place(unquote(resource.removeprefix(_ROOT).removeprefix(":")), tokens_of(fragment))


def _translated(document: Document, walk: Walk, direction: Direction) -> dict[str, JSON]:
    old = document.is_3_0
    trees = {name: _copy(value) for name, value in document.files.items()}
    for place in walk.of_kind("schema"):
        schema = look_up(trees[place.file], place.tokens)
        if isinstance(schema, dict):
            if old:
                _modernize(schema)
            target = walk.references.get(place)
            if target is not None and target.file != place.file:
                schema["$ref"] = _address(target)
            _drop_required(document, schema, place, _LEFT_OUT[direction])
    return trees


def _copy(value: JSON) -> JSON:
    """Return a copy in which nothing is shared, which YAML's aliases would be."""
    if isinstance(value, dict):
        return {key: _copy(item) for key, item in value.items()}
    return [_copy(item) for item in value] if isinstance(value, list) else value


def _modernize(schema: dict[str, Any]) -> None:
    """Put one schema of OpenAPI 3.0 into the words of 2020-12, in place."""
    if "$ref" in schema:  # 3.0: keys next to a reference are ignored
        for name in [name for name in schema if name != "$ref"]:
            del schema[name]
    if schema.pop("nullable", False) is True and isinstance(schema.get("type"), str):
        schema["type"] = [schema["type"], "null"]
    for exclusive, bound in (("exclusiveMinimum", "minimum"), ("exclusiveMaximum", "maximum")):
        flag = schema.get(exclusive)
        if flag is True and bound in schema:
            schema[exclusive] = schema.pop(bound)
        elif isinstance(flag, bool):
            del schema[exclusive]
    schema.pop("examples", None)


def _address(place: Place) -> str:
    """Return the absolute address of a place, by the name under which its file is registered."""
    return _resource(place.file) + str(Place("", place.tokens))


def _resource(file: str) -> str:
    return f"{_ROOT}:{quote(file, safe='')}" if file else _ROOT


def _drop_required(document: Document, schema: dict[str, Any], place: Place, word: str) -> None:
    """Take the properties that a direction leaves out from what the schema requires."""
    required, properties = schema.get("required"), schema.get("properties")
    if isinstance(required, list) and isinstance(properties, dict):
        marked = [name for name in properties if _marked(document, place.child("properties", name), word)]
        schema["required"] = [name for name in required if name not in marked]


def _marked(document: Document, place: Place, word: str) -> bool:
    value = document.at(document.follow(place))
    return isinstance(value, dict) and value.get(word) is True
