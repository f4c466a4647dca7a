from __future__ import annotations

from collections import Counter

import pytest

from agent_contract import load_contract
from benchmarks.detection.conforming_variants import VARIANTS, Variant
from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.mutants import MUTANTS, Mutant

PLANTED: tuple[Mutant | Variant, ...] = (*MUTANTS, *VARIANTS)
CLAUSES = {clause.id: clause for clause in load_contract(every_version=True).clauses}


def test_every_mutant_names_a_clause_that_can_be_tested() -> None:
    names = {mutant.name: mutant.clause for mutant in MUTANTS}
    assert {name: clause for name, clause in names.items() if clause not in CLAUSES} == {}
    assert {name: clause for name, clause in names.items() if CLAUSES[clause].untestable} == {}


def test_every_clause_that_can_fail_a_run_has_its_mutant() -> None:
    """What can't be seen from outside can't be planted either."""
    testable = {clause.id for clause in CLAUSES.values() if clause.fails_a_run and not clause.untestable}
    assert testable - {mutant.clause for mutant in MUTANTS} == set()


def test_names_and_sentences_are_given_once() -> None:
    names = Counter(item.name for item in PLANTED)
    sentences = Counter(item.sentence for item in PLANTED)
    assert [text for text, times in (names + sentences).items() if times > 1] == []


def test_there_are_enough_of_both() -> None:
    assert len(MUTANTS) >= 120
    assert len(VARIANTS) >= 24


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.name)
def test_a_mutant_changes_the_deployment(mutant: Mutant) -> None:
    assert mutant.hooks != ServerHooks()
