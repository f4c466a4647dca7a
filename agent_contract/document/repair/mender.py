"""Walks a document by the grammar and repairs each object by the rules of its type."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from agent_contract.document.document import Document
from agent_contract.document.errors import Problem
from agent_contract.document.json_pointer import Place, parse
from agent_contract.document.object_types import CHILDREN, PLAIN
from agent_contract.document.repair.api_rules import API_RULES, LAST_RULES
from agent_contract.document.repair.rule import DocumentPart, Repair, RepairRule, State
from agent_contract.document.repair.schema_rules import SCHEMA_RULES
from agent_contract.messages import JSON

_ROOT = Place("", ())

NOT_AN_OBJECT = RepairRule(
    *("not-an-object", "any", ()),
    "null, text or a list in the place of an object, such as `schema: null` or `get:` with nothing after it",
    "a schema accepts every value, an operation or a reply is empty, an example is that value; anything else is "
    "left out",
    "unchecked",
)
WRONG_CONTAINER = RepairRule(
    *("wrong-container", "any", ()),
    "a list in the place of a map or a map in the place of a list, null for either",
    "its items are read; without items, the field is ignored",
    "read",
)
REFERENCED_CONTAINER = RepairRule(
    *("referenced-container", "any", ()),
    "`$ref` in the place of a map or a list, such as `properties: {$ref: …}`",
    "what it leads to is put there; if that does not fit, the field is ignored",
    "read",
)
NAMED_REFERENCE = RepairRule(
    *("reference-by-name", "any", ()),
    "`$ref` by the name, the `$id` or the `$anchor` of a component",
    "it leads to that component",
    "read",
)
DANGLING_REFERENCE = RepairRule(
    *("dangling-reference", "any", ()),
    "`$ref` to what does not exist, can't be read, is remote, or is outside the document's folder",
    "a schema accepts every value; anything else is left out",
    "left out",
)
REPEATED_KEY = RepairRule(
    *("repeated-key", "any", ()),
    "a key that an object of the file has twice",
    "the last value is read",
    "read",
)
FAULTY_PART = RepairRule(
    *("faulty-part", "any", ()),
    "any other fault that prevents compiling a part",
    "the field is ignored; if that does not help, a schema accepts every value, and anything else is left out",
    "left out",
)

#: All rules, in the order of the documentation.
RULES: tuple[RepairRule, ...] = (
    *API_RULES,
    *LAST_RULES,
    *SCHEMA_RULES,
    WRONG_CONTAINER,
    REFERENCED_CONTAINER,
    NOT_AN_OBJECT,
    NAMED_REFERENCE,
    DANGLING_REFERENCE,
    REPEATED_KEY,
    FAULTY_PART,
)

#: What is put in the place of an object that is not one, by its type; other types are left out.
_INSTEAD: Mapping[str, dict[str, Any]] = {
    "schema": {},
    "operation": {"responses": {}},
    "response": {"description": ""},
    "responses": {},
    "media-type": {},
    "header": {"schema": {}},
}
#: Types of objects that only contain others by name: the specification gives them no `$ref`.
_NEVER_REFERENCES = frozenset(("responses", "paths", "components"))
#: The group of components that holds each type of object.
_GROUPS: Mapping[str, str] = {
    kind: group for group, (_, kind) in CHILDREN["components"].items() if group != "callbacks"
}


class _Waiting(NamedTuple):
    """An object that is to be visited: where it is held, and its type."""

    place: Place
    container: Any
    key: Any
    kind: str


@dataclass(slots=True)
class Mender:
    """Repairs one document in place; `repairs` is what was done, in the order of the visit."""

    document: Document
    repairs: list[Repair] = field(default_factory=list)
    state: State = field(default_factory=State)
    #: The type of each object that was visited, by its id; the objects are kept, so that the ids stay unique.
    kinds: dict[int, str] = field(default_factory=dict)
    _kept: list[Any] = field(default_factory=list)
    _last: list[tuple[_Waiting, RepairRule]] = field(default_factory=list)

    def mend(self) -> None:
        """Apply the rules to every object of the document and of the files that it refers to."""
        waiting = [_Waiting(_ROOT, self.document.files, "", "openapi")]
        while waiting:
            waiting.extend(reversed(list(self._visit(waiting.pop()))))
        for one, rule in self._last:
            value = one.container.get(one.key) if isinstance(one.container, dict) else None
            if isinstance(value, dict):
                self._apply(one, rule, value, "")
        self.state.finish()
        for file, names in (self.document.repeated or {}).items():
            found = [f"the key {name!r} is given twice" for name in dict.fromkeys(names)]
            self.repairs.extend(Repair(Place(file, ()), REPEATED_KEY, one) for one in found)

    def leave_out(self, problems: Iterable[Problem]) -> bool:
        """Leave out the parts that still can't be compiled; return whether something changed."""
        changed = False
        for problem in problems:
            changed = self._leave_out(parse(problem.pointer), problem.problem) or changed
        self.state.finish()
        return changed

    def _visit(self, one: _Waiting) -> Iterator[_Waiting]:
        """Repair an object and yield the objects in it and those that it refers to."""
        _, container, key, kind = one
        if isinstance(container, dict) and key not in container:
            return  # it was left out before its turn came
        value = container[key]
        if kind == "schema" and isinstance(value, bool):
            return
        if not isinstance(value, dict):
            value = self._object(one, value)
        if value is None or self.kinds.get(id(value)) == kind:
            return
        self.kinds[id(value)] = kind
        self._kept.append(value)
        if kind in _NEVER_REFERENCES and isinstance(value.get("$ref"), str):
            self._unfold(one, value)
        follows = kind == "path-item" or (kind == "schema" and not self.document.is_3_0)
        if ("$ref" not in value or follows) and self._apply_rules(one, value):
            return
        if "$ref" in value:
            target = self._target(one, value)
            if target is not None:
                yield target
            if "$ref" in value and not follows:
                return  # keys next to the reference are ignored
        yield from self._children(one, value)

    def _apply_rules(self, one: _Waiting, value: dict[str, Any]) -> bool:
        """Apply the rules of a type of object; return whether one of them left the object out."""
        rules = _BY_KIND.get(one.kind, {})
        for rule, name in rules.get("", ()):
            if self._apply(one, rule, value, name):
                return True
        for name in list(value):
            for rule, _ in rules.get(name, ()):
                if name in value and self._apply(one, rule, value, name):
                    return True
        self._last.extend((one, rule) for rule in LAST_RULES if rule.kind == one.kind)
        return False

    def _apply(self, one: _Waiting, rule: RepairRule, value: dict[str, Any], name: str) -> bool:
        assert rule.mend is not None
        part = DocumentPart(self.document, one.place, one.kind, value, name, self.state)
        found = rule.mend(part)
        if found is None:
            return False
        here = one.place.child(name) if name else one.place
        if part.left_out:
            self._remove(one)
        self.repairs.append(Repair(here, rule, found))
        return part.left_out

    def _object(self, one: _Waiting, value: JSON) -> dict[str, Any] | None:
        """Return what is put in the place of something that is not an object; None if it is left out."""
        reference = self._named(one, value) if isinstance(value, str) and value else None
        if reference is not None:
            instead: dict[str, Any] | None = {"$ref": str(reference)}
        elif one.kind == "example":
            instead = {"value": value}
        else:
            instead = dict(_INSTEAD[one.kind]) if one.kind in _INSTEAD else None
        if instead is None:
            self._remove(one)
        else:
            one.container[one.key] = instead
        found = f"{_noun(value)} in the place of {_a(one.kind)}"
        self.repairs.append(Repair(one.place, NOT_AN_OBJECT, found))
        return instead

    def _target(self, one: _Waiting, value: dict[str, Any]) -> _Waiting | None:
        """Return what a reference leads to; one that leads to nothing is corrected or left out."""
        reference = value["$ref"]
        place = self.state.target(self.document, reference, one.place.file)
        if place in (None, _ROOT) and isinstance(reference, str):
            place = self._named(one, reference)
            if place is not None:
                value["$ref"] = _written(place, one.place.file)
                found = f"{_short(reference)} names a component without its place"
                self.repairs.append(Repair(one.place.child("$ref"), NAMED_REFERENCE, found))
        if place is None or place == _ROOT or not self._exists(place):  # the document is no schema, nor any other part
            self._drop_reference(one, value, reference)
            return None
        if not place.tokens:
            return _Waiting(place, self.document.files, place.file, one.kind)
        holder = self.document.at(place.parent)
        key: Any = int(place.tokens[-1]) if isinstance(holder, list) else place.tokens[-1]
        return _Waiting(place, holder, key, one.kind)

    def _exists(self, place: Place) -> bool:
        """Return whether a place is still there: what a reference leads to may have been left out since."""
        try:
            self.document.at(place)
        except LookupError:
            return False
        return True

    def _drop_reference(self, one: _Waiting, value: dict[str, Any], reference: JSON) -> None:
        why = "is not text"
        if isinstance(reference, str):
            why = self.state.why.get((reference, one.place.file), "leads to a part that is left out")
        found = f"the reference {_short(reference)} {why}"
        del value["$ref"]
        if one.kind not in ("schema", "path-item", "openapi"):
            if one.kind in _INSTEAD:
                value.update(_INSTEAD[one.kind])
            else:
                self._remove(one)
        self.repairs.append(Repair(one.place.child("$ref"), DANGLING_REFERENCE, found))

    def _named(self, one: _Waiting, reference: str) -> Place | None:
        """Return the component that a reference names without its place: by its name, its `$id` or its anchor."""
        file, root = one.place.file, self.document.files[one.place.file]
        group = _GROUPS.get(one.kind)
        name = reference.rpartition("#")[2].rpartition("/")[2] or reference
        name = name.removesuffix(".json").removesuffix(".yaml").removesuffix(".yml")
        if reference == "#" and one.kind == "schema":
            return Place(file, one.place.tokens[:3]) if one.place.tokens[:1] == ("components",) else None
        is_local = "://" not in reference
        for tokens in (("components", group), ("definitions",), ("$defs",)) if group and is_local else ():
            holder: Any = root
            for token in tokens:
                holder = holder.get(token) if isinstance(holder, dict) else None
            if isinstance(holder, dict) and name in holder and isinstance(holder[name], (dict, bool)):
                return Place(file, (*tokens, name))
        if one.kind != "schema":
            return None
        if file not in self.state.anchors:
            self.state.anchors[file] = dict(_anchors(root, Place(file, ())))
        return self.state.anchors[file].get(reference.removeprefix("#") if "/" not in reference else reference)

    def _children(self, one: _Waiting, value: dict[str, Any]) -> Iterator[_Waiting]:
        """Yield the objects that an object holds; a container of the wrong type is read as the right one."""
        table = CHILDREN[one.kind]
        for name in list(value):
            how, held = table.get(name) or (("", "") if name.startswith("x-") else table.get("*", ("", "")))
            if not how:
                continue
            if how == "one":
                yield _Waiting(one.place.child(name), value, name, held)
                continue
            item = value[name]
            if not _fits(how, item):
                item = self._container(one, value, name, how, held)
            here = one.place.child(name)
            if isinstance(item, list):
                yield from (_Waiting(here.child(index), item, index, held) for index in range(len(item)))
            elif isinstance(item, dict):
                for key in list(item):
                    if held == "schema" or not key.startswith("x-"):
                        yield _Waiting(here.child(key), item, key, held)

    def _container(self, one: _Waiting, value: dict[str, Any], name: str, how: str, held: str) -> Any:
        """Return the container that is put in the place of one of the wrong type; None if the field is left out."""
        item = value[name]
        rule, found = WRONG_CONTAINER, f"'{name}' is {_noun(item)}"
        if (
            isinstance(item, dict)
            and isinstance(item.get("$ref"), str)
            and not (how == "list" and _is_item(item, held))
        ):
            rule, found = REFERENCED_CONTAINER, f"'{name}' is a $ref"
            item = self._references(item["$ref"], one.place.file)
        instead = _as_list(item) if how == "list" else _as_map(item, held)
        if instead is None:
            del value[name]
        else:
            value[name] = instead
        self.repairs.append(Repair(one.place.child(name), rule, found))
        return instead

    def _unfold(self, one: _Waiting, value: dict[str, Any]) -> None:
        """Put references to the items of what a `$ref` leads to in the place of a `$ref` that may not be there."""
        instead = _as_map(self._references(value["$ref"], one.place.file), "")
        value.clear()
        value.update(instead or {})
        self.repairs.append(Repair(one.place, REFERENCED_CONTAINER, f"{_a(one.kind)} is a $ref"))

    def _references(self, reference: str, file: str) -> Any:
        """Return a map or list of references to the items of the one that a reference leads to; None for neither."""
        place = self.state.target(self.document, reference, file)
        item = self.document.at(place) if place is not None and self._exists(place) else None
        if place is None or not isinstance(item, (dict, list)):
            return None
        if isinstance(item, dict):
            return {key: {"$ref": _written(place.child(key), file)} for key in item if key != "$ref"}
        return [{"$ref": _written(place.child(index), file)} for index in range(len(item))]

    def _remove(self, one: _Waiting) -> None:
        if isinstance(one.container, list):
            self.state.remove(one.container, one.key)
        elif one.place.tokens:  # a file itself stays
            one.container.pop(one.key, None)

    def _leave_out(self, place: Place, why: str) -> bool:
        """Leave out the field at a place, or the object around it; return whether something was left out."""
        for length in range(len(place.tokens), 0, -1):
            here = Place(place.file, place.tokens[:length])
            try:
                value, holder = self.document.at(here), self.document.at(here.parent)
            except LookupError:
                continue
            kind = self.kinds.get(id(value)) if isinstance(value, dict) else None
            if kind is None:
                outer = self.kinds.get(id(holder))
                name = here.tokens[-1]
                if outer is None or outer == "link" or name not in PLAIN[outer] or not isinstance(holder, dict):
                    continue
                del holder[name]
                self.repairs.append(Repair(here, FAULTY_PART, why))
                return True
            if kind == "schema":
                value.clear()  # type: ignore[union-attr]
            elif isinstance(holder, list):
                self.state.remove(holder, int(here.tokens[-1]))
            elif isinstance(holder, dict):
                del holder[here.tokens[-1]]
            self.repairs.append(Repair(here, FAULTY_PART, why))
            return True
        return False


def _by_kind() -> Mapping[str, Mapping[str, list[tuple[RepairRule, str]]]]:
    """Return the rules by the type of object and the field that they look at; "" for those that look at all."""
    table: dict[str, dict[str, list[tuple[RepairRule, str]]]] = {}
    for rule in (*API_RULES, *SCHEMA_RULES):
        for name in rule.fields or ("",):
            table.setdefault(rule.kind, {}).setdefault(name, []).append((rule, name))
    return table


_BY_KIND = _by_kind()


def _fits(how: str, item: Any) -> bool:
    if how == "list":
        return isinstance(item, list)
    return isinstance(item, dict) and not isinstance(item.get("$ref"), str)


def _is_item(item: dict[str, Any], held: str) -> bool:
    """Return whether a map with a `$ref` is one item: `allOf: {$ref: …}` where a list of schemas belongs."""
    return held == "schema" and "/schemas/" in str(item.get("$ref"))


def _as_list(item: Any) -> list[Any] | None:
    if isinstance(item, dict):
        inner = list(item.values())
        return inner if inner and all(isinstance(one, dict) for one in inner) and "$ref" not in item else [item]
    return list(item) if isinstance(item, list) else None


def _as_map(item: Any, held: str) -> dict[str, Any] | None:
    if isinstance(item, dict):
        return None if isinstance(item.get("$ref"), str) else dict(item)
    if isinstance(item, list) and held != "schema":
        return {str(index): one for index, one in enumerate(item)}
    if isinstance(item, list):
        named = {str(one.get("name")): one for one in item if isinstance(one, dict) and "name" in one}
        return named or None
    return None


def _written(place: Place, file: str) -> str:
    return str(Place("", place.tokens)) if place.file == file else str(place)


def _anchors(value: Any, place: Place) -> Iterator[tuple[str, Place]]:
    """Yield the names that schemas give themselves, with their places."""
    waiting = [(value, place)]
    while waiting:
        value, place = waiting.pop()
        if isinstance(value, dict):
            for keyword in ("$anchor", "$dynamicAnchor", "$id"):
                if isinstance(value.get(keyword), str):
                    yield value[keyword], place
            waiting.extend((item, place.child(key)) for key, item in value.items())
        elif isinstance(value, list):
            waiting.extend((item, place.child(index)) for index, item in enumerate(value))


def _a(kind: str) -> str:
    return f"{'an' if kind[0] in 'aeio' else 'a'} {kind}"


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}…"


def _noun(value: Any) -> str:
    names = {dict: "a map", list: "a list", str: "text", bool: "a boolean", int: "a number", float: "a number"}
    return names.get(type(value), "null")
