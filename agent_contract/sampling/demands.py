"""What all the schemas of one value demand together: references followed, branches chosen, limits combined.

A schema is never merged into a new one. A value has a list of schemas, its property has the list of those that speak of
the property, and so on down.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

from agent_contract.document.errors import ContractError
from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON

Lookup: TypeAlias = Callable[[Place], JSON]
#: Chooses one of several possibilities for the value: their number -> the index of one.
Chooser: TypeAlias = Callable[[int], int]

TYPES = ("object", "array", "string", "integer", "number", "boolean", "null")
#: The type that a keyword implies in a schema without `type`.
_IMPLIED: Mapping[str, str] = {
    **dict.fromkeys(
        ("properties", "required", "additionalProperties", "patternProperties", "propertyNames", "minProperties"),
        "object",
    ),
    **dict.fromkeys(("dependentRequired", "dependentSchemas", "maxProperties", "unevaluatedProperties"), "object"),
    **dict.fromkeys(("items", "prefixItems", "contains", "minItems", "maxItems", "uniqueItems"), "array"),
    **dict.fromkeys(("pattern", "minLength", "maxLength", "format", "contentSchema"), "string"),
    **dict.fromkeys(("minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"), "number"),
}
#: Limits of which the highest counts, and of which the lowest does.
_LOWER = ("minimum", "exclusiveMinimum", "minLength", "minItems", "minProperties")
_UPPER = ("maximum", "exclusiveMaximum", "maxLength", "maxItems", "maxProperties")
#: What cannot both be true: the two keywords, and the noun for messages.
_OPPOSITES = (("minLength", "maxLength"), ("minItems", "maxItems"), ("minProperties", "maxProperties"))


class Contradiction(ValueError):
    """No value meets the demands; the message is the reason."""


@dataclass(frozen=True, slots=True)
class Part:
    """One schema object that a value must meet, and its place."""

    place: Place
    schema: Mapping[str, Any]


@dataclass(slots=True)
class Demands:
    """Everything that the schemas of one value demand in place.

    `values` are the only ones allowed, None if any is. `limits` are numbers by keyword. `absent` are properties that
    must not exist, `not_together` groups of properties of which one must not exist. `fixed` are values of properties,
    which a discriminator gives.
    """

    parts: list[Part] = field(default_factory=list)
    types: list[str] | None = None
    values: list[JSON] | None = None
    limits: dict[str, Any] = field(default_factory=dict)
    multiples: list[Any] = field(default_factory=list)
    patterns: list[str] = field(default_factory=list)
    formats: list[str] = field(default_factory=list)
    required: dict[str, None] = field(default_factory=dict)
    absent: set[str] = field(default_factory=set)
    not_together: list[list[str]] = field(default_factory=list)
    excluded: list[JSON] = field(default_factory=list)
    fixed: dict[str, JSON] = field(default_factory=dict)

    @property
    def place(self) -> Place:
        """The place of the first schema, for messages."""
        return self.parts[0].place if self.parts else Place("", ())

    def kinds(self) -> list[str]:
        """Return the types that a value may have, in the order of preference; those implied if none is demanded."""
        if self.types is not None:
            return self.types
        implied = dict.fromkeys(_IMPLIED[key] for part in self.parts for key in part.schema if key in _IMPLIED)
        return list(implied) or ["string"]

    def property_places(self, name: str) -> list[Place]:
        """Return the schemas of a property; Contradiction if it is not allowed."""
        if name in self.absent:
            raise Contradiction(f"{self.place}: {name!r} must not exist")
        places: list[Place] = []
        for part in self.parts:
            mine = list(_own_property_places(part, name))
            extra = part.schema.get("additionalProperties")
            if not mine and extra is False:
                raise Contradiction(f"{part.place}: {name!r} is not allowed by additionalProperties")
            places += mine or ([part.place.child("additionalProperties")] if isinstance(extra, dict) else [])
        if not places and any(part.schema.get("unevaluatedProperties") is False for part in self.parts):
            raise Contradiction(f"{self.place}: {name!r} is not allowed by unevaluatedProperties")
        unevaluated = [part for part in self.parts if isinstance(part.schema.get("unevaluatedProperties"), dict)]
        return places or [part.place.child("unevaluatedProperties") for part in unevaluated]

    def declared(self) -> list[str]:
        """Return the names of all properties that are declared, in order."""
        named = (part.schema.get("properties") for part in self.parts)
        return list(dict.fromkeys(name for one in named if isinstance(one, dict) for name in one))

    def name_places(self) -> list[Place]:
        """Return the schemas of the names of properties."""
        return [part.place.child("propertyNames") for part in self.parts if "propertyNames" in part.schema]

    def name_patterns(self) -> list[str]:
        """Return the patterns of names whose properties are described by `patternProperties`."""
        named = (part.schema.get("patternProperties") for part in self.parts)
        return [pattern for one in named if isinstance(one, dict) for pattern in one]

    def item_places(self, index: int) -> list[Place] | None:
        """Return the schemas of the item at an index; None if there must be none."""
        places: list[Place] = []
        for part in self.parts:
            heads = part.schema.get("prefixItems")
            if isinstance(heads, list) and index < len(heads):
                places.append(part.place.child("prefixItems", index))
                continue
            rest = part.schema.get("items", part.schema.get("unevaluatedItems"))
            if rest is False:
                return None
            if "items" in part.schema and isinstance(rest, dict):
                places.append(part.place.child("items"))
        return places

    def contained(self) -> list[tuple[Place, int]]:
        """Return the schemas of `contains`, each with the number of items that must meet it."""
        return [
            (part.place.child("contains"), int(part.schema.get("minContains", 1)))
            for part in self.parts
            if "contains" in part.schema
        ]

    def closed_after(self) -> int | None:
        """Return how many items an array may have because the rest is forbidden; None if no rest is."""
        ends = [len(part.schema.get("prefixItems") or ()) for part in self.parts if part.schema.get("items") is False]
        return min(ends, default=None)

    def is_true(self, keyword: str) -> bool:
        """Return whether one of the schemas sets a keyword to true."""
        return any(part.schema.get(keyword) is True for part in self.parts)

    def known_values(self) -> Iterator[JSON]:
        """Yield the documented values: examples first, then the default."""
        for part in self.parts:
            if "example" in part.schema:
                yield part.schema["example"]
            examples = part.schema.get("examples")
            yield from examples if isinstance(examples, list) else ()
        for part in self.parts:
            if "default" in part.schema:
                yield part.schema["default"]


def demands_of(places: Sequence[Place], at: Lookup, follow: Callable[[Place], Place], choose: Chooser) -> Demands:
    """Return what these schemas demand of one value; Contradiction if no value can meet it.

    `choose` decides between the branches that remain possible.
    """
    demands = Demands()
    choices: list[tuple[Place, Mapping[str, Any], str]] = []
    seen: set[Place] = set()
    waiting = list(places)
    while waiting or choices:
        if not waiting:
            place, described, keyword = choices.pop(0)
            if keyword == "if":
                waiting.extend(_condition(place, described, choose))
            else:
                waiting.append(_branch(demands, place, described, keyword, at, follow, choose))
            continue
        place = waiting.pop(0)
        schema: Any = at(place)
        if schema is False:
            raise Contradiction(f"{place}: no value is allowed")
        if place not in seen and isinstance(schema, dict):
            _take(demands, place, schema)
            waiting.extend(_applied(demands, place, schema, follow))
            choices.extend((place, schema, key) for key in ("oneOf", "anyOf", "if") if schema.get(key))
        seen.add(place)
    _require_dependents(demands)
    _check(demands)
    return demands


def _applied(
    demands: Demands, place: Place, schema: Mapping[str, Any], follow: Callable[[Place], Place]
) -> Iterator[Place]:
    """Yield the schemas that apply to the same value in any case."""
    if isinstance(schema.get("$ref"), str):
        yield _followed(follow, place)
    for index in range(len(schema.get("allOf") or ())):
        yield place.child("allOf", index)
    dependent = schema.get("dependentSchemas")
    for name in dependent if isinstance(dependent, dict) else ():
        if name in demands.required:
            yield place.child("dependentSchemas", name)


def _followed(follow: Callable[[Place], Place], place: Place) -> Place:
    try:
        return follow(place)
    except (ContractError, LookupError) as error:
        raise Contradiction(f"{place}: {error}") from None


def _condition(place: Place, schema: Mapping[str, Any], choose: Chooser) -> list[Place]:
    """Return the schemas of one outcome of `if`: met, with `then`; or not met, with `else`."""
    met = [place.child("if"), *([place.child("then")] if "then" in schema else [])]
    unmet = [place.child("else")] if "else" in schema else []
    return (met, unmet)[choose(2)]


def _branch(
    demands: Demands,
    place: Place,
    schema: Mapping[str, Any],
    keyword: str,
    at: Lookup,
    follow: Callable[[Place], Place],
    choose: Chooser,
) -> Place:
    """Return one branch of a choice that agrees with what is demanded so far."""
    branches = [place.child(keyword, index) for index in range(len(schema[keyword]))]
    glances = [_glance(branch, at, follow) for branch in branches]
    possible = [index for index, glance in enumerate(glances) if _may_agree(demands, glance)]
    if not possible:
        raise Contradiction(f"{place.child(keyword)}: no branch agrees with the rest of the schema")
    plain = [index for index in possible if glances[index].get("type") != "null"]
    ordered = plain + [index for index in possible if index not in plain]
    index = ordered[choose(len(ordered))]
    _pin(demands, schema, branches[index], at)
    return branches[index]


def _glance(place: Place, at: Lookup, follow: Callable[[Place], Place]) -> Mapping[str, Any]:
    """Return the schema at a place, a reference without other keys followed; empty for one that is not an object."""
    schema: Any = at(place)
    if isinstance(schema, dict) and isinstance(schema.get("$ref"), str):
        schema = at(_followed(follow, place))
    return schema if isinstance(schema, dict) else {"type": []} if schema is False else {}


def _may_agree(demands: Demands, schema: Mapping[str, Any]) -> bool:
    """Return whether a branch doesn't obviously contradict what is demanded: by type, or by a constant property."""
    types = _types(schema)
    if demands.types is not None and types is not None and not _common(demands.types, types):
        return False
    own = schema.get("properties")
    for name, described in own.items() if isinstance(own, dict) else ():
        mine = _allowed(described) if isinstance(described, dict) else None
        for part in demands.parts if mine is not None else ():
            theirs = (part.schema.get("properties") or {}).get(name)
            other = _allowed(theirs) if isinstance(theirs, dict) else None
            if other is not None and mine is not None and not any(value in other for value in mine):
                return False
    return True


def _pin(demands: Demands, schema: Mapping[str, Any], branch: Place, at: Lookup) -> None:
    """Note the value of a discriminator's property for a branch. Source: OpenAPI 3.1.1, section 4.8.25."""
    discriminator = schema.get("discriminator")
    name = discriminator.get("propertyName") if isinstance(discriminator, dict) else None
    target = at(branch)
    reference = target.get("$ref") if isinstance(target, dict) else None
    if isinstance(name, str) and isinstance(discriminator, dict) and isinstance(reference, str):
        mapping = discriminator.get("mapping")
        last = reference.rpartition("/")[2]
        keys = [key for key, to in mapping.items() if to in (reference, last)] if isinstance(mapping, dict) else []
        demands.fixed[name] = keys[0] if keys else last


def _take(demands: Demands, place: Place, schema: Mapping[str, Any]) -> None:
    """Add one schema's own keywords to the demands."""
    demands.parts.append(Part(place, schema))
    types = _types(schema)
    if types is not None:
        demands.types = types if demands.types is None else _common(demands.types, types)
        if not demands.types:
            raise Contradiction(f"{place}: its types exclude each other")
    allowed = _allowed(schema)
    if allowed is not None:
        demands.values = (
            allowed if demands.values is None else [value for value in demands.values if _in(value, allowed)]
        )
        if not demands.values:
            raise Contradiction(f"{place}: its enumerations have no common value")
    _limit(demands, schema)
    if _is_number(schema.get("multipleOf")) and schema["multipleOf"] > 0:
        demands.multiples.append(schema["multipleOf"])
    for keyword, found in (("pattern", demands.patterns), ("format", demands.formats)):
        if isinstance(schema.get(keyword), str) and schema[keyword] not in found:
            found.append(schema[keyword])
    required = schema.get("required")
    for name in required if isinstance(required, list) else ():
        demands.required[str(name)] = None
    _exclude(demands, schema.get("not"))


def _limit(demands: Demands, schema: Mapping[str, Any]) -> None:
    for keywords, better in ((_LOWER, max), (_UPPER, min)):
        for keyword in keywords:
            if _is_number(schema.get(keyword)):
                known = demands.limits.get(keyword, schema[keyword])
                demands.limits[keyword] = better(known, schema[keyword])


def _exclude(demands: Demands, schema: Any) -> None:
    """Add what a `not` forbids, for the forms that can be avoided while a value is made."""
    if not isinstance(schema, dict):
        return
    if set(schema) == {"required"} and len(schema["required"]) == 1:
        demands.absent.add(schema["required"][0])
    elif set(schema) == {"required"}:
        demands.not_together.append(schema["required"])
    elif set(schema) == {"anyOf"}:
        for one in schema["anyOf"]:
            _exclude(demands, one)
    elif (allowed := _allowed(schema)) is not None:
        demands.excluded.extend(allowed)
    elif (types := _types(schema)) is not None and set(schema) == {"type"}:
        rest = [kind for kind in demands.types or TYPES if kind not in types]
        demands.types = rest


def _require_dependents(demands: Demands) -> None:
    """Add what the required properties require in turn."""
    waiting = list(demands.required)
    while waiting:
        name = waiting.pop()
        for part in demands.parts:
            dependent = part.schema.get("dependentRequired")
            for other in (dependent.get(name) or ()) if isinstance(dependent, dict) else ():
                if other not in demands.required:
                    demands.required[other] = None
                    waiting.append(other)


def depends(demands: Demands, name: str) -> bool:
    """Return whether the presence of a property demands something else."""
    for part in demands.parts:
        for keyword in ("dependentRequired", "dependentSchemas"):
            if name in (part.schema.get(keyword) or ()):
                return True
    return False


def _check(demands: Demands) -> None:
    """Raise Contradiction for limits that exclude each other."""
    limits, kinds = demands.limits, demands.types or []
    if set(kinds) and set(kinds) <= {"integer", "number"}:
        low, high = bounds(demands)
        if low is not None and high is not None and low > high:
            raise Contradiction(f"{demands.place}: no number is both at least {low} and at most {high}")
    for least, most in _OPPOSITES:
        applies = len(kinds) == 1 and {"minLength": "string", "minItems": "array"}.get(least, "object") == kinds[0]
        if applies and limits.get(least, 0) > limits.get(most, math.inf):
            raise Contradiction(f"{demands.place}: {least} {limits[least]} is above {most} {limits[most]}")


def bounds(demands: Demands) -> tuple[Any, Any]:
    """Return the least and the greatest number, exclusive bounds moved by one for integers; None for none."""
    limits, whole = demands.limits, demands.kinds() == ["integer"]
    low, high = limits.get("minimum"), limits.get("maximum")
    if whole:
        low, high = (None if low is None else math.ceil(low)), (None if high is None else math.floor(high))
    above, below = limits.get("exclusiveMinimum"), limits.get("exclusiveMaximum")
    if above is not None:
        above = math.floor(above) + 1 if whole else above
        low = above if low is None else max(low, above)
    if below is not None:
        below = math.ceil(below) - 1 if whole else below
        high = below if high is None else min(high, below)
    return low, high


def _own_property_places(part: Part, name: str) -> Iterator[Place]:
    """Yield the schemas by which one schema describes a property by its name."""
    properties, patterns = part.schema.get("properties"), part.schema.get("patternProperties")
    if isinstance(properties, dict) and name in properties:
        yield part.place.child("properties", name)
    for pattern in patterns if isinstance(patterns, dict) else ():
        if _searches(pattern, name):
            yield part.place.child("patternProperties", pattern)


def _searches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return False


def _types(schema: Mapping[str, Any]) -> list[str] | None:
    written = schema.get("type")
    if isinstance(written, str):
        return [written]
    return [str(kind) for kind in written] if isinstance(written, list) else None


def _common(ours: list[str], theirs: list[str]) -> list[str]:
    """Return the types in both lists; an integer is a number too."""
    found = [kind for kind in ours if kind in theirs or (kind == "integer" and "number" in theirs)]
    return found + [kind for kind in theirs if kind == "integer" and "number" in ours and kind not in found]


def _allowed(schema: Mapping[str, Any]) -> list[JSON] | None:
    if "const" in schema:
        return [schema["const"]]
    listed = schema.get("enum")
    return listed if isinstance(listed, list) else None


def _in(value: JSON, values: Sequence[JSON]) -> bool:
    """Return whether a value is listed; true is not 1, as in JSON."""
    return any(value == other and isinstance(value, bool) == isinstance(other, bool) for other in values)


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)
