"""The command `record-check`."""

from __future__ import annotations

from pathlib import Path

import click

from agent_contract.cli import UserError
from agent_contract.document.errors import ContractError
from agent_contract.printable import printable
from mockserver.cli.options import FILE, RECORDINGS


class _BrokenRecordings(click.ClickException):
    exit_code = 1


@click.command()
@click.argument("recordings", metavar="PATH", type=RECORDINGS)
@click.option("--spec", type=FILE, help="OpenAPI document to hold them to instead of the built-in one.")
@click.option("--api-version", metavar="VERSION", help="Version of the API to hold them to. Default: the newest.")
def record_check(recordings: Path, spec: Path | None, api_version: str | None) -> None:
    """Hold recordings to the contract: list what would break, and exit with 1 if anything would.

    PATH is a folder of recordings, a recording, or an HTTP archive (HAR) of a browser, Playwright or mitmproxy.
    """
    from agent_contract import load_contract
    from mockserver.build import own_contract
    from mockserver.recording.recording import RecordingError
    from mockserver.recording.recording_check import check_recording
    from mockserver.recording.recording_folder import belongs_to, read_recordings

    try:
        contract = load_contract(spec, api_version or "") if spec else own_contract(api_version or "")
        found = read_recordings(recordings, belongs_to(contract, load_contract(spec, every_version=True)))
    except ContractError as error:
        raise UserError("\n".join(str(problem) for problem in error.problems)) from None
    except RecordingError as error:
        raise UserError(str(error)) from None
    broken = 0
    for recording in found:
        lines = list(check_recording(contract, recording.exchange))
        broken += bool(lines)
        for line in lines:
            click.echo(printable(f"{recording.name}: {line}"))
    if found.note:
        click.echo(found.note)
    against = f"{contract.title} {contract.version}"
    if broken:
        raise _BrokenRecordings(f"{broken} of {len(found)} recordings break {against}.")
    click.echo(f"{len(found)} recordings conform to {against}.")
