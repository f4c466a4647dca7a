"""A mock that imitates a deployment is judged as the deployment is: a sample, on a few clauses."""

from __future__ import annotations

from dataclasses import replace

from benchmarks.detection.mutants import MUTANTS
from benchmarks.imitation import Imitated, imitated, sample, summary

NAMED = {mutant.name: mutant for mutant in MUTANTS}
CLAUSES = ("--clause", "chat.reply-usage*", "--clause", "chat.temperature-*")


def test_a_mock_of_a_deployment_gets_the_same_verdicts() -> None:
    """Two runs of `verify` in forks of this process."""
    mutant = replace(NAMED["usage-total-off-by-one"], options=CLAUSES)
    found = imitated(mutant)
    assert [id for id, word in found.server.items() if word == "failed"] == [mutant.clause]
    assert found.differing == ()


def test_the_sample_has_mutants_and_variants() -> None:
    found = sample(40)
    assert len({one.name for one in found}) == 40
    assert sum(one in MUTANTS for one in found) == 27


def test_the_summary_counts_verdicts_and_failures() -> None:
    one = Imitated("a", {"x": "failed", "y": "passed", "z": "skipped"}, {"x": "passed", "y": "passed"}, [])
    lines = list(summary([one]))
    assert lines[0].startswith("1 deployments, 2 verdicts, 50.0% the same")
    assert "1 failed clauses that the mock keeps are not listed" in lines
    assert lines[-1] == "a: 50.0%: x failed, mock passed"
