"""How much a JSON Schema costs to compile and to apply, known before either is done."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import jsonschema_rs

from agent_contract.document.json_pointer import look_up, tokens_of
from agent_contract.messages import JSON
from agent_contract.sampling.budget import LOOKS, PATTERN_BYTES, UNFOLDED, WorkBudget, WorkBudgetError

#: The bounds that a regular expression is tried under, the smallest first; the last one is the bound.
_SIZES = (4096, 16 * 1024, 64 * 1024, 256 * 1024, PATTERN_BYTES)
#: The keywords that apply more schemas to the same value.
_SEVERAL = ("allOf", "anyOf", "oneOf")
_ONE = ("not", "if", "then", "else")
_BY_NAME = ("dependentSchemas", "dependencies")
#: The keywords that judge again what the schemas next to them have judged; the validator triples its work for each.
_UNEVALUATED = ("unevaluatedProperties", "unevaluatedItems")
#: Bytes that the validator keeps of a regular expression while it matches; and how often it may go back.
_CACHE = 64 * 1024
_BACKTRACKS = 10_000


class PatternError(ValueError):
    """A regular expression can't be compiled within its bound; the text names it."""


@dataclass(frozen=True, slots=True)
class SchemaCost:
    """What a schema costs.

    `unfolded` counts its schemas once all references are followed, `pattern_bytes` the bytes of its compiled regular
    expressions. `kilobytes` is the most that are matched against one value.
    """

    unfolded: int
    pattern_bytes: int
    kilobytes: int

    def steps(self, values: int, characters: int) -> int:
        """Return the steps that it takes to apply the schema to a value with these numbers of values and characters."""
        return values * self.unfolded // 1_000 + characters * self.kilobytes // 40


def pattern_options(most: int = PATTERN_BYTES) -> jsonschema_rs.FancyRegexOptions:
    """Return how the validator compiles regular expressions: each to at most `most` bytes."""
    return jsonschema_rs.FancyRegexOptions(size_limit=most, dfa_size_limit=_CACHE, backtrack_limit=_BACKTRACKS)


def cost_of(root: JSON, budget: WorkBudget) -> SchemaCost:
    """Return what a schema costs, its regular expressions counted in `budget`.

    Raises BudgetError if that is more than one request may take, PatternError for a regular expression that can't be
    compiled, LookupError for a reference to nothing, and RecursionError for a schema that is nested too deep.
    """
    unfolded = _fold(root, root, {}, lambda _: 1, _all_below, UNFOLDED)
    if unfolded > UNFOLDED:
        raise WorkBudgetError(f"with its references followed it has more than {UNFOLDED} schemas")
    schemas = list(mappings(root))
    sizes: dict[str, int] = {}
    pattern_bytes = 0
    for pattern in (one for schema in schemas for one in _patterns(schema)):
        size = _size(pattern, sizes)
        budget.spend("pattern_bytes", size)
        pattern_bytes += size
    looks: dict[int, int] = {}
    if any(_fold(root, schema, looks, lambda _: 1, _same_value, LOOKS) > LOOKS for schema in schemas):
        raise WorkBudgetError(f"it would judge one value more than {LOOKS} times")
    known: dict[int, int] = {}
    heaviest = max(
        (
            _fold(root, one, known, lambda it: _weight(it, sizes), _same_value, budget.bounds.pattern_bytes)
            for one in schemas
        ),
        default=0,
    )
    return SchemaCost(unfolded, pattern_bytes, -(-heaviest // 1024))


def mappings(value: JSON) -> Iterator[Mapping[str, Any]]:
    """Yield every object in a JSON value."""
    rest = [value]
    while rest:
        one = rest.pop()
        if isinstance(one, dict):
            yield one
        rest.extend(one.values() if isinstance(one, dict) else one if isinstance(one, list) else ())


def _fold(
    root: JSON,
    schema: object,
    known: dict[int, int],
    own: Callable[[Mapping[str, Any]], int],
    below: Callable[[JSON, Mapping[str, Any]], Iterator[JSON]],
    most: int,
) -> int:
    """Return what `own` adds up to over a schema and those `below` it; a ring counts once, the sum stops at `most`."""
    if not isinstance(schema, dict):
        return 1
    if id(schema) not in known:
        known[id(schema)] = 0
        total = own(schema)
        factor = 3 if below is _same_value and any(keyword in schema for keyword in _UNEVALUATED) else 1
        for one in below(root, schema):
            total += factor * _fold(root, one, known, own, below, most)
            if total > most:
                break
        known[id(schema)] = min(total, most + 1)
    return known[id(schema)]


def _same_value(root: JSON, schema: Mapping[str, Any]) -> Iterator[JSON]:
    """Yield the schemas that judge the same value as this one does."""
    for keyword in _SEVERAL:
        several = schema.get(keyword)
        yield from several if isinstance(several, list) else ()
    for keyword in _ONE:
        if keyword in schema:
            yield schema[keyword]
    for keyword in _BY_NAME:
        named = schema.get(keyword)
        yield from named.values() if isinstance(named, dict) else ()
    yield from _referred(root, schema)


def _all_below(root: JSON, schema: Mapping[str, Any]) -> Iterator[JSON]:
    """Yield the schemas, and the mappings of schemas, that are in this one or that it refers to."""
    # Whatever the keyword: in a mapping of properties each key is a name.
    for value in schema.values():
        yield from (one for one in (value if isinstance(value, list) else [value]) if isinstance(one, dict))
    yield from _referred(root, schema)


def _referred(root: JSON, schema: Mapping[str, Any]) -> Iterator[JSON]:
    reference = schema.get("$ref")
    if isinstance(reference, str):
        try:
            yield look_up(root, tokens_of(reference.removeprefix("#")))
        except (LookupError, ValueError):
            raise LookupError(f'the $ref "{reference[:100]}" leads to nothing') from None


def _patterns(schema: Mapping[str, Any]) -> Iterator[str]:
    """Yield the regular expressions of a schema: those of its value, and those of its properties' names."""
    if isinstance(schema.get("pattern"), str):
        yield schema["pattern"]
    named = schema.get("patternProperties")
    yield from named if isinstance(named, dict) else ()


def _weight(schema: Mapping[str, Any], sizes: Mapping[str, int]) -> int:
    return sum(sizes[pattern] for pattern in _patterns(schema))


def _size(pattern: str, sizes: dict[str, int]) -> int:
    """Return the bytes that a regular expression compiles to at most; `sizes` keeps them."""
    if pattern not in sizes:
        size = next((size for size in _SIZES if _compiles(pattern, size)), None)
        if size is None:
            bound = f"that compiles to at most {PATTERN_BYTES} bytes"
            raise PatternError(f'the pattern "{pattern[:100]}" is not a regular expression {bound}')
        sizes[pattern] = size
    return sizes[pattern]


def _compiles(pattern: str, size: int) -> bool:
    try:
        jsonschema_rs.validator_for({"pattern": pattern}, pattern_options=pattern_options(size), offline=True)
    except (ValueError, jsonschema_rs.ReferencingError):
        return False
    return True
