"""The verdict for people: a table of clauses, worst first, and the evidence for each that failed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from agent_contract.messages import GRADE_MEANINGS
from agent_contract.printable import shorten
from contract_tests.deployment.budget import NO_AGENTS
from contract_tests.report.build import command
from contract_tests.report.comparison import lines
from contract_tests.report.transcript import brief, event_lines, from_text
from contract_tests.verdict import WAIVED, WORDS

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from agent_contract.messages import Clause
    from contract_tests.report.run_result import RunResult
    from contract_tests.verdict import Finding

_STYLES: Mapping[str, str] = {
    "failed": "bold red",
    WAIVED: "yellow",
    "warning": "yellow",
    "not tested": "magenta",
    "not supported": "cyan",
    "passed": "green",
    "skipped": "dim",
}


def counted(findings: Iterable[Finding]) -> str:
    """Return how many clauses got which word, as in `2 failed, 79 passed`."""
    counts = Counter(finding.word for finding in findings)
    return ", ".join(f"{counts[word]} {word}" for word in WORDS if counts[word])


def explained(finding: Finding, clause: Clause) -> str:
    """Return a clause's finding with all its evidence, line by line."""
    return "\n".join(f"{name:>9}  {value}" for name, value in _evidence(finding, clause))


def note(finding: Finding) -> str:
    """Return the explanation of a verdict in one line of a table."""
    if finding.reason:
        return finding.reason
    return f"expected {finding.expected}; got {finding.got}" if finding.expected else ""


def show(console: Console, result: RunResult) -> None:
    """Print the table, the evidence of failures, what has changed, and as the last line the conclusion."""
    from rich.text import Text

    verdicts, clauses, traffic = result.verdicts, result.clauses, result.traffic
    if result.version.reason:
        console.print(Text(f"{result.contract.title}, {result.version}"), soft_wrap=True)
    console.print(_table(verdicts, clauses))
    for finding in verdicts.values():
        if finding.word == "failed":
            console.print()
            console.print(Text(finding.clause, style=_STYLES["failed"]))
            console.print(Text(explained(finding, clauses[finding.clause])), soft_wrap=True)
            console.print(Text(f"    alone  {command(result.options, finding.clause)}"), soft_wrap=True)
    if result.comparison:
        console.print()
        console.print(Text("\n".join(lines(result.comparison))), soft_wrap=True)
    console.print()
    console.print(_legend(verdicts, clauses))
    console.print()
    if result.notice:
        console.print(Text(result.notice), soft_wrap=True)
    for agent in traffic.left_behind:
        console.print(Text(f"could not be removed: agent {agent}", style="bold red"), soft_wrap=True)
    console.print(Text(f"{counted(verdicts.values())}, {traffic.requests} requests"), soft_wrap=True)
    console.print(
        Text(f"exit {int(result.conclusion.code)}: {result.conclusion.sentence}", style="bold"), soft_wrap=True
    )


def _legend(verdicts: Mapping[str, Finding], clauses: Mapping[str, Clause]) -> Table:
    """Return what the verdicts and grades in the table mean."""
    from rich.table import Table

    legend = Table.grid(padding=(0, 2))
    legend.add_column(no_wrap=True, style="dim")
    legend.add_column(overflow="fold", style="dim")
    words = {finding.word for finding in verdicts.values()}
    grades = {clauses[id].grade for id, finding in verdicts.items() if finding.word != "skipped"}
    for meanings, used in ((WORDS, words), (GRADE_MEANINGS, grades)):
        for name, meaning in meanings.items():
            if name in used:
                legend.add_row(name, meaning)
    return legend


def _table(verdicts: Mapping[str, Finding], clauses: Mapping[str, Clause]) -> Table:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("grade", no_wrap=True)
    table.add_column("clause, and why", overflow="fold")
    unselected = sum(finding.word == "skipped" for finding in verdicts.values())
    for id, finding in verdicts.items():
        if finding.word != "skipped":
            why = Text(f"\n{_shortened(note(finding))}" if note(finding) else "", style="dim")
            table.add_row(Text(finding.word, style=_STYLES[finding.word]), clauses[id].grade, Text(id) + why)
    if unselected:
        agents = sum(finding.reason == NO_AGENTS for finding in verdicts.values())
        hint = f", {agents} of which take an agent of their own: --manage-agents creates some" if agents else ""
        table.add_row(Text("skipped", style="dim"), "", f"{unselected} more{hint}")
    return table


def _shortened(text: str, most: int = 160) -> str:
    return shorten(" ".join(text.split()), most)


def _evidence(finding: Finding, clause: Clause) -> Iterator[tuple[str, str]]:
    yield "clause", clause.sentence
    yield "grade", clause.grade
    yield "in", clause.pointer
    for name in ("reason", "expected", "got"):
        if value := getattr(finding, name):
            yield name, value
    if finding.curl:
        yield "repeat", finding.curl
    exchanges = from_text(finding.transcript)
    if len(exchanges) > 1:
        lines = (line for exchange in exchanges for line in brief(exchange))
        yield from (("exchanges" if place == 0 else "", line) for place, line in enumerate(lines))
    for exchange in exchanges[-1:]:
        yield from (("stream" if place == 0 else "", line) for place, line in enumerate(event_lines(exchange)))
