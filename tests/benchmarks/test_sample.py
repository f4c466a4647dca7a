"""A fixed sample of the detection: the whole of it takes an hour, and `make detection` runs it."""

from __future__ import annotations

import pytest

from benchmarks.detection.conforming_variants import VARIANTS, Variant
from benchmarks.detection.judge import judged
from benchmarks.detection.mutants import MUTANTS, Mutant

KILLED = {
    "token-missing-accepted",
    "405-without-allow",
    "body-malformed-400",
    "detail-a-text",
    "temperature-above-minus-one",
    "role-any-accepted",
    "created-in-milliseconds",
    "n-ignored",
    "max-tokens-late",
    "done-missing",
    "session-not-extended",
    "emoji-traceback",
}
PLANTED: tuple[Mutant | Variant, ...] = (*MUTANTS, *VARIANTS)
CONFORMING = {"plain", "lax-coercion", "errors-in-html", "stream-byte-by-byte", "reasoning-null", "knowledge"}


@pytest.mark.parametrize("mutant", [item for item in MUTANTS if item.name in KILLED], ids=lambda item: item.name)
def test_a_mutant_is_killed_by_its_own_clause(mutant: Mutant) -> None:
    judgement = judged(mutant.hooks, options=("--clause", mutant.clause, *mutant.options))
    assert judgement.failed == (mutant.clause,), judgement.output
    assert judgement.exit_code == 1


@pytest.mark.parametrize("variant", [item for item in VARIANTS if item.name in CONFORMING], ids=lambda item: item.name)
def test_a_variant_passes_or_can_not_be_decided(variant: Variant) -> None:
    judgement = judged(variant.hooks, options=variant.options)
    assert judgement.failed == ()
    assert judgement.exit_code == (2 if variant.undecided else 0), judgement.output
    assert judgement.requests <= 300


def test_the_sample_is_planted() -> None:
    names = {item.name for item in PLANTED}
    assert (KILLED | CONFORMING) - names == set()
