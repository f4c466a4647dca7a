"""`agent-contract check`: reports the problems of a document."""

from __future__ import annotations

from dataclasses import replace
from importlib.metadata import version
from pathlib import Path

import click

from agent_contract.cli import near
from agent_contract.document.errors import UnreadableError
from agent_contract.document.own_document import find_document
from agent_contract.installation import DISTRIBUTION
from agent_contract.lint import Findings, lint
from agent_contract.printable import printable_line
from agent_contract.sarif import SarifResult, to_sarif


@click.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option(
    "--format", type=click.Choice(("text", "sarif")), default="text", show_default=True, help="Output format."
)
@click.option("--allow-outside", is_flag=True, help="Follow a $ref that leads out of the document's folder.")
@click.option(
    "--allow-remote",
    multiple=True,
    metavar="HOST",
    help="Host that remote files of the document are fetched from. Can be repeated.",
)
def check(file: Path | None, format: str, allow_outside: bool, allow_remote: tuple[str, ...]) -> None:
    """Report each problem of an OpenAPI document: place, problem, remedy.

    Without FILE, the document that comes with this tool. Exit status: 0 when the document can be used, warnings or
    not; 1 when it can't be compiled as it is, or an example contradicts its schema; 2 when the file,
    or one that a $ref leads to, can't be read, or is not YAML or JSON. Of another document than this tool's, it also
    lists the repairs by which `agent-contract serve` plays it all the same.
    """
    try:
        findings = lint(near(file or find_document()), allow_outside=allow_outside, allow_remote=allow_remote)
    except UnreadableError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise SystemExit(2) from None
    if format == "sarif":
        click.echo(_sarif(findings), nl=False)
        raise SystemExit(1 if findings.errors else 0)
    for problem in findings.errors:
        click.echo(str(problem))
    for problem in findings.warnings:
        click.echo(str(replace(problem, problem=f"warning: {problem.problem}")))
    if findings.repairs:
        click.echo("agent-contract serve plays this document. It repairs or leaves out:")
    for problem in findings.repairs:
        click.echo(f"  {problem}")
    click.echo(_summary(findings))
    raise SystemExit(1 if findings.errors else 0)


def _sarif(findings: Findings) -> str:
    """Return the findings as SARIF, each at its line."""
    rules = {
        "error": "The document can't be used as it is.",
        "warning": "The document can be used; it may not mean this.",
    }
    results = [
        SarifResult(
            level,
            level,
            f"{problem.problem}; {problem.remedy}",
            *_file_and_line(problem.place),
            subject=problem.pointer,
        )
        for level, problems in (("error", findings.errors), ("warning", findings.warnings))
        for problem in problems
    ]
    return to_sarif(version(DISTRIBUTION), rules, results)


def _file_and_line(place: str) -> tuple[str, int]:
    """Return the two parts of `openapi.yaml:12`; line 1 if none is known."""
    file, _, line = place.rpartition(":")
    return (file, int(line)) if file and line.isdigit() else (place, 1)


def _summary(findings: Findings) -> str:
    counts = f"{_count(findings.errors, 'error')}, {_count(findings.warnings, 'warning')}"
    if findings.contract is None:
        return counts
    contract = findings.contract
    parts = f"{_count(contract.operations, 'operation')}, {_count(contract.clauses, 'clause')}"
    return printable_line(f"{contract.title} {contract.version}: {parts}; {counts}")


def _count(things: object, noun: str) -> str:
    number = len(things)  # type: ignore[arg-type]
    return f"{number} {noun}{'' if number == 1 else 's'}"
