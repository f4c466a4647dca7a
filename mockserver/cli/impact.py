"""The command `impact`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from agent_contract.cli import UserError
from agent_contract.cli.diff import contract_named
from agent_contract.document.errors import ContractError
from agent_contract.printable import printable_as
from mockserver.cli.options import RECORDINGS


@click.command()
@click.argument("recordings", metavar="PATH", type=RECORDINGS)
@click.argument("before", metavar="OLD")
@click.argument("after", metavar="NEW")
@click.option("--format", "form", default="text", show_default=True, type=click.Choice(["text", "json"]))
def impact(recordings: Path, before: str, after: str, form: str) -> None:
    """Show what a change from OLD to NEW means for recorded calls.

    PATH is a folder of recordings, a recording, or an HTTP archive (HAR) of a browser, Playwright or mitmproxy.
    OLD and NEW are versions of the API (9.0) or OpenAPI documents (files). Only what the calls sent and got counts;
    `diff` shows everything. Exit status, as of diff: 0 if no call is affected, 1 if one is, 2 for what can't be
    compared.
    """
    from mockserver.analysis.impact import find_impacts
    from mockserver.analysis.impact_report import as_json, as_text
    from mockserver.recording.recording import RecordingError
    from mockserver.recording.recording_folder import belongs_to, read_recordings

    try:
        old, new = contract_named(before), contract_named(after)
        found = read_recordings(recordings, belongs_to(old, new))
    except ContractError as error:
        raise UserError("\n".join(str(problem) for problem in error.problems)) from None
    except RecordingError as error:
        raise UserError(str(error)) from None
    report = replace(find_impacts(old, new, found), left_out=found.left_out)
    click.echo(printable_as(form, as_json(report) if form == "json" else as_text(report)))
    raise SystemExit(1 if report.impacts else 0)
