"""`agent-contract diff` of two reports: which clauses became better or worse."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING

from agent_contract.cli import UserError
from agent_contract.printable import printable_json
from contract_tests.report.comparison import compare_reports, lines
from contract_tests.report.saved_json import ReportError, load

if TYPE_CHECKING:
    from pathlib import Path

    from contract_tests.report.model import Comparison, Report


def diff_of_reports(before: Path, after: Path, form: str) -> tuple[str, bool]:
    """Return what has changed between two reports, as a `table`, `json` or `markdown`, and whether anything has.

    Raises `UserError` for a file that can't be read.
    """
    try:
        baseline, report = load(before), load(after)
    except ReportError as error:
        raise UserError(f"{error}.") from None
    comparison = compare_reports(baseline, report)
    return _FORMATS[form](comparison, report), bool(comparison.changes)


def _table(comparison: Comparison, report: Report) -> str:
    sentences = {clause.id: clause.sentence for clause in report.clauses}
    first, *rest = lines(comparison)
    rows = [
        f"{line}  {sentences.get(one.clause, '')}".rstrip() for line, one in zip(rest, comparison.changes, strict=True)
    ]
    return "\n".join((first, *rows))


def _json(comparison: Comparison, report: Report) -> str:  # noqa: ARG001 - the same form as the others
    return printable_json(json.dumps(asdict(comparison), indent=2, ensure_ascii=False))


def _markdown(comparison: Comparison, report: Report) -> str:
    sentences = {clause.id: clause.sentence for clause in report.clauses}
    heading = next(lines(comparison))
    rows = [
        f"| {one.change} | `{one.clause}` | {one.described} | {sentences.get(one.clause, '')} |"
        for one in comparison.changes
    ]
    table = ["", "| change | clause | from → to | sentence |", "| --- | --- | --- | --- |", *rows] if rows else []
    return "\n".join((f"{heading[0].upper()}{heading[1:]}.", *table))


_FORMATS: Mapping[str, Callable[[Comparison, Report], str]] = {"table": _table, "json": _json, "markdown": _markdown}
