"""`agent-contract clauses`: what the contract promises, one sentence at a time."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from agent_contract.document.errors import ContractError
from agent_contract.load import load_contract
from agent_contract.messages import GRADE_MEANINGS
from agent_contract.printable import align, printable_as

if TYPE_CHECKING:
    from agent_contract.contract import Contract
    from agent_contract.messages import Clause


def as_table(contract: Contract) -> str:
    """Return a line for each clause: id, grade, versions, sentence, in columns."""
    rows = [("id", "grade", "versions", "sentence")]
    rows += [(clause.id, clause.grade, _versions(clause), clause.sentence) for clause in contract.clauses]
    return "\n".join(align(rows))


def as_json(contract: Contract) -> str:
    """Return the clauses as a list of JSON objects."""
    return json.dumps([_value(clause) for clause in contract.clauses], indent=2, ensure_ascii=False)


def as_markdown(contract: Contract) -> str:
    """Return the clauses as a page: what the grades mean, then the clauses in tables, a table for each first word."""
    return "\n".join(_page(contract))


FORMATS: Mapping[str, Callable[[Contract], str]] = {"table": as_table, "json": as_json, "markdown": as_markdown}


#: Explains the grades at the end of the help.
_EPILOG = "\n".join(("\b", "Grades:", *(f"  {grade:<11} {meaning}" for grade, meaning in GRADE_MEANINGS.items())))


@click.command(epilog=_EPILOG)
@click.argument("file", required=False, type=click.Path(path_type=Path))
@click.option("--format", "form", default="table", show_default=True, type=click.Choice(list(FORMATS)))
@click.option("--allow-outside", is_flag=True, help="Follow a $ref that leads out of the document's folder.")
def clauses(file: Path | None, form: str, allow_outside: bool) -> None:
    """List the clauses of an OpenAPI document: id, grade, versions, sentence.

    `9.1+` means version 9.1 and later; a clause that ended names its last version, as in `9.0-9.1`. Without FILE, the
    clauses of the document that comes with this tool are listed. Exit status: 2 for a document that can't be used.
    """
    try:
        contract = load_contract(file, every_version=True, allow_outside=allow_outside)
    except ContractError as error:
        for problem in error.problems:
            click.echo(str(problem), err=True)
        raise SystemExit(2) from None
    click.echo(printable_as(form, FORMATS[form](contract)))


def _value(clause: Clause) -> dict[str, object]:
    return {
        "id": clause.id,
        "grade": clause.grade,
        "since": clause.since,
        "until": clause.until,
        "sentence": clause.sentence,
        "fails_a_run": clause.fails_a_run,
        "untestable": clause.untestable,
        "operations": list(clause.operations),
        "pointer": clause.pointer,
    }


def _page(contract: Contract) -> Iterator[str]:
    failing = sum(clause.fails_a_run and not clause.untestable for clause in contract.clauses)
    yield f"# The clauses of {contract.title} {contract.version}"
    yield ""
    yield "<!-- Written by `agent-contract clauses --format markdown`; change openapi.yaml, not this page. -->"
    yield ""
    yield f"What the API promises, one sentence at a time. {failing} of {len(contract.clauses)} clauses can fail a run"
    yield "of `agent-contract verify`: those of grade `core`, `published`, `compatible` or `standard`. Clauses of grade"
    yield "`field` or `assumed` are reported and never fail a run. `9.1+` means version 9.1 and later."
    for topic, members in _by_topic(contract).items():
        yield ""
        yield f"## {topic}"
        yield ""
        yield "| clause | grade | versions | sentence |"
        yield "| --- | --- | --- | --- |"
        for clause in members:
            untestable = f" *Not tested: {_cell(clause.untestable)}*" if clause.untestable else ""
            yield f"| `{clause.id}` | {clause.grade} | {_versions(clause)} | {_cell(clause.sentence)}{untestable} |"


def _versions(clause: Clause) -> str:
    """Return the versions that have a clause: `9.1+`, `9.0-9.1` or `9.0`."""
    if not clause.until:
        return f"{clause.since}+"
    return clause.since if clause.until == clause.since else f"{clause.since}-{clause.until}"


def _by_topic(contract: Contract) -> dict[str, list[Clause]]:
    """Return the clauses by the part of the document that holds them, in its order."""
    topics: dict[str, list[Clause]] = {}
    for clause in contract.clauses:
        topics.setdefault(_topic(clause.pointer), []).append(clause)
    return topics


def _topic(pointer: str) -> str:
    """Return the name of the component that a pointer leads into, or its first steps."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in pointer.removeprefix("#/").split("/")]
    return steps[2] if steps[0] == "components" and len(steps) > 2 else "/".join(steps[:2])


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")
