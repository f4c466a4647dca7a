"""`agent-contract trend`: the verdicts of several reports."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from contract_tests.options import AUTO

if TYPE_CHECKING:
    from contract_tests.report.model import Report

#: The columns of the table between when and the verdict: heading, and the words that are counted.
COLUMNS = (
    ("passed", ("passed",)),
    ("failed", ("failed",)),
    ("waived", ("failed (waived)",)),
    ("warning", ("warning",)),
    ("not supported", ("not supported",)),
    ("not tested", ("not tested",)),
)


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(exists=True, file_okay=False, path_type=Path))
def trend(folder: Path) -> None:
    """Count the verdicts in each JSON report in DIR, oldest first.

    Files that are not reports are named and left out. Exit status: 0 with a table; 2 without any report.
    """
    from contract_tests.report.saved_json import ReportError, load

    reports: list[tuple[str, Report]] = []
    for path in sorted(folder.glob("*.json")):
        try:
            reports.append((path.name, load(path)))
        except ReportError as error:
            click.echo(f"left out: {error}", err=True)
    if not reports:
        raise click.UsageError(f"{folder} holds no report; `agent-contract verify URL --report FILE.json` writes one")
    for line in table(sorted(reports, key=lambda pair: (pair[1].started_at, pair[0]))):
        click.echo(line)


def table(reports: Iterable[tuple[str, Report]]) -> list[str]:
    """Return a row for each report, by its file's name, under a row of headings."""
    headings = ["started", *(heading for heading, _ in COLUMNS), "exit", "contract", "deployment", "report"]
    rows = [headings, *(_row(name, report) for name, report in reports)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(headings))]
    numbers = range(1, len(COLUMNS) + 2)
    return ["  ".join(_cell(row, column, widths, numbers) for column in range(len(row))).rstrip() for row in rows]


def _row(name: str, report: Report) -> list[str]:
    from agent_contract.printable import printable
    from contract_tests.report.phrases import moment

    counts = [str(sum(report.verdict.counts.get(word, 0) for word in words)) for _, words in COLUMNS]
    named = report.options.get("api_version")
    judged = named if named and named != AUTO else report.contract.version
    return [
        moment(report.started_at),
        *counts,
        str(report.verdict.exit_code),
        str(judged),
        printable(report.target.url),
        name,
    ]


def _cell(row: list[str], column: int, widths: list[int], numbers: range) -> str:
    text, width = row[column], widths[column]
    return text.rjust(width) if column in numbers else text.ljust(width)
