"""What a run's findings mean for its exit code."""

from __future__ import annotations

import pytest

from agent_contract.messages import Clause
from contract_tests.verdict import (
    Exit,
    Finding,
    conclude,
    from_properties,
    graded,
    to_properties,
    worst,
    worst_first,
)


def clause(grade: str, id: str = "c", untestable: str = "") -> Clause:
    return Clause(id, "A sentence.", grade, "9.0", (), "#", untestable=untestable)


def code(word: str, grade: str = "core", *, stopped: str = "", interrupted: bool = False, **more: str) -> Exit:
    return conclude({"c": Finding(word, clause="c")}, {"c": clause(grade, **more)}, stopped, interrupted)[0]


@pytest.mark.parametrize("word", ["passed", "not supported", "warning", "skipped"])
def test_nothing_broken_is_0(word: str) -> None:
    assert code(word) == Exit.PASSED


def test_a_broken_clause_is_1() -> None:
    assert code("failed") == Exit.FAILED


def test_a_seed_clause_that_was_not_tested_is_2() -> None:
    assert code("not tested") == Exit.NO_VERDICT
    assert code("not tested", "published") == Exit.PASSED


def test_a_clause_that_nobody_can_test_counts_for_nothing() -> None:
    assert code("not tested", untestable="It is not shown.") == Exit.PASSED


def test_an_end_before_its_time_is_2_and_broken_wins_over_it() -> None:
    assert code("passed", stopped="the server is gone") == Exit.NO_VERDICT
    assert code("failed", stopped="the server is gone") == Exit.FAILED


def test_an_interruption_is_130_whatever_was_found() -> None:
    assert code("failed", interrupted=True) == Exit.INTERRUPTED


def test_a_fault_of_the_test_itself_is_2() -> None:
    findings = {"c": Finding("not tested", "the test itself failed", fault=True)}
    assert conclude(findings, {"c": clause("assumed")})[0] == Exit.NO_VERDICT


def test_the_sentence_says_why() -> None:
    findings = {id: Finding("failed", clause=id) for id in "abcde"}
    _, sentence = conclude(findings, {id: clause("core", id) for id in "abcde"})
    assert sentence == "failed: a, b, c and 2 more"


@pytest.mark.parametrize(("grade", "word"), [("core", "failed"), ("standard", "failed"), ("field", "warning")])
def test_what_breaks_a_clause_that_never_fails_a_run_only_differs(grade: str, word: str) -> None:
    assert graded(Finding("failed"), clause(grade)).word == word


def test_of_several_findings_the_worst_counts() -> None:
    findings = [Finding(word) for word in ("skipped", "passed", "not supported", "not tested", "warning", "failed")]
    assert [finding.word for finding in worst_first(findings)] == [f.word for f in reversed(findings)]
    assert worst(findings).word == "failed"
    assert worst([Finding("skipped"), Finding("passed")]).word == "passed"


def test_a_finding_survives_a_test_report() -> None:
    finding = Finding("not tested", "reason", "a", "b", "curl", "c", fault=True)
    assert from_properties([("other", 1), *to_properties(finding)]) == finding
    assert from_properties([("other", 1)]) is None
