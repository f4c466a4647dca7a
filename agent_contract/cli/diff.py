"""`agent-contract diff`: what changed between two versions of the API, two documents, or two runs of `verify`."""

from __future__ import annotations

import json
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent_contract.cli import UserError, near
from agent_contract.contract import Contract
from agent_contract.document.errors import ContractError
from agent_contract.installation import DISTRIBUTION, REPORT_FORMAT, missing
from agent_contract.printable import printable_as
from agent_contract.sarif import SarifResult, to_sarif

if TYPE_CHECKING:
    from agent_contract.diff.compare import Difference

FORMS = ("table", "json", "markdown", "sarif")
#: Compares two reports. They belong to the contract tests, so this module is imported by its name, and only for them.
_REPORT_DIFF = "contract_tests.cli.report_diff"


@click.command()
@click.argument("before", metavar="A")
@click.argument("after", metavar="B")
@click.option("--format", "form", default="table", show_default=True, type=click.Choice(FORMS))
@click.option("--allow-outside", is_flag=True, help="Follow a $ref that leads out of a document's folder.")
def diff(before: str, after: str, form: str, allow_outside: bool) -> None:
    """Show what changes for a client that moves from A to B.

    A and B are versions of the API (9.0), OpenAPI documents (files), or two reports that `agent-contract verify
    --report FILE.json` wrote. What breaks a client comes first. Exit status, as of diff: 0 without a difference, 1 with
    one, 2 for what can't be compared.
    """
    reports = [_is_report(Path(name)) for name in (before, after)]
    if all(reports):
        if form == "sarif":
            raise UserError(
                "SARIF shows lines of a document, and a clause of a report has none that changed: use another --format."
            )
        text, differs = _diff_of_reports(before, after, form)
    elif any(reports):
        raise UserError("A report can't be compared with a contract: give two reports, or two versions or documents.")
    else:
        text, differs = _diff_of_contracts(before, after, form, allow_outside)
    click.echo(printable_as(form, text))
    raise SystemExit(1 if differs else 0)


def _diff_of_contracts(before: str, after: str, form: str, allow_outside: bool) -> tuple[str, bool]:
    """Return the differences in this form, and whether there are any."""
    from agent_contract.diff.compare import differences
    from agent_contract.diff.formats import FORMATS

    try:
        one, other = contract_named(before, allow_outside), contract_named(after, allow_outside)
    except ContractError as error:
        raise UserError("\n".join(str(problem) for problem in error.problems)) from None
    found = differences(one, other)
    text = _sarif(one, other, found) if form == "sarif" else FORMATS[form](one, other, found)
    return text, bool(found)


#: The level in SARIF of a difference, by its effect.
_LEVELS = {"breaking": "error", "notable": "warning", "new": "note"}


def _sarif(before: Contract, after: Contract, found: tuple[Difference, ...]) -> str:
    """Return the differences as SARIF, each at the line of the later document, or of the earlier if it was removed."""
    from agent_contract.diff.compare import EFFECTS
    from agent_contract.diff.formats import in_a_line

    results = []
    for one in found:
        contract = before if one.is_removed else after
        subject = f"{one.part} {one.what} {one.change}"
        place = (near(contract.source).as_posix(), contract.line(one.pointer) or 1)
        results.append(SarifResult(one.effect, _LEVELS[one.effect], in_a_line(one), *place, subject=subject))
    return to_sarif(version(DISTRIBUTION), {str(name): meaning for name, meaning in EFFECTS.items()}, results).rstrip(
        "\n"
    )


def contract_named(name: str, allow_outside: bool = False) -> Contract:
    """Return the contract in a file, else a version of this kit's own contract.

    Raises `ContractError` and `UserError`.
    """
    from agent_contract.load import load_contract

    path = Path(name)
    if path.is_file():
        return load_contract(path, allow_outside=allow_outside)
    own = load_contract()
    if name not in own.versions:
        known = ", ".join(own.versions)
        raise UserError(f"{name} is neither a file nor a version of the API: name a file, or one of {known}.")
    return load_contract(api_version=name)


def _is_report(path: Path) -> bool:
    try:
        value = json.loads(path.read_text(encoding="utf-8")) if path.suffix == ".json" else None
    except (OSError, ValueError, RecursionError):
        return False  # reading it as a document reports the error
    return isinstance(value, dict) and value.get("format") == REPORT_FORMAT


def _diff_of_reports(before: str, after: str, form: str) -> tuple[str, bool]:
    """Return what has changed in this form, and whether anything has."""
    try:
        found: tuple[str, bool] = import_module(_REPORT_DIFF).diff_of_reports(Path(before), Path(after), form)
    except ImportError as error:
        raise UserError(missing(error, "agent-contract diff of two reports")) from error
    return found
