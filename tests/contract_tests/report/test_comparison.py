"""What has changed between two runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from contract_tests.report.comparison import compare, lines
from contract_tests.verdict import WAIVED
from tests.contract_tests.report.support.samples import clause, report


def change(before: str, after: str) -> str:
    """Return what became of a clause with these words; an empty word for a clause that is not there."""
    old = report(*([clause("a.b", before)] if before else []))
    new = report(*([clause("a.b", after)] if after else []))
    changes = compare(old, new).changes
    return changes[0].change if changes else ""


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ("held", "broken", "worse"),
        ("held", WAIVED, "worse"),
        ("held", "differs", "worse"),
        ("held", "not offered", "worse"),
        ("broken", "held", "better"),
        (WAIVED, "held", "better"),
        ("differs", "held", "better"),
        ("broken", "differs", "better"),
        ("broken", WAIVED, ""),
        (WAIVED, "broken", ""),
        ("held", "held", ""),
        ("differs", "differs", ""),
        ("", "broken", "new"),
        ("held", "", "gone"),
        ("held", "not tested", "unclear"),
        ("not tested", "broken", "unclear"),
        ("not tested", "not tested", ""),
        ("not selected", "broken", ""),
        ("held", "not selected", ""),
    ],
)
def test_a_change_is_named(before: str, after: str, expected: str) -> None:
    assert change(before, after) == expected


def test_the_worst_stands_first() -> None:
    old = report(clause("a", "broken"), clause("b", "held"), clause("c", "held"))
    new = report(clause("a", "held"), clause("b", "broken"), clause("d", "held"))
    found = [(one.change, one.clause) for one in compare(old, new).changes]
    assert found == [("worse", "b"), ("better", "a"), ("new", "d"), ("gone", "c")]


def test_it_is_told_in_lines() -> None:
    told = list(lines(compare(report(clause("a", "held")), report(clause("a", "broken")))))
    assert told == ["compared with 2026-11-23T16:00:00Z: 1 worse", "  worse    a: held → broken"]


def test_another_contract_is_said_to_be_one() -> None:
    other = replace(report(), contract=replace(report().contract, digest=f"sha256:{'f' * 64}"))
    assert "by another version of the contract" in next(lines(compare(other, report())))


def test_no_change_is_said_too() -> None:
    assert compare(report(clause("a", "held")), report(clause("a", "held"))).summary == "nothing has changed"
