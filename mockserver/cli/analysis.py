"""The commands `coverage` and `lint-session`, which read a saved journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

import click

from agent_contract import load_contract
from agent_contract.cli import UserError
from agent_contract.printable import printable
from mockserver.analysis.journal_file import JournalError, read_journal_file

if TYPE_CHECKING:
    from mockserver.analysis.observation import Observation

_JOURNAL = click.argument("journal", type=click.File("rb"))


@click.command()
@_JOURNAL
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="Also write FILE: .json, .html or .txt. Can be repeated.",
    metavar="FILE",
)
def coverage(journal: BinaryIO, report: tuple[Path, ...]) -> None:
    """Show what a client met of the contract, and what it never did.

    JOURNAL is a file with what GET /__mock__/requests returned; - is standard input.
    """
    from mockserver.analysis.coverage import Coverage
    from mockserver.analysis.coverage_report import CoverageReportError, as_text, write_report

    contract, found = load_contract(), Coverage()
    for seen in _read(journal):
        found.add(seen, contract)
    try:
        for path in report:
            write_report(path, found, contract)
    except CoverageReportError as error:
        raise click.BadParameter(str(error), param_hint="--report") from None
    click.echo(as_text(found, contract))


@click.command("lint-session")
@_JOURNAL
@click.option("--format", "form", default="text", show_default=True, type=click.Choice(["text", "json"]))
def lint_session(journal: BinaryIO, form: str) -> None:
    """Find misuse of sessions that the server answers with 200.

    JOURNAL is a file with what GET /__mock__/requests returned; - is standard input. Exit code: 0 if nothing was found,
    1 if something was, 2 if the file is not a journal.
    """
    from mockserver.analysis.lint_report import as_json, as_text
    from mockserver.analysis.session_lint import lint_sessions

    findings = lint_sessions(_read(journal))
    click.echo(as_json(findings) if form == "json" else printable(as_text(findings)))
    if findings:
        raise click.exceptions.Exit(1)


def _read(journal: BinaryIO) -> list[Observation]:
    try:
        return read_journal_file(journal.read())
    except JournalError as error:
        raise UserError(printable(f"{getattr(journal, 'name', 'JOURNAL')}: {error}")) from None
