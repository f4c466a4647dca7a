"""The bounds of the work for one request, and the account of it."""

from __future__ import annotations

import pytest

from agent_contract.sampling.budget import Kind, WorkBudget, WorkBudgetError, WorkLimits

KINDS: tuple[Kind, ...] = ("steps", "characters", "schema_characters", "pattern_bytes", "tokens")


@pytest.mark.parametrize("kind", KINDS)
def test_a_bound_may_be_reached_in_parts_and_not_exceeded(kind: Kind) -> None:
    budget = WorkBudget(WorkLimits(10, 10, 10, 10, 10))
    budget.spend(kind, 4)
    assert budget.left(kind) == 6
    with pytest.raises(WorkBudgetError, match="a bound for one request: 10 "):
        budget.spend(kind, 7)
    budget.spend(kind, 6)
    assert budget.left(kind) == 0
    assert all(budget.left(other) == 10 for other in KINDS if other != kind)
