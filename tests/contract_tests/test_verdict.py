"""What a run's findings mean for its exit code."""

from __future__ import annotations

import pytest

from agent_contract.messages import Clause
from contract_tests.verdict import (
    Exit,
    Finding,
    conclude,
    from_user_properties,
    graded,
    to_user_properties,
    worst,
    worst_first,
)


def clause(grade: str, id: str = "c", untestable: str = "") -> Clause:
    return Clause(id, "A sentence.", grade, "9.0", (), "#", untestable=untestable)


def code(word: str, grade: str = "core", *, stopped: str = "", interrupted: bool = False, **more: str) -> Exit:
    return conclude({"c": Finding(word, clause="c")}, {"c": clause(grade, **more)}, stopped, interrupted).code


@pytest.mark.parametrize("word", ["passed", "not supported", "skipped"])
def test_without_a_failure_it_is_0(word: str) -> None:
    assert code(word) == Exit.PASSED


def test_a_failure_is_1() -> None:
    assert code("failed") == Exit.FAILED


@pytest.mark.parametrize("word", ["not tested", "warning"])
def test_an_undecided_core_clause_is_2(word: str) -> None:
    assert code(word) == Exit.NO_VERDICT
    assert code(word, "published") == Exit.PASSED


def test_a_clause_that_can_not_be_tested_decides_nothing() -> None:
    assert code("not tested", untestable="It is not shown.") == Exit.PASSED


def test_an_end_before_its_time_is_2_unless_a_clause_failed() -> None:
    assert code("passed", stopped="the server is gone") == Exit.NO_VERDICT
    assert code("failed", stopped="the server is gone") == Exit.FAILED


def test_an_interruption_is_130_whatever_was_found() -> None:
    assert code("failed", interrupted=True) == Exit.INTERRUPTED


def test_a_fault_of_the_test_itself_is_2() -> None:
    findings = {"c": Finding("not tested", "the test itself failed", fault=True)}
    assert conclude(findings, {"c": clause("assumed")}).code == Exit.NO_VERDICT


def test_the_sentence_contains_the_reason() -> None:
    findings = {id: Finding("failed", clause=id) for id in "abcde"}
    conclusion = conclude(findings, {id: clause("core", id) for id in "abcde"})
    assert conclusion.sentence == "failed: a, b, c and 2 more"


def test_undecided_core_clauses_are_named() -> None:
    words = {"a": "not tested", "b": "passed", "c": "warning"}
    findings = {id: Finding(word, clause=id) for id, word in words.items()}
    conclusion = conclude(findings, {id: clause("core", id) for id in "abc"})
    assert conclusion.sentence == "no verdict: core clauses not decided: a, c"
    assert conclusion.undecided == ("a", "c")


def test_a_clause_that_got_worse_fails_the_run() -> None:
    conclusion = conclude({"c": Finding("warning", clause="c")}, {"c": clause("field")}, worse=["c"])
    assert (conclusion.code, conclusion.sentence) == (Exit.FAILED, "worse than the baseline: c")


@pytest.mark.parametrize(("grade", "word"), [("core", "failed"), ("standard", "failed"), ("field", "warning")])
def test_a_failure_is_a_warning_if_the_grade_never_fails_a_run(grade: str, word: str) -> None:
    assert graded(Finding("failed"), clause(grade)).word == word


def test_of_several_findings_the_worst_counts() -> None:
    findings = [Finding(word) for word in ("skipped", "passed", "not supported", "not tested", "warning", "failed")]
    assert [finding.word for finding in worst_first(findings)] == [f.word for f in reversed(findings)]
    assert worst(findings).word == "failed"
    assert worst([Finding("skipped"), Finding("passed")]).word == "passed"


def test_a_finding_survives_a_test_report() -> None:
    finding = Finding("not tested", "reason", "a", "b", "curl", "c", fault=True)
    assert from_user_properties([("other", 1), *to_user_properties(finding)]) == finding
    assert from_user_properties([("other", 1)]) is None
