"""Compiles a document's schemas once, and reports the violations of a value.

Schemas of OpenAPI 3.0 are put into the words of JSON Schema 2020-12 first, keyword by keyword at its place, so that
every pointer still leads into the document that was written.
Source: OpenAPI 3.0.4, section 4.7.24; jsonschema-rs.
"""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Literal, Protocol
from urllib.parse import quote, unquote

import jsonschema_rs

from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError, Problem
from agent_contract.document.json_pointer import Place, look_up, tokens_of
from agent_contract.document.object_types import CHILDREN
from agent_contract.document.walker import Walk
from agent_contract.messages import JSON

Direction = Literal["request", "reply"]
_Compiled = jsonschema_rs.Draft202012Validator

_ROOT = "urn:contract"
#: What a direction leaves out of `required`. Source: OpenAPI 3.0.4, section 4.7.24.2; JSON Schema 2020-12, section 9.4.
_LEFT_OUT: Mapping[Direction, str] = {"request": "readOnly", "reply": "writeOnly"}
#: Keywords without an effect on validation, which often take more memory than all others.
_COMMENTS = frozenset(
    ("title", "description", "example", "examples", "externalDocs", "xml", "discriminator", "deprecated", "default")
)
#: How many seconds the compiled validators that are kept took to compile. A validator holds all that it refers to, so
#: one of a large document takes up to 17 ms and 3 MB; its memory is proportional to its time (200 to 750 MB/s).
_KEPT_SECONDS = 0.1
#: How many are kept however long they took: a request needs several.
_KEPT_AT_LEAST = 4


class Validator(Protocol):
    """A compiled schema, or one that is compiled when it is used."""

    def is_valid(self, instance: Any) -> bool:
        """Return whether a value is valid."""

    def validate(self, instance: Any) -> None:
        """Raise `jsonschema_rs.ValidationError` for the first thing that is wrong with a value."""

    def iter_errors(self, instance: Any) -> Iterator[jsonschema_rs.ValidationError]:
        """Return all that is wrong with a value."""


@dataclass(frozen=True, slots=True, eq=False)
class LazyValidator:
    """A schema that is compiled when it is used, and again after others have been used for long."""

    schemas: Schemas
    place: Place
    direction: Direction

    def is_valid(self, instance: Any) -> bool:
        """Return whether a value is valid."""
        return self.schemas.compiled(self.place, self.direction).is_valid(instance)

    def validate(self, instance: Any) -> None:
        """Raise `jsonschema_rs.ValidationError` for the first thing that is wrong with a value."""
        self.schemas.compiled(self.place, self.direction).validate(instance)

    def iter_errors(self, instance: Any) -> Iterator[jsonschema_rs.ValidationError]:
        """Return all that is wrong with a value."""
        return self.schemas.compiled(self.place, self.direction).iter_errors(instance)


@dataclass(slots=True)
class _Cache:
    """The validators that were used last, and how long each took to compile."""

    kept: OrderedDict[tuple[Place, Direction], tuple[_Compiled, float]] = field(default_factory=OrderedDict)
    seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def get(self, key: tuple[Place, Direction]) -> _Compiled | None:
        """Return a validator that is kept, and remember its use."""
        with self.lock:
            if key not in self.kept:
                return None
            self.kept.move_to_end(key)
            return self.kept[key][0]

    def keep(self, key: tuple[Place, Direction], compiled: _Compiled, seconds: float) -> None:
        """Keep a validator instead of those that were used longest ago."""
        with self.lock:
            self.kept[key] = compiled, seconds
            self.seconds += seconds
            while self.seconds > _KEPT_SECONDS and len(self.kept) > _KEPT_AT_LEAST:
                _, (_, freed) = self.kept.popitem(last=False)
                self.seconds -= freed


@dataclass(frozen=True, slots=True, eq=False)
class Schemas:
    """A document's schemas as they are checked: `trees` are its files in 2020-12 words, for each direction.

    With `lazy`, a schema is compiled when it is used. One that can't be compiled then accepts every value, and
    `unchecked` has the reason by its place.
    """

    document: Document
    trees: Mapping[Direction, Mapping[str, JSON]]
    lazy: bool = False
    unchecked: dict[Place, str] = field(default_factory=dict)
    _registries: dict[Direction, jsonschema_rs.Registry] = field(default_factory=dict, repr=False)
    _cache: _Cache = field(default_factory=_Cache, repr=False)

    def validator(self, place: Place, direction: Direction) -> Validator:
        """Return the validator of the schema at a place; ContractError if it is compiled now and can't be."""
        return LazyValidator(self, place, direction) if self.lazy else self._compile(place, direction)

    def compiled(self, place: Place, direction: Direction) -> Validator:
        """Return the compiled schema of a place; ContractError if it can't be compiled."""
        if not self.lazy:
            return self._compile(place, direction)
        key = (place, direction)
        known = self._cache.get(key)
        if known is None:
            start = time.perf_counter()
            try:
                known = self._compile(place, direction)
            except ContractError as error:
                self.unchecked[place] = error.problem
                known = _Compiled(True)
            self._cache.keep(key, known, time.perf_counter() - start)
        return known

    def _compile(self, place: Place, direction: Direction) -> _Compiled:
        schema = {"$ref": _address(place)}
        try:
            return _Compiled(schema, registry=self._registry(direction), validate_formats=True, offline=True)
        except (ValueError, jsonschema_rs.ReferencingError) as error:
            path = getattr(error, "instance_path", [])
            where = Place(place.file, tuple(str(part) for part in path)) if path else place
            message = getattr(error, "message", str(error))
            raise ContractError([self._invalid(where, message)]) from None

    def _registry(self, direction: Direction) -> jsonschema_rs.Registry:
        """Return the document as the validator's library holds it."""
        if direction == "reply" and self.trees["reply"] is self.trees["request"]:
            direction = "request"
        if direction not in self._registries:
            trees = self.trees[direction]
            resources = [(_resource(file), _pruned(tree) if self.lazy else tree) for file, tree in trees.items()]
            self._registries[direction] = jsonschema_rs.Registry(resources)
        return self._registries[direction]

    def at(self, place: Place, direction: Direction = "request") -> JSON:
        """Return the value at a place, schemas with the keywords of 2020-12; LookupError if it does not exist."""
        return look_up(self.trees[direction][place.file], place.tokens)

    def faults(self, walk: Walk) -> Iterator[Problem]:
        """Yield what JSON Schema's own schema finds wrong, for every schema that is not inside another one."""
        for place in walk.of_kind("schema"):
            yield from self._wrong_patterns(walk, place)
            if self._lists_types(walk, place):
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

    def _lists_types(self, walk: Walk, place: Place) -> bool:
        """Return whether a schema of OpenAPI 3.0 lists types, which only later versions can."""
        schema = walk.values[place]
        return self.document.is_3_0 and isinstance(schema, dict) and isinstance(schema.get("type"), list)

    def _wrong_patterns(self, walk: Walk, place: Place) -> Iterator[Problem]:
        """Yield the regular expressions that can't be compiled, which JSON Schema's own schema doesn't look into."""
        schema = walk.values[place]
        if not isinstance(schema, dict) or not ("pattern" in schema or "patternProperties" in schema):
            return
        if self.document.is_3_0 and "$ref" in schema:
            return
        patterns: list[tuple[tuple[str, ...], JSON]] = (
            [(("pattern",), schema["pattern"])] if "pattern" in schema else []
        )
        named = schema.get("patternProperties")
        patterns.extend((("patternProperties", name), name) for name in (named if isinstance(named, dict) else ()))
        for path, pattern in patterns:
            message = _pattern_fault(pattern) if isinstance(pattern, str) else ""
            if message:
                yield self._invalid(place.child(*path), message)

    def _invalid(self, place: Place, message: str) -> Problem:
        return self.document.problem(place, f"is not a valid schema: {message}", "correct the keyword")


def prepare(document: Document, walk: Walk, *, lazy: bool = False) -> Schemas:
    """Return the document's schemas, ready to be compiled; with `lazy`, each when it is used."""
    texts = "".join(document.texts.values())
    differ = any(word in texts for word in _LEFT_OUT.values())
    request = _translated(document, walk, "request" if differ else None)
    reply = _translated(document, walk, "reply") if differ else request
    return Schemas(document, {"request": request, "reply": reply}, lazy)


@lru_cache(maxsize=4096)
def _pattern_fault(pattern: str) -> str:
    """Return why a regular expression can't be compiled, "" if it can."""
    try:
        _Compiled({"pattern": pattern})
    except ValueError as error:
        return str(getattr(error, "message", error))
    return ""


def place_of(location: str) -> Place:
    """Return the place that an absolute keyword location, as jsonschema-rs gives it, stands for."""
    resource, _, fragment = location.partition("#")
    return Place(unquote(resource.removeprefix(_ROOT).removeprefix(":")), tokens_of(fragment))


def _translated(document: Document, walk: Walk, direction: Direction | None) -> dict[str, JSON]:
    """Return the files with schemas in the words of 2020-12; what does not change is shared with the document."""
    trees = _Trees(dict(document.files))
    for place in walk.of_kind("schema"):
        schema = walk.values[place]
        if isinstance(schema, dict):
            target = walk.references.get(place)
            read = _read(document, schema, place, target, direction)
            if read is not None:
                trees.put(place, read)
    return trees.files


def _read(
    document: Document, schema: dict[str, Any], place: Place, target: Place | None, direction: Direction | None
) -> dict[str, Any] | None:
    """Return the keywords of a schema that differ from those that are written; None if none does."""
    changed: dict[str, Any] = {}
    if document.is_3_0:
        modern = dict(schema)
        _modernize(modern)
        if modern != schema:
            changed = modern
    if target is not None:
        reference = _address(target) if target.file != place.file else str(Place("", target.tokens))
        if reference != schema["$ref"]:
            changed = changed or dict(schema)
            changed["$ref"] = reference
    if direction is not None and "required" in schema and "properties" in schema:
        required = (changed or schema).get("required")
        kept = _without_marked(document, schema, place, required, _LEFT_OUT[direction])
        if kept != required:
            changed = changed or dict(schema)
            changed["required"] = kept
    return changed or None


@dataclass(slots=True)
class _Trees:
    """Files of which only what changes is copied, with all that holds it."""

    files: dict[str, JSON]
    _own: dict[int, Any] = field(default_factory=dict)

    def put(self, place: Place, keywords: dict[str, Any]) -> None:
        """Give the schema at a place these keywords; its values that were replaced before keep their replacements."""
        holder: Any = self.files
        for token in (place.file, *place.tokens):
            key: Any = int(token) if isinstance(holder, list) else token
            value = holder[key]
            if id(value) not in self._own:
                value = holder[key] = list(value) if isinstance(value, list) else dict(value)
                self._own[id(value)] = value
            holder = value
        for key in [key for key in holder if key not in keywords]:
            del holder[key]
        for key, value in keywords.items():
            if key not in holder or not isinstance(value, (dict, list)) or key in ("required", "type"):
                holder[key] = value


def _pruned(tree: JSON) -> JSON:
    """Return a file without the comments in it; what is at its top may be a definition of any name."""
    return {key: _without_comments(item) for key, item in tree.items()} if isinstance(tree, dict) else tree


def _without_comments(value: JSON) -> JSON:
    """Return a value without the keywords that check nothing; where names are the keys, all are kept."""
    if isinstance(value, list):
        return [_without_comments(item) for item in value]
    if not isinstance(value, dict):
        return value
    return {
        key: {name: _without_comments(below) for name, below in item.items()}
        if key in _NAMED and isinstance(item, dict)
        else item
        if key in ("enum", "const")
        else _without_comments(item)
        for key, item in value.items()
        if key not in _COMMENTS and not key.startswith("x-")
    }


#: Fields that hold objects by name: there, a key such as `description` is a name.
_NAMED = frozenset(name for table in CHILDREN.values() for name, (how, _) in table.items() if how == "map") | {
    *("paths", "responses", "dependentRequired"),
}


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


def _without_marked(document: Document, schema: dict[str, Any], place: Place, required: Any, word: str) -> Any:
    """Return what a schema requires without the properties that a direction leaves out."""
    properties = schema["properties"]
    if not isinstance(required, list) or not isinstance(properties, dict):
        return required
    known = [name for name in required if isinstance(name, str) and name in properties]
    marked = {name for name in known if _marked(document, place.child("properties", name), word)}
    return [name for name in required if not (isinstance(name, str) and name in marked)]


def _marked(document: Document, place: Place, word: str) -> bool:
    value = document.at(document.follow(place))
    return isinstance(value, dict) and value.get(word) is True
