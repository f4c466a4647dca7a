"""`agent-contract trend`: the verdicts of several reports."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent_contract.printable import printable_line
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
#: Columns of text that a row may have in a pipe.
_MOST = 10_000


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
    _print(sorted(reports, key=lambda pair: (pair[1].started_at, pair[0])))


def _print(reports: Iterable[tuple[str, Report]]) -> None:
    """Print a row for each report, by its file's name, under a row of headings; a pipe gets rows of any length."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="")
    table.add_column("started")
    for heading in (*(heading for heading, _ in COLUMNS), "exit"):
        table.add_column(heading, justify="right")
    for heading in ("contract", "deployment", "report"):
        table.add_column(heading, overflow="fold")
    for name, report in reports:
        table.add_row(*(Text(printable_line(cell)) for cell in _row(name, report)))
    console = Console(highlight=False)
    if not console.is_terminal:
        console.width = console.measure(table, options=console.options.update(max_width=_MOST)).maximum
    console.print(table)


def _row(name: str, report: Report) -> list[str]:
    from contract_tests.report.phrases import readable_time

    counts = [str(sum(report.verdict.counts.get(word, 0) for word in words)) for _, words in COLUMNS]
    named = report.options.get("api_version")
    judged = named if named and named != AUTO else report.contract.version
    return [
        readable_time(report.started_at),
        *counts,
        str(report.verdict.exit_code),
        str(judged),
        report.target.url,
        name,
    ]
