"""What has changed between two runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract_tests.report.comparison import compare_reports, lines
from contract_tests.verdict import WAIVED
from tests.contract_tests.report.support.samples import clause, report


def change(before: str, after: str) -> str:
    """Return what became of a clause with these words; an empty word for a clause that is not there."""
    old = report(*([clause("a.b", before)] if before else []))
    new = report(*([clause("a.b", after)] if after else []))
    changes = compare_reports(old, new).changes
    return changes[0].change if changes else ""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("passed", "failed", "worse"),
        ("passed", WAIVED, "worse"),
        ("passed", "warning", "worse"),
        ("passed", "not supported", "worse"),
        ("failed", "passed", "better"),
        (WAIVED, "passed", "better"),
        ("warning", "passed", "better"),
        ("failed", "warning", "better"),
        ("failed", WAIVED, ""),
        (WAIVED, "failed", ""),
        ("passed", "passed", ""),
        ("warning", "warning", ""),
        ("", "failed", "new"),
        ("passed", "", "gone"),
        ("passed", "not tested", "unclear"),
        ("not tested", "failed", "unclear"),
        ("not tested", "not tested", ""),
        ("skipped", "failed", ""),
        ("passed", "skipped", ""),
    ],
)
def test_a_change_is_named(before: str, after: str, expected: str) -> None:
    assert change(before, after) == expected


def test_the_worst_stands_first() -> None:
    old = report(clause("a", "failed"), clause("b", "passed"), clause("c", "passed"))
    new = report(clause("a", "passed"), clause("b", "failed"), clause("d", "passed"))
    found = [(one.change, one.clause) for one in compare_reports(old, new).changes]
    assert found == [("worse", "b"), ("better", "a"), ("new", "d"), ("gone", "c")]


def test_it_is_told_in_lines() -> None:
    told = list(lines(compare_reports(report(clause("a", "passed")), report(clause("a", "failed")))))
    assert told == ["compared with 2026-11-23T16:00:00Z: 1 worse", "  worse    a: passed → failed"]


def test_another_contract_is_said_to_be_one() -> None:
    other = replace(report(), contract=replace(report().contract, digest=f"sha256:{'f' * 64}"))
    assert "by another version of the contract" in next(lines(compare_reports(other, report())))


def test_no_change_is_said_too() -> None:
    assert (
        compare_reports(report(clause("a", "passed")), report(clause("a", "passed"))).summary == "nothing has changed"
    )
