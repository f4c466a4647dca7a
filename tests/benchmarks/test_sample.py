"""A fixed sample of the detection: the whole of it takes an hour, and `make detection` runs it."""

from __future__ import annotations

import pytest

from benchmarks.detection.conforming_variants import VARIANTS, Variant
from benchmarks.detection.judge import judged
from benchmarks.detection.mutants import DEFECTS, Defect

CAUGHT = {
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
PLANTED: tuple[Defect | Variant, ...] = (*DEFECTS, *VARIANTS)
NOT_ACCUSED = {"plain", "lax-coercion", "errors-in-html", "stream-byte-by-byte", "reasoning-null", "knowledge"}


@pytest.mark.parametrize("defect", [item for item in DEFECTS if item.name in CAUGHT], ids=lambda item: item.name)
def test_a_defect_is_caught_by_its_own_clause(defect: Defect) -> None:
    judgement = judged(defect.deployment, options=("--clause", defect.clause, *defect.options))
    assert judgement.failed == (defect.clause,), judgement.output
    assert judgement.exit_code == 1


@pytest.mark.parametrize("variant", [item for item in VARIANTS if item.name in NOT_ACCUSED], ids=lambda item: item.name)
def test_a_variant_is_not_accused(variant: Variant) -> None:
    judgement = judged(variant.deployment, options=variant.options)
    assert judgement.failed == ()
    assert judgement.exit_code == 0, judgement.output
    assert judgement.requests <= 300


def test_the_sample_is_planted() -> None:
    names = {item.name for item in PLANTED}
    assert (CAUGHT | NOT_ACCUSED) - names == set()
