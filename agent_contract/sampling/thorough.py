"""Finds a value of a difficult schema: one try after the other, each avoiding what the validator refused before.

The fast sampler makes a value schema by schema, and finds none if schemas constrain each other: an enumeration through
`allOf`, `oneOf` branches that overlap, an example of the wrong type. This one combines all schemas of a value first.
When the validator refuses a value, the next try decides differently at the places of its errors.
"""

from __future__ import annotations

import json
import math
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import jsonschema_rs

from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON
from agent_contract.sampling.demands import Contradiction, Demands, bounds, demands_of, depends
from agent_contract.sampling.difficult_strings import string_meeting
from agent_contract.sampling.sample_strings import SampleStrings, described_constant
from agent_contract.sampling.sampler import SampleError, SampleSource

TRIES = 30
#: The depth to which optional properties are made; deeper, only required ones are.
_FULL_DEPTH = 4
_MOST_DEPTH = 40
#: After this many values only required properties are made.
_MANY = 1_000
#: How often an item is made again to differ from the others.
_DIFFERENT = 30

Path: TypeAlias = tuple[str | int, ...]


@dataclass(slots=True)
class _Refusals:
    """What the validator refused in earlier tries.

    `paths` are those of the refused values, `around` those of the values that contain them: no documented value is used
    there again. `turns` counts the refusals by path, which decides the branches that are chosen.
    """

    paths: set[Path] = field(default_factory=set)
    around: set[Path] = field(default_factory=set)
    turns: dict[Path, int] = field(default_factory=dict)

    def learn(self, errors: Iterable[jsonschema_rs.ValidationError]) -> None:
        """Note the errors of one value."""
        for error in errors:
            for at in dict.fromkeys((*_inner_paths(error), tuple(error.instance_path))):
                self.paths.add(at)
                self.around.update(at[:length] for length in range(len(at)))
                self.turns[at] = self.turns.get(at, 0) + 1


def _inner_paths(error: jsonschema_rs.ValidationError) -> Iterator[Path]:
    """Yield the paths of the errors of the branches of a choice."""
    for branch in getattr(error.kind, "context", ()):
        for inner in branch:
            yield from _inner_paths(inner)
            yield tuple(inner.instance_path)


@dataclass(slots=True)
class _Attempt:
    """One try to make a value."""

    source: SampleSource
    refusals: _Refusals
    array_size: int | None = None
    made: int = 0

    def value(self, places: list[Place], path: Path) -> JSON:
        """Return a value that meets the schemas at all these places, as far as can be seen without a validator."""
        if len(path) > _MOST_DEPTH:
            raise Contradiction(f"{places[0]}: the schema requires itself; let one of its parts be optional")
        self.made += 1
        self.source.spend(places[0] if places else Place("", ()))
        turn = self.refusals.turns.get(path, 0)
        demands = demands_of(places, self.source.at, self.source.follow, _chooser(turn, self.source.random))
        known = self._known(demands, path)
        if known is not None:
            return known[0]
        kinds = [kind for kind in demands.kinds() if kind != "null"] or ["null"]
        kind = kinds[turn % len(kinds)]
        if len(path) >= _FULL_DEPTH and kind in ("object", "array") and "null" in demands.kinds():
            return None
        return _MAKERS[kind](self, demands, path)

    def _known(self, demands: Demands, path: Path) -> tuple[JSON] | None:
        """Return an allowed or a documented value, in a tuple; None to make one."""
        checks = _own_check(demands)
        if demands.values is not None:
            allowed = [value for value in demands.values if checks.is_valid(value) and value not in demands.excluded]
            if not allowed:
                raise Contradiction(f"{demands.place}: no value of its enumeration meets the rest of the schema")
            turn = self.refusals.turns.get(path)
            plain = [value for value in allowed if value is not None] or allowed
            return (self.source.random.choice(plain) if turn is None else allowed[turn % len(allowed)],)
        if path in self.refusals.paths or path in self.refusals.around:
            return None
        for value in demands.known_values():
            if self.array_size is not None and isinstance(value, list):
                continue
            if value not in demands.excluded and checks.is_valid(value) and not _is_hollow(value, demands):
                return (value,)
        return None

    def object(self, demands: Demands, path: Path) -> JSON:
        """Return an object with the required properties, with optional ones above the full depth, and no more."""
        most = demands.limits.get("maxProperties", math.inf)
        value: dict[str, JSON] = {}
        named = self._names(demands)
        for name in (name for name in (*demands.declared(), *demands.required) if name in demands.required):
            if name not in value:
                value[name] = self._property(demands, name, path)
        for name in named:
            if any(
                name in group and all(one in value or one == name for one in group) for group in demands.not_together
            ):
                continue
            if len(value) < most and name not in value and self._is_wanted(demands, name, path):
                try:
                    value[name] = self._property(demands, name, path)
                except Contradiction:
                    continue
        least = int(demands.limits.get("minProperties", 0))
        if len(value) < least:
            self._fill(value, least, demands, path)
        declared = {name: index for index, name in enumerate(demands.declared())}
        return {name: value[name] for name in sorted(value, key=lambda name: declared.get(name, len(declared)))}

    def _names(self, demands: Demands) -> list[str]:
        """Return the declared properties whose names are allowed."""
        places = demands.name_places()
        names = demands.declared()
        if not places:
            return names
        checks = _own_check(demands_of(places, self.source.at, self.source.follow, lambda _: 0))
        return [name for name in names if checks.is_valid(name)]

    def _is_wanted(self, demands: Demands, name: str, path: Path) -> bool:
        """Return whether an optional property is made.

        An object that was refused is tried without them, twice, then with them, twice, and so on.
        """
        if name in demands.fixed:
            return True
        turn = self.refusals.turns.get(path, 0)
        is_full = (turn + 1) // 2 % 2 == 0 if turn else len(path) < _FULL_DEPTH
        if not is_full or self.made > _MANY or (*path, name) in self.refusals.paths or depends(demands, name):
            return False
        for part in demands.parts:
            described = (part.schema.get("properties") or {}).get(name)
            if isinstance(described, dict) and (described.get("writeOnly") or described.get("deprecated")):
                return False
        return True

    def _property(self, demands: Demands, name: str, path: Path) -> JSON:
        places = demands.property_places(name)
        if name in demands.fixed and (*path, name) not in self.refusals.paths:
            return demands.fixed[name]
        return self.value(places, (*path, name)) if places else self.source.strings.word()

    def _fill(self, value: dict[str, JSON], least: int, demands: Demands, path: Path) -> None:
        """Add properties until there are as many as required."""
        for name in self._candidates(demands, least):
            if len(value) >= least:
                return
            if name not in value:
                try:
                    value[name] = self._property(demands, name, path)
                except Contradiction:
                    continue
        raise Contradiction(f"{demands.place}: {least} properties are required, but only {len(value)} are possible")

    def _candidates(self, demands: Demands, least: int) -> Iterator[str]:
        """Yield names of further properties: declared ones, then others that the names' schemas allow."""
        yield from demands.declared()
        for pattern in demands.name_patterns():
            for _ in range(least + 2):
                yield string_meeting(self.source, "", (pattern,), ())
        places = demands.name_places()
        for index in range(least + _DIFFERENT):
            if places:
                yield str(self.value(places, ("", index)))
            else:
                yield f"{self.source.strings.word()}{index}"

    def array(self, demands: Demands, path: Path) -> JSON:
        """Return an array with one or two items above the full depth, and the least number below it."""
        least = int(demands.limits.get("minItems", 0))
        contained = [place for place, count in demands.contained() for _ in range(count)]
        heads = max((len(part.schema.get("prefixItems") or ()) for part in demands.parts), default=0)
        wanted = max(least, len(contained), heads)
        if self.array_size is not None and (len(path) < _FULL_DEPTH and self.made <= _MANY):
            wanted = max(wanted, self.array_size)
        elif wanted == 0 and len(path) < _FULL_DEPTH and self.made <= _MANY:
            wanted = 1 + self.source.random.randrange(2)
        closed = demands.closed_after()
        most = min(int(demands.limits.get("maxItems", wanted)), wanted if closed is None else closed)
        wanted = min(max(wanted, least), most)
        if wanted < max(least, len(contained)):
            raise Contradiction(f"{demands.place}: it needs more items than it may have")
        unique, items = demands.is_true("uniqueItems"), list[JSON]()
        for index in range(wanted):
            places = demands.item_places(index)
            if places is None:
                break
            try:
                items.append(
                    self._item([*places, *contained[index : index + 1]], (*path, index), items if unique else [])
                )
            except Contradiction:
                if index < max(least, len(contained)):
                    raise
                break  # an optional item
        return items

    def _item(self, places: list[Place], path: Path, others: list[JSON]) -> JSON:
        """Return an item that differs from the others."""
        for _ in range(_DIFFERENT):
            item = self.value(places, path) if places else self.source.strings.word()
            if item not in others:
                return item
            # A documented value is the same each time.
            self.refusals.paths.add(path)
        raise Contradiction(f"{places[0] if places else ''}: too few different items exist")

    def number(self, demands: Demands, _: Path) -> JSON:
        """Return a number within the limits, a multiple of all steps."""
        whole = demands.kinds()[0] == "integer" or "integer" in demands.kinds()
        low, high = bounds(demands)
        if low is not None and high is not None and low > high:
            raise Contradiction(f"{demands.place}: no number is both at least {low} and at most {high}")
        width = 1000 if whole else 1
        if low is None:
            low = 0 if high is None else min(0, high - width)
        high = low + width if high is None else high
        step = _common_multiple(demands.multiples, whole)
        chance = self.source.random
        if step:
            first, last = math.ceil(low / step), max(math.floor(high / step), math.ceil(low / step))
            value = chance.randint(first, last) * step
            value = int(value) if whole else round(value, 10)
            if value > high and "maximum" in demands.limits:
                raise Contradiction(f"{demands.place}: no multiple of {step} is between {low} and {high}")
            return value
        if whole:
            return chance.randint(math.ceil(low), max(math.ceil(low), math.floor(high)))
        return float(round(low + (high - low) * chance.uniform(0.05, 0.95), 4))

    def string(self, demands: Demands, path: Path) -> JSON:
        """Return a string that meets the patterns, formats and lengths together."""
        for part in demands.parts:
            if "contentSchema" in part.schema:
                return json.dumps(self.value([part.place.child("contentSchema")], (*path, "")))
        least, most = int(demands.limits.get("minLength", 0)), demands.limits.get("maxLength")
        name = next((step for step in reversed(path) if isinstance(step, str)), "")
        checks = _own_check(demands)
        for part in demands.parts:
            constant = described_constant(name, part.schema.get("description"))
            if constant and path not in self.refusals.paths and checks.is_valid(constant):
                return constant
        found = string_meeting(self.source, name, demands.patterns, demands.formats, least, most, checks.is_valid)
        if found in demands.excluded:
            raise Contradiction(f"{demands.place}: the only string that was found is excluded")
        return found


_MAKERS: Mapping[str, Callable[[_Attempt, Demands, Path], JSON]] = {
    "object": _Attempt.object,
    "array": _Attempt.array,
    "integer": _Attempt.number,
    "number": _Attempt.number,
    "string": _Attempt.string,
    "boolean": lambda attempt, *_: attempt.source.random.random() < 0.5,
    "null": lambda *_: None,
}

#: The keywords that a value can be checked by without other schemas.
_OWN_KEYWORDS = (
    *("type", "enum", "const", "minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"),
    *("minLength", "maxLength", "pattern", "format", "minItems", "maxItems", "uniqueItems", "required"),
    *("minProperties", "maxProperties"),
)


def _own_check(demands: Demands) -> jsonschema_rs.Validator:
    """Return the validator of what the schemas of a value require themselves, without those of its parts."""
    own = [
        kept
        for part in demands.parts
        if (kept := {key: part.schema[key] for key in _OWN_KEYWORDS if key in part.schema})
    ]
    try:
        return jsonschema_rs.Draft202012Validator({"allOf": own} if own else {}, validate_formats=True, offline=True)
    except ValueError:  # a keyword that is wrong, which the whole schema's validator reports
        return jsonschema_rs.Draft202012Validator({})


def _is_hollow(value: JSON, demands: Demands) -> bool:
    """Return whether a documented value is an empty object or array in the place of one with content."""
    return value in ({}, []) and bool(demands.declared() or demands.limits.get("minItems"))


def _common_multiple(steps: list[Any], whole: bool) -> Any:
    """Return the least number that is a multiple of all steps; 0 without steps."""
    if not steps:
        return 0
    if all(float(step).is_integer() for step in steps):
        return math.lcm(*(int(step) for step in steps))
    scale = 10 ** max(len(f"{step:.10f}".rstrip("0").partition(".")[2]) for step in steps)
    common = math.lcm(*(round(step * scale) for step in steps))
    return math.lcm(common, scale) // scale if whole else common / scale


def _chooser(turn: int, chance: random.Random) -> Callable[[int], int]:
    """Return what chooses branches: at first any, then each combination in turn."""
    rest = turn

    def choose(count: int) -> int:
        nonlocal rest
        if count < 2:
            return 0
        if turn == 0:
            return 0 if chance.random() < 0.6 else chance.randrange(count)
        chosen, rest = rest % count, rest // count
        return chosen

    return choose


def find_value(
    place: Place,
    at: Callable[[Place], JSON],
    follow: Callable[[Place], Place],
    validator: Any,
    seed: int,
    array_size: int | None = None,
) -> JSON:
    """Return a value of the schema at a place that the validator accepts, the same for the same seed.

    Arrays have `array_size` items, if that is not None and their schemas allow it.

    Raises SampleError with the reason if none is found: the contradiction in the schema, or what the validator refuses.
    """
    refusals = _Refusals()
    reason = "the validator refuses every value"
    for attempt in range(TRIES):
        chance = random.Random(seed * TRIES + attempt)
        source = SampleSource(at, follow, chance, SampleStrings(chance))
        try:
            value = _Attempt(source, refusals, array_size).value([place], ())
        except Contradiction as error:
            reason = str(error)
            refusals.turns[()] = refusals.turns.get((), 0) + 1
            continue
        except (LookupError, TypeError, ArithmeticError, RecursionError) as error:
            reason = f"{place}: {error}"
            continue
        if validator.is_valid(value):
            return value
        errors = list(validator.iter_errors(value))
        reason = f"{errors[0].message[:200]}, at /{'/'.join(map(str, errors[0].instance_path))}"
        refusals.learn(errors)
    raise SampleError(reason)
