"""What a schema costs is counted before it is compiled, and the bounds are exact."""

from __future__ import annotations

from typing import Any

import pytest

from agent_contract.sampling.budget import LOOKS, PATTERN_BYTES, UNFOLDED, WorkBudget, WorkBudgetError, WorkLimits
from agent_contract.sampling.schema_cost import PatternError, SchemaCost, cost_of

#: The smallest bound that a regular expression is tried under.
SMALL = 4096


def cost(schema: Any) -> SchemaCost:
    return cost_of(schema, WorkBudget())


def named(count: int) -> dict[str, Any]:
    return {f"n{number}": {} for number in range(count)}


@pytest.mark.parametrize(
    ("schema", "unfolded", "patterns", "kilobytes"),
    [
        ({}, 1, 0, 0),
        (True, 1, 0, 0),
        ({"type": "object", "properties": {"a": {}, "b": {}}}, 4, 0, 0),
        ({"$defs": {"a": {"items": {}}}, "allOf": [{"$ref": "#/$defs/a"}, {"$ref": "#/$defs/a"}]}, 10, 0, 0),
        ({"$defs": {"a": {"items": {"$ref": "#/$defs/a"}}}}, 4, 0, 0),
        ({"pattern": "a"}, 1, 1, 4),
        ({"properties": {"a": {"pattern": "a"}, "b": {"pattern": "b"}}}, 4, 2, 4),
        ({"allOf": [{"pattern": "a"}, {"pattern": "b"}, {"pattern": "a"}]}, 4, 3, 12),
        ({"patternProperties": {"a": {}, "b": {}}}, 4, 2, 8),
        ({"dependentSchemas": {"x": {"pattern": "a"}}, "not": {"pattern": "b"}}, 4, 2, 8),
    ],
)
def test_references_are_counted_where_they_lead_and_expressions_where_they_meet_one_value(
    schema: Any, unfolded: int, patterns: int, kilobytes: int
) -> None:
    assert cost(schema) == SchemaCost(unfolded, patterns * SMALL, kilobytes)


@pytest.mark.parametrize(
    ("fits", "exceeds", "bound"),
    [
        ({"$defs": named(UNFOLDED - 2)}, {"$defs": named(UNFOLDED - 1)}, f"{UNFOLDED} schemas"),
        ({"allOf": [{}] * (LOOKS - 1)}, {"allOf": [{}] * LOOKS}, f"{LOOKS} times"),
        ({"allOf": [True] * (LOOKS - 1)}, {"allOf": [True] * LOOKS}, f"{LOOKS} times"),
        ({"dependentSchemas": named(LOOKS - 1)}, {"dependentSchemas": named(LOOKS)}, f"{LOOKS} times"),
        ({"properties": named(LOOKS)}, {"properties": {"a": {"anyOf": [{}] * LOOKS}}}, f"{LOOKS} times"),
        (
            {"unevaluatedProperties": False, "allOf": [{}] * ((LOOKS - 1) // 3)},
            {"unevaluatedProperties": False, "allOf": [{}] * ((LOOKS - 1) // 3 + 1)},
            f"{LOOKS} times",
        ),
    ],
    ids=["unfolded", "allOf", "booleans", "dependentSchemas", "properties", "unevaluated"],
)
def test_a_schema_may_reach_a_bound_and_not_exceed_it(fits: Any, exceeds: Any, bound: str) -> None:
    assert cost(fits).pattern_bytes == 0
    with pytest.raises(WorkBudgetError, match=bound):
        cost(exceeds)


def test_the_regular_expressions_of_all_schemas_of_a_request_count_together() -> None:
    budget = WorkBudget(WorkLimits(pattern_bytes=2 * SMALL))
    cost_of({"pattern": "a"}, budget)
    assert budget.left("pattern_bytes") == SMALL
    with pytest.raises(WorkBudgetError, match="compiled regular expressions"):
        cost_of({"patternProperties": {"a": {}, "b": {}}}, budget)


@pytest.mark.parametrize("pattern", ["(" + "x" * 300, "(a{1000}){1000}" + "x" * 300])
def test_an_expression_that_can_not_be_compiled_is_shown_with_its_first_characters(pattern: str) -> None:
    with pytest.raises(PatternError) as caught:
        cost({"pattern": pattern})
    assert str(caught.value) == (
        f'the pattern "{pattern[:100]}" is not a regular expression that compiles to at most {PATTERN_BYTES} bytes'
    )


def test_a_reference_to_nothing_is_shown_with_its_first_characters() -> None:
    reference = "#/$defs/" + "x" * 300
    with pytest.raises(LookupError) as caught:
        cost({"$ref": reference})
    assert caught.value.args == (f'the $ref "{reference[:100]}" leads to nothing',)


@pytest.mark.parametrize(
    ("values", "characters", "steps"), [(0, 0, 0), (1, 0, 2), (7, 0, 17), (1, 3, 2), (1, 4, 3), (7, 83, 37)]
)
def test_the_steps_to_apply_a_schema_grow_with_its_cost_and_with_the_value(
    values: int, characters: int, steps: int
) -> None:
    assert SchemaCost(2_500, 0, 10).steps(values, characters) == steps
