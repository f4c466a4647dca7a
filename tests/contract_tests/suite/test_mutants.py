"""For each clause that can fail a run there is a deployment that breaks it, and is caught by that clause."""

from __future__ import annotations

import pytest

from agent_contract import load_contract
from benchmarks.detection.mutants import DEFECTS
from benchmarks.detection.mutants.mutant import Defect
from benchmarks.detection.running import running
from tests.contract_tests.support.judging import judged

FAILING = [c.id for c in load_contract().clauses if c.fails_a_run and not c.untestable]
#: The first defect that is planted for each of them.
ONE_EACH = {defect.clause: defect for defect in reversed(DEFECTS) if defect.clause in FAILING}


@pytest.mark.parametrize("clause", FAILING)
def test_a_deployment_that_breaks_a_clause_is_caught_by_it(clause: str) -> None:
    defect: Defect = ONE_EACH[clause]
    with running(defect.deployment) as url:
        agent = f"agent-id={defect.deployment.agent_id}"
        options = [option.removeprefix("--") for option in defect.options]
        verdict = judged(url, agent, f"clause={clause}", *options, token=defect.deployment.token or "")
    finding = verdict.findings[clause]
    assert finding.word == "failed", f"{defect.sentence}: {finding}"
    assert finding.expected
    assert finding.got
    assert finding.curl.startswith(("curl ", "printf ", "head "))
