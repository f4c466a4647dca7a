"""Two runs of the same tests, compared clause by clause: what is better, worse, new, gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from contract_tests.report.model import CHANGES, Change, Comparison
from contract_tests.verdict import WAIVED

if TYPE_CHECKING:
    from contract_tests.report.model import Report

#: How close each verdict is to the clause; a waiver does not change that. The other words mean no observation.
_NEARNESS: Mapping[str, int] = {"failed": 0, WAIVED: 0, "warning": 1, "not supported": 2, "passed": 3}
#: A clause that one of the runs was not asked about is not compared.
_UNASKED = "skipped"


def compare(baseline: Report, after: Mapping[str, str], digest: str) -> Comparison:
    """Return what has changed since the baseline, worst first, else in the document's order.

    `after` are the verdicts of today by the ids of the clauses, `digest` is that of today's contract.
    """
    before = _verdicts(baseline)
    order = list(CHANGES)
    found = sorted(_changes(before, after), key=lambda change: order.index(change.change))
    same = baseline.contract.digest == digest
    return Comparison(baseline.started_at, baseline.target.url, baseline.contract.digest, same, tuple(found))


def compare_reports(baseline: Report, report: Report) -> Comparison:
    """Return what has changed from one report to another."""
    return compare(baseline, _verdicts(report), report.contract.digest)


def _verdicts(report: Report) -> dict[str, str]:
    return {clause.id: clause.word for clause in report.clauses}


def lines(comparison: Comparison) -> Iterator[str]:
    """Yield the comparison for people: one line that sums it up, and one for each change."""
    other = "" if comparison.same_contract else ", by another version of the contract"
    yield f"compared with {comparison.started_at}{other}: {comparison.summary}"
    for change in comparison.changes:
        yield f"  {change.change:<8} {change.clause}: {change.described}"


def _changes(before: Mapping[str, str], after: Mapping[str, str]) -> Iterator[Change]:
    for id in dict.fromkeys((*after, *before)):
        old, new = before.get(id, ""), after.get(id, "")
        if change := _change(old, new):
            yield Change(id, change, old, new)


def _change(old: str, new: str) -> str:
    if _UNASKED in (old, new):
        return ""
    if not old or not new:
        return "gone" if old else "new"
    was, now = _NEARNESS.get(old), _NEARNESS.get(new)
    if was is None or now is None:
        return "unclear" if was != now else ""
    return "worse" if now < was else "better" if now > was else ""
