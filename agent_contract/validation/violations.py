"""Turns what a validator finds into violations: one for each place, in the order in which pydantic reports them.

Pydantic checks a value's type before its limits, a list's items before its length, and fields in the order of their
declaration; JSON Schema has no order and reports everything. Source: pydantic 2, measured.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Any

import jsonschema_rs

from agent_contract.document.json_pointer import Place, look_up
from agent_contract.messages import JSON, Location, Violation
from agent_contract.model.schemas import Direction, Schemas, Validator, place_of

#: Of several rules broken at one place, the first of these is the one that is reported.
_FIRST = (
    *("enum", "const", "type", "required"),
    *("multipleOf", "maximum", "exclusiveMaximum", "minimum", "exclusiveMinimum"),
    *("maxLength", "minLength", "pattern", "format", "additionalProperties"),
)
_RANK = {rule: rank for rank, rule in enumerate(_FIRST)}

#: Rules about a whole list or map: reported only when everything in it is right.
_WHOLE = frozenset(
    ("minItems", "maxItems", "uniqueItems", "contains", "minProperties", "maxProperties", "propertyNames")
)

#: Keywords that hold schemas by name or by index, and those whose schemas are of a part of the value.
_NAMED = frozenset(("properties", "patternProperties", "dependentSchemas", "$defs"))
_LISTS = frozenset(("prefixItems", "allOf", "anyOf", "oneOf"))
_BRANCHES = frozenset(("if", "then", "else", "not"))
_ENTERING = frozenset(
    (
        *("properties", "patternProperties", "additionalProperties", "unevaluatedProperties"),
        *("items", "prefixItems", "contains", "unevaluatedItems"),
    )
)
#: Sorts after every declared property.
_LAST = 1 << 30

#: A value that holds more than this is judged up to its first fault: each further one costs tens of microseconds.
_MOST_JUDGED = 2000

Key = tuple[tuple[int, str], ...]


def violations(
    schemas: Schemas, validator: Validator, value: JSON, root: Place, part: Location, direction: Direction
) -> tuple[Violation, ...]:
    """Return what `value` breaks of the schema at `root`; `part` is put before each violation's place."""
    found: dict[Location, tuple[Key, int, Violation]] = {}
    try:
        errors = list(_leaves(_errors(validator, value)))
    except ValueError:  # choices nested so deeply that their errors can't be told
        return (Violation(part, "schema", None, None, str(root)),)
    for error in errors:
        # A single error has nothing to be sorted by but the order of the properties it names.
        key = _key(schemas, error, root, value, direction) if len(errors) > 1 else ()
        for violation, last in _of_error(schemas, error, value, part, direction):
            rank = _RANK.get(violation.rule, len(_RANK))
            entry = ((*key, *last), rank, violation)
            if violation.where not in found or entry[1] < found[violation.where][1]:
                found[violation.where] = entry
    kept = [entry for where, entry in found.items() if not (entry[2].rule in _WHOLE and _holds_more(where, found))]
    return tuple(violation for _, _, violation in sorted(kept, key=lambda entry: entry[0]))


def _errors(validator: Validator, value: JSON) -> Iterable[jsonschema_rs.ValidationError]:
    """Return what is wrong with a value; of a very large one the first fault alone, since all might take minutes."""
    if not _larger_than(_MOST_JUDGED, value):
        return validator.iter_errors(value)
    try:
        validator.validate(value)
    except jsonschema_rs.ValidationError as error:
        return [error]
    return []


def _larger_than(most: int, value: JSON) -> bool:
    """Return whether a value holds more than `most` others, whatever their depth; looks at no more than it must."""
    waiting = [value]
    while waiting and most >= 0:
        item = waiting.pop()
        most -= 1
        if isinstance(item, (dict, list)):
            if len(item) > most:
                return True
            waiting.extend(item.values() if isinstance(item, dict) else item)
    return most < 0


def _holds_more(where: Location, found: Iterable[Location]) -> bool:
    return any(len(other) > len(where) and other[: len(where)] == where for other in found)


def _leaves(errors: Iterable[jsonschema_rs.ValidationError]) -> Iterator[jsonschema_rs.ValidationError]:
    """Yield errors, a failed choice replaced by what is wrong with the branch that was most likely meant."""
    for error in errors:
        branches: list[list[jsonschema_rs.ValidationError]] = getattr(error.kind, "context", [])
        if error.kind.name in ("anyOf", "oneOf") and any(branches):
            at = error.instance_path
            yield from _leaves(sorted(filter(None, branches), key=lambda branch: _unlikely(branch, at))[0])
        else:
            yield error


def _unlikely(branch: list[jsonschema_rs.ValidationError], at: list[str | int]) -> tuple[bool, bool, bool, int]:
    """Return how unlikely a branch was meant: null least, then one of another type, then one of another constant."""
    here = [error for error in branch if error.instance_path == at]
    types = [getattr(error.kind, "types", None) for error in here if error.kind.name == "type"]
    constants = any(error.kind.name in ("const", "enum") for error in branch)
    return (["null"] in types, bool(types), constants, len(branch))


def _of_error(
    schemas: Schemas, error: jsonschema_rs.ValidationError, value: JSON, part: Location, direction: Direction
) -> Iterator[tuple[Violation, Key]]:
    """Yield an error's violations, each with the end of its sort key: one for each property that is too many."""
    place, pointer = _place_and_pointer(error.absolute_keyword_location or "")
    where: Location = (*part, *error.instance_path)
    rule = place.tokens[-1] if error.kind.name != "falseSchema" else "false"
    expected: JSON = schemas.at(place, direction)
    got: Any = look_up(value, map(str, error.instance_path))  # the error's own copy has its keys sorted
    if rule == "required":
        name = str(getattr(error.kind, "property", ""))
        order = _declared(schemas, place.parent, name, direction)
        yield Violation((*where, name), rule, expected, None, pointer), ((order, name),)
    elif rule in ("additionalProperties", "unevaluatedProperties") and hasattr(error.kind, "unexpected"):
        for name in error.kind.unexpected:
            order = _LAST + list(got).index(name)
            yield Violation((*where, name), rule, expected, got[name], pointer), ((order, name),)
    else:
        yield Violation(where, rule, expected, got, pointer), ()


@lru_cache(maxsize=4096)
def _place_and_pointer(location: str) -> tuple[Place, str]:
    """Return the place of an absolute keyword location, and its pointer; the document has a limited number of them."""
    place = place_of(location)
    return place, str(place)


def _declared(schemas: Schemas, place: Place, name: str, direction: Direction) -> int:
    """Return the position of a property in the schema that declares it: this one, or one that applies it in place."""
    while True:
        position = _position(schemas.at(place, direction), name)
        above = place.parent.parent if place.tokens[-2:-1] and place.tokens[-2] in _LISTS else place.parent
        if position != _LAST or not (place.tokens[-1] in _BRANCHES or above != place.parent):
            return position
        place = above


def _position(schema: JSON, name: str) -> int:
    """Return the position of a property among those that a schema declares."""
    properties = schema.get("properties") if isinstance(schema, dict) else None
    names = list(properties) if isinstance(properties, dict) else []
    return names.index(name) if name in names else _LAST


def _key(schemas: Schemas, error: jsonschema_rs.ValidationError, root: Place, value: JSON, direction: Direction) -> Key:
    """Return a key that sorts violations by the declaration of their fields and the index of their items.

    Properties that are not declared come after those that are, in the order in which they were sent.
    """
    place, key, here = root, [], value
    steps, parts = iter(error.evaluation_path[1:-1]), iter(error.instance_path)
    for step in steps:
        if step == "$ref":
            place = schemas.document.target(str(schemas.document.at(place.child(step))), place.file)
            continue
        named = step in _NAMED or step in _LISTS
        inner = place.child(step, next(steps, 0)) if named else place.child(step)
        if step in _ENTERING and (part := next(parts, None)) is not None:
            declared = _position(schemas.at(place, direction), str(part)) if step == "properties" else _LAST
            key.append((part, "") if isinstance(part, int) else (declared + _sent(here, part, declared), part))
            here = look_up(here, (str(part),))
        place = inner
    return tuple(key)


def _sent(value: JSON, name: str, declared: int) -> int:
    """Return the position of an undeclared property among those that were sent, 0 for a declared one."""
    return list(value).index(name) if declared == _LAST and isinstance(value, dict) and name in value else 0
