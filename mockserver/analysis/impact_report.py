"""Impacts as text and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict

from agent_contract.diff.formats import change_of, side_json
from agent_contract.printable import align
from mockserver.analysis.impact import IMPACTS, ImpactReport
from mockserver.recording.har import RecordedExchanges

#: Recordings and operations that a line names; the others are counted.
_NAMES = 2


def as_text(report: ImpactReport) -> str:
    """Return a line that sums up, then for each effect what it means and a line for each difference."""
    return "\n".join(_lines(report))


def as_json(report: ImpactReport) -> str:
    """Return an object of the two contracts, the counts, and the list of impacts with the names of all recordings."""
    impacts = [
        {**asdict(one.difference), "effect": one.effect, "recordings": list(one.recordings)} for one in report.impacts
    ]
    value = {
        "before": side_json(report.before),
        "after": side_json(report.after),
        "recordings": report.recordings,
        "unknown": report.unknown,
        "left_out": dict(report.left_out),
        "affected": report.affected,
        "impacts": impacts,
    }
    return json.dumps(value, indent=2, ensure_ascii=False)


def _lines(report: ImpactReport) -> Iterator[str]:
    before, after = report.before, report.after
    calls = f"{report.affected} of {report.recordings} recorded calls affected"
    yield f"{before.title} {before.version} → {after.title} {after.version}: {calls}"
    if report.unknown:
        yield f"Recordings that reach no operation of either: {report.unknown}."
    note = RecordedExchanges((), report.left_out).note
    if note:
        yield note
    for effect, meaning in IMPACTS.items():
        chosen = [one for one in report.impacts if one.effect == effect]
        if not chosen:
            continue
        yield from ("", f"{effect}: {meaning}")
        rows = []
        for one in chosen:
            what = one.difference
            rows.append(
                (what.part, what.what, change_of(what), ", ".join(what.clauses[:_NAMES]), _names(one.recordings))
            )
        yield from (f"  {line}" for line in align(rows))


def _names(names: tuple[str, ...]) -> str:
    more = f" and {len(names) - _NAMES} more" if len(names) > _NAMES else ""
    return ", ".join(names[:_NAMES]) + more
