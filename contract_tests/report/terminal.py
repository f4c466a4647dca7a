"""The verdict for people: failures with their evidence, warnings, and a summary of the rest."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeAlias

from rich import box
from rich.table import Table
from rich.text import Text

from agent_contract.messages import GRADE_MEANINGS
from agent_contract.printable import shorten
from contract_tests.deployment.budget import NOT_MANAGED
from contract_tests.report.build import command
from contract_tests.report.comparison import lines
from contract_tests.report.sections import OTHER, TOPICS, topic
from contract_tests.report.transcript import brief, event_lines, from_text
from contract_tests.verdict import WAIVED, WORDS

if TYPE_CHECKING:
    from rich.console import Console

    from agent_contract.messages import Clause
    from contract_tests.options import Options
    from contract_tests.report.run_result import RunResult
    from contract_tests.verdict import Finding

Shown: TypeAlias = Table | Text

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
    """Print failures, warnings, a summary by topic, what has changed, and as the last line the conclusion.

    `--verbose`, or a choice of clauses, adds a table of each clause; `--quiet` leaves failures and the last lines.
    """
    options = result.options
    parts = [_failures(result)]
    if not options.quiet:
        parts = [_version(result), *parts, _warnings(result), _changes(result)]
        parts.append(_each_clause(result) if _lists_each(options) else _summary(result))
        parts.append(_legend(result))
    parts.append(_conclusion(result))
    for number, part in enumerate(filter(None, parts)):
        if number and not (isinstance(part[0], Table) and part[0].box):  # a box begins with a blank line
            console.print()
        for printed in part:
            console.print(printed, soft_wrap=isinstance(printed, Text))


def _version(result: RunResult) -> list[Shown]:
    return [Text(f"{result.contract.title}, {result.version}")] if result.version.reason else []


def _failures(result: RunResult) -> list[Shown]:
    """Return each failed clause with its evidence."""
    found: list[Shown] = []
    for finding in _having(result, "failed"):
        clause = result.clauses[finding.clause]
        lines = [f"{name:>9}  {value}" for name, value in _evidence(finding, clause)]
        lines.append(f"    alone  {command(result.options, clause.id)}")
        found += [Text(f"failed  {clause.id}", style=_STYLES["failed"]), Text("\n".join(lines)), Text("")]
    return found[:-1]


def _warnings(result: RunResult) -> list[Shown]:
    """Return the clauses whose verdict is worth a look, but fails no run."""
    found = _having(result, WAIVED, "warning")
    return [_table(result, found)] if found else []


def _each_clause(result: RunResult) -> list[Shown]:
    """Return a table of the other clauses that were selected."""
    words = [word for word in WORDS if word not in ("failed", WAIVED, "warning", "skipped")]
    return [_table(result, found)] if (found := _having(result, *words)) else []


def _summary(result: RunResult) -> list[Shown]:
    """Return how many clauses of each topic got which verdict."""
    words = [word for word in WORDS if word != "skipped" and _having(result, word)]
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("clauses about")
    for word in words:
        table.add_column(word, justify="right", style=_STYLES[word])
    counts = Counter((topic(id).title, finding.word) for id, finding in result.verdicts.items())
    for title in (one.title for one in (*TOPICS, OTHER)):
        row = [str(counts[title, word] or "") for word in words]
        if any(row):
            table.add_row(title, *row)
    return [table, Text("--verbose lists each clause with its verdict, and why.", style="dim")] if words else []


def _changes(result: RunResult) -> list[Shown]:
    return [Text("\n".join(lines(result.comparison)))] if result.comparison else []


def _legend(result: RunResult) -> list[Shown]:
    """Return what the verdicts mean, and the grades if the clauses are listed with theirs."""
    legend = Table.grid(padding=(0, 2))
    legend.add_column(no_wrap=True, style="dim")
    legend.add_column(style="dim")
    seen = [finding for finding in result.verdicts.values() if finding.word != "skipped"]
    words = {finding.word for finding in seen}
    grades = {result.clauses[finding.clause].grade for finding in seen if _is_listed(finding, result.options)}
    for meanings, used in ((WORDS, words), (GRADE_MEANINGS, grades)):
        for name, meaning in meanings.items():
            if name in used:
                legend.add_row(name, meaning)
    return [legend] if seen else []


def _is_listed(finding: Finding, options: Options) -> bool:
    return finding.word in (WAIVED, "warning") or _lists_each(options)


def _lists_each(options: Options) -> bool:
    """Whether each clause is listed: on request, and when the user chose some."""
    return bool(options.verbose or options.clauses)


def _conclusion(result: RunResult) -> list[Shown]:
    left = [Text(f"could not be removed: {one}", style=_STYLES["failed"]) for one in result.traffic.left_behind]
    agents = sum(finding.reason == NOT_MANAGED for finding in result.verdicts.values())
    hint = f"; {agents} of the skipped clauses need an agent or a knowledge base of their own: --manage creates some"
    counts = f"{counted(result.verdicts.values())}, {result.traffic.requests} requests{hint if agents else ''}"
    code, sentence = int(result.conclusion.code), result.conclusion.sentence
    notice = [Text(result.notice)] if result.notice else []
    return [*notice, *left, Text(counts), Text(f"exit {code}: {sentence}", style="bold")]


def _having(result: RunResult, *words: str) -> list[Finding]:
    return [finding for finding in result.verdicts.values() if finding.word in words]


def _table(result: RunResult, findings: Iterable[Finding]) -> Table:
    """Return a table of clauses: verdict, grade, id, and the reason."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, expand=False)
    table.add_column("verdict", no_wrap=True)
    table.add_column("grade", no_wrap=True)
    table.add_column("clause, and why")
    for finding in findings:
        why = Text(f"\n{_shortened(note(finding))}" if note(finding) else "", style="dim")
        table.add_row(
            Text(finding.word, style=_STYLES[finding.word]),
            result.clauses[finding.clause].grade,
            Text(finding.clause) + why,
        )
    return table


def _shortened(text: str, most: int = 160) -> str:
    return shorten(" ".join(text.split()), most)


def _evidence(finding: Finding, clause: Clause) -> Iterator[tuple[str, str]]:
    yield "clause", clause.sentence
    yield "grade", f"{clause.grade}: {GRADE_MEANINGS[clause.grade]}"
    yield "means", topic(clause.id).impact
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
