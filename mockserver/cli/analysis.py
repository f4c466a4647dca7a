"""The commands `coverage` and `lint-session`, which read a saved journal."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent_contract import load_contract
from agent_contract.cli import UserError
from agent_contract.printable import printable
from mockserver.analysis.journal_file import JournalError, read_journal_file

if TYPE_CHECKING:
    from agent_contract import Contract
    from mockserver.analysis.observation import Observation

_JOURNAL = click.argument("journal", type=click.Path(allow_dash=True, path_type=Path))


@click.command()
@_JOURNAL
@click.option(
    "--report",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="Also write FILE: .json, .html or .txt. Can be repeated.",
    metavar="FILE",
)
def coverage(journal: Path, report: tuple[Path, ...]) -> None:
    """Show what a client met of the contract, and what it never did.

    JOURNAL is a file with what GET /__mock__/requests returned; - is standard input. It can be recordings too: a
    folder, a file, or an HTTP archive (HAR).
    """
    from mockserver.analysis.coverage import Coverage
    from mockserver.analysis.coverage_report import CoverageReportError, as_text, write_report

    contract, found = load_contract(), Coverage()
    for seen in _read(journal, contract):
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
def lint_session(journal: Path, form: str) -> None:
    """Find misuse of sessions that the server answers with 200.

    JOURNAL is a file with what GET /__mock__/requests returned; - is standard input. It can be recordings too: a
    folder, a file, or an HTTP archive (HAR). Exit code: 0 if nothing was found, 1 if something was, 2 if it is none of
    these.
    """
    from mockserver.analysis.lint_report import as_json, as_text
    from mockserver.analysis.session_lint import lint_sessions

    findings = lint_sessions(_read(journal, load_contract()))
    click.echo(as_json(findings) if form == "json" else printable(as_text(findings)))
    if findings:
        raise click.exceptions.Exit(1)


def _read(journal: Path, contract: Contract) -> list[Observation]:
    """Return the observations of a journal or of recordings; what was left out of an archive is noted."""
    from mockserver.analysis.observation import from_recordings
    from mockserver.recording.recording import RecordingError
    from mockserver.recording.recording_folder import are_recordings, belongs_to, read_recordings

    try:
        if str(journal) != "-" and are_recordings(journal):
            found = read_recordings(journal, belongs_to(contract))
            if found.note:
                click.echo(found.note, err=True)
            return list(from_recordings(found, contract))
        with click.open_file(str(journal), "rb") as file:
            return read_journal_file(file.read())
    except OSError as error:
        raise UserError(printable(f"{journal} can't be read: {error.strerror or error}.")) from None
    except RecordingError as error:
        raise UserError(printable(str(error))) from None
    except JournalError as error:
        raise UserError(printable(f"{journal}: {error}")) from None
