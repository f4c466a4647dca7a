"""A report as Markdown for a pull request: failures and warnings first, the rest folded."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent_contract.printable import printable
from contract_tests.report.model import CHANGES
from contract_tests.report.phrases import headline, measured
from contract_tests.report.transcript import brief, event_lines
from contract_tests.verdict import WAIVED, WORDS

if TYPE_CHECKING:
    from contract_tests.report.model import ClauseResult, Comparison, Report

#: The verdicts that are shown; clauses with other verdicts are folded.
OPEN = ("failed", WAIVED, "warning")
#: The most characters of an expected or observed value in a table.
LONGEST = 200
_SPECIAL = re.compile(r"([\\`*_{}\[\]()<>#+!|~@$&])")


def to_markdown(report: Report, evidence: bool = True) -> str:
    """Return the report as GitHub's Markdown, without the evidence if it does not fit."""
    return "\n".join(_lines(report, evidence)) + "\n"


def _lines(report: Report, evidence: bool) -> Iterator[str]:
    yield f"## {headline(report)}"
    yield ""
    yield f"{escaped(report.verdict.sentence)} (exit {report.verdict.exit_code})"
    yield ""
    yield from (f"- {escaped(name)}: {escaped(value)}" for name, value in measured(report))
    yield ""
    yield f"**{', '.join(f'{count} {word}' for word, count in report.verdict.counts.items())}**"
    if report.comparison:
        yield from _compared(report.comparison)
    yield from _open(report, evidence)
    yield from _folded(report)


def _open(report: Report, evidence: bool) -> Iterator[str]:
    shown = [clause for word in OPEN for clause in report.having(word)]
    if not shown:
        return
    excuses = {waiver.clause: f"waived until {waiver.until}: {waiver.reason}" for waiver in report.waivers}
    yield ""
    yield "| | clause | grade | seen |"
    yield "| --- | --- | --- | --- |"
    for clause in shown:
        excuse = excuses.get(clause.id, "") if clause.word == WAIVED else ""
        seen = " · ".join(filter(None, (_cut(_seen(clause)), excuse)))
        sentence = f"`{clause.id}`<br>{escaped(clause.sentence)}"
        yield f"| {clause.word} | {sentence} | {clause.grade} | {escaped(seen)} |"
    if evidence:
        for clause in shown:
            if clause.word != "warning":
                yield from _evidence(clause)


def _evidence(clause: ClauseResult) -> Iterator[str]:
    yield ""
    yield f"<details><summary>{clause.word}: <code>{clause.id}</code></summary>"
    yield ""
    yield f"In `{clause.pointer}`. To test it alone:"
    yield ""
    yield from _block("sh", clause.command)
    for name, text in (("expected", clause.expected), ("got", clause.got), ("reason", clause.reason)):
        if text:
            yield ""
            yield f"{name}:"
            yield ""
            yield from _block("text", text)
    if clause.curl:
        yield ""
        yield "The request again:"
        yield ""
        yield from _block("sh", clause.curl)
    if clause.transcript:
        yield ""
        yield "What was exchanged:" if clause.earlier else "The exchange:"
        yield ""
        lines = [line for exchange in (*clause.earlier, clause.transcript) for line in brief(exchange)]
        yield from _block("text", "\n".join([*lines, *event_lines(clause.transcript)]))
    yield ""
    yield "</details>"


def _folded(report: Report) -> Iterator[str]:
    for word in WORDS:
        clauses = report.having(word)
        if word in OPEN or not clauses:
            continue
        yield ""
        yield f"<details><summary>{len(clauses)} {word}</summary>"
        yield ""
        for clause in clauses:
            reason = f" ({escaped(_cut(clause.reason))})" if clause.reason else ""
            yield f"- `{clause.id}` {escaped(clause.sentence)}{reason}"
        yield ""
        yield "</details>"


def _compared(comparison: Comparison) -> Iterator[str]:
    yield ""
    yield f"Compared with {comparison.started_at}: **{comparison.summary}**"
    if not comparison.same_contract:
        yield ""
        yield "The baseline was judged by another version of the contract."
    if comparison.changes:
        yield ""
        yield "| | clause | before → now |"
        yield "| --- | --- | --- |"
        for change in CHANGES:
            for one in comparison.having(change):
                yield f"| {change} | `{one.clause}` | {one.described} |"


def _seen(clause: ClauseResult) -> str:
    return clause.reason or (f"expected {clause.expected}; got {clause.got}" if clause.expected else "")


def _cut(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _block(language: str, text: str) -> Iterator[str]:
    """Yield a fenced block whose fence is longer than any in the text."""
    shown = printable(text)
    fence = "`" * max(3, *(len(run) + 1 for run in re.findall(r"`+", shown)), 3)
    yield f"{fence}{language}"
    yield shown
    yield fence


def escaped(text: str) -> str:
    """Return the text so that Markdown shows it as it is, on one line: no mention, link, markup or cell of its own."""
    line = " ".join(printable(text).split())
    return _SPECIAL.sub(lambda match: html.escape(match[1]) if match[1] in "<>&" else _entity(match[1]), line)


def _entity(sign: str) -> str:
    return f"&#{ord(sign)};" if sign in "@|" else f"\\{sign}"
