"""For each clause that has a mutant, that clause notices it: it fails, or warns if its grade never fails a run."""

from __future__ import annotations

import pytest

from agent_contract import load_contract
from benchmarks.detection.mutants import MUTANTS
from benchmarks.detection.mutants.mutant import Mutant
from benchmarks.detection.running import running
from tests.contract_tests.support.judging import judged

FAILING = [c.id for c in load_contract().clauses if c.fails_a_run and not c.untestable]
WARNED_OF = {c.id for c in load_contract().clauses if not c.fails_a_run}
#: The first mutant of each of them.
ONE_EACH = {mutant.clause: mutant for mutant in reversed(MUTANTS) if mutant.clause in FAILING}


#: The first mutant of each clause that only warns.
WARNING = {mutant.clause: mutant for mutant in reversed(MUTANTS) if mutant.clause in WARNED_OF}


@pytest.mark.parametrize("clause", WARNING)
def test_a_mutant_is_noticed_by_the_clause_that_it_breaks_if_that_only_warns(clause: str) -> None:
    mutant = WARNING[clause]
    with running(mutant.hooks) as url:
        agent = f"agent-id={mutant.hooks.agent_id}"
        options = [option.removeprefix("--") for option in mutant.options]
        verdict = judged(url, agent, f"clause={clause}", *options, token=mutant.hooks.token or "")
    finding = verdict.findings[clause]
    assert finding.word == "warning", f"{mutant.sentence}: {finding}"


@pytest.mark.parametrize("clause", FAILING)
def test_a_mutant_is_killed_by_the_clause_that_it_breaks(clause: str) -> None:
    mutant: Mutant = ONE_EACH[clause]
    with running(mutant.hooks) as url:
        agent = f"agent-id={mutant.hooks.agent_id}"
        options = [option.removeprefix("--") for option in mutant.options]
        verdict = judged(url, agent, f"clause={clause}", *options, token=mutant.hooks.token or "")
    finding = verdict.findings[clause]
    assert finding.word == "failed", f"{mutant.sentence}: {finding}"
    assert finding.expected
    assert finding.got
    assert finding.curl.startswith(("curl ", "printf ", "head "))
