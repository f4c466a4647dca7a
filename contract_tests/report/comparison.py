"""Two runs of the same tests, clause by clause: what is better, worse, new, gone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from contract_tests.verdict import WAIVED

if TYPE_CHECKING:
    from contract_tests.report.model import Report

#: What may have become of a clause, worst first, and what each says.
CHANGES: Mapping[str, str] = {
    "worse": "it was nearer to what the clause says",
    "better": "it is nearer to what the clause says",
    "new": "the baseline did not know the clause",
    "gone": "the baseline knew a clause that is no more",
    "unclear": "only one of the two runs saw anything of it",
}
#: How near a word is to the clause; a waiver excuses and changes nothing. Other words say that nothing was seen.
_NEARNESS: Mapping[str, int] = {"failed": 0, WAIVED: 0, "warning": 1, "not supported": 2, "passed": 3}
#: A clause that one of the runs was not asked about is not compared.
_UNASKED = "skipped"


@dataclass(frozen=True, slots=True)
class Change:
    """What became of one clause: a key of `CHANGES`, and the words before and after, empty where there is none."""

    clause: str
    change: str
    before: str
    after: str

    @property
    def described(self) -> str:
        """From which word to which, as in `passed → failed`."""
        return " → ".join(filter(None, (self.before, self.after)))


@dataclass(frozen=True, slots=True)
class Comparison:
    """This run beside a baseline: when and where that was judged, by which contract, and what has changed."""

    started_at: str
    url: str
    digest: str
    same_contract: bool
    changes: tuple[Change, ...]

    def having(self, change: str) -> tuple[Change, ...]:
        """Return the changes of one kind."""
        return tuple(one for one in self.changes if one.change == change)

    @property
    def summary(self) -> str:
        """How many clauses became what, as in `1 worse, 2 better`, or that nothing has changed."""
        counts = [f"{len(self.having(change))} {change}" for change in CHANGES if self.having(change)]
        return ", ".join(counts) or "nothing has changed"


def compare(baseline: Report, report: Report) -> Comparison:
    """Return what has changed from the baseline to the report, worst first, else in the document's order."""
    before = {clause.id: clause.word for clause in baseline.clauses}
    after = {clause.id: clause.word for clause in report.clauses}
    order = list(CHANGES)
    found = sorted(_changes(before, after), key=lambda change: order.index(change.change))
    digest = baseline.contract.digest
    same = digest == report.contract.digest
    return Comparison(baseline.started_at, baseline.target.url, digest, same, tuple(found))


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
