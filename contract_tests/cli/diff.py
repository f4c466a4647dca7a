"""`agent-contract diff`: what changed between two versions of the API, two documents, or two runs of `verify`."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent_contract.document.errors import ContractError
from agent_contract.printable import printable_json

if TYPE_CHECKING:
    from agent_contract import Contract
    from contract_tests.report.model import Comparison, Report

FORMS = ("table", "json", "markdown")


class _Fault(click.ClickException):
    """What the user must put right; said in a line."""

    exit_code = 2


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
    try:
        one, other = _side(before, allow_outside), _side(after, allow_outside)
    except ContractError as error:
        raise _Fault("\n".join(str(problem) for problem in error.problems)) from None
    text, differs = _compared(one, other, form)
    click.echo(text)
    raise SystemExit(1 if differs else 0)


def _compared(one: Contract | Report, other: Contract | Report, form: str) -> tuple[str, bool]:
    from agent_contract import Contract
    from contract_tests.report.comparison import compare_reports
    from contract_tests.report.model import Report

    if isinstance(one, Report) and isinstance(other, Report):
        comparison = compare_reports(one, other)
        return _REPORTS[form](comparison, other), bool(comparison.changes)
    if isinstance(one, Contract) and isinstance(other, Contract):
        from agent_contract.diff.compare import differences
        from agent_contract.diff.formats import FORMATS

        found = differences(one, other)
        return FORMATS[form](one, other, found), bool(found)
    raise _Fault("A report can't be compared with a contract: give two reports, or two versions or documents.")


def _side(name: str, allow_outside: bool) -> Contract | Report:
    """Return what an argument names: a file's contract or report, else a version of this kit's own contract."""
    from agent_contract import load_contract

    path = Path(name)
    if path.is_file():
        return _report(path) if _is_report(path) else load_contract(path, allow_outside=allow_outside)
    own = load_contract()
    if name not in own.versions:
        known = ", ".join(own.versions)
        raise _Fault(f"{name} is neither a file nor a version of the API: name a file, or one of {known}.")
    return load_contract(api_version=name)


def _is_report(path: Path) -> bool:
    from contract_tests.report.model import FORMAT

    try:
        value = json.loads(path.read_text(encoding="utf-8")) if path.suffix == ".json" else None
    except (OSError, ValueError, RecursionError):
        return False  # reading it as a document reports the error
    return isinstance(value, dict) and value.get("format") == FORMAT


def _report(path: Path) -> Report:
    from contract_tests.report.saved_json import ReportError, load

    try:
        return load(path)
    except ReportError as error:
        raise _Fault(f"{error}.") from None


def _table(comparison: Comparison, report: Report) -> str:
    from contract_tests.report.comparison import lines

    sentences = {clause.id: clause.sentence for clause in report.clauses}
    first, *rest = lines(comparison)
    rows = [
        f"{line}  {sentences.get(one.clause, '')}".rstrip() for line, one in zip(rest, comparison.changes, strict=True)
    ]
    return "\n".join((first, *rows))


def _json(comparison: Comparison, report: Report) -> str:  # noqa: ARG001 - the same form as the others
    return printable_json(json.dumps(asdict(comparison), indent=2, ensure_ascii=False))


def _markdown(comparison: Comparison, report: Report) -> str:
    from contract_tests.report.comparison import lines

    sentences = {clause.id: clause.sentence for clause in report.clauses}
    heading = next(lines(comparison))
    rows = [
        f"| {one.change} | `{one.clause}` | {one.described} | {sentences.get(one.clause, '')} |"
        for one in comparison.changes
    ]
    table = ["", "| change | clause | from → to | sentence |", "| --- | --- | --- | --- |", *rows] if rows else []
    return "\n".join((f"{heading[0].upper()}{heading[1:]}.", *table))


_REPORTS: Mapping[str, Callable[[Comparison, Report], str]] = {"table": _table, "json": _json, "markdown": _markdown}
