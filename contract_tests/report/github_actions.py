"""What GitHub Actions is told: annotations, the summary of a job, and to take nothing of a server's for a command.

Source: GitHub's page "Workflow commands for GitHub Actions".
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from agent_contract.printable import printable
from contract_tests.verdict import WAIVED

if TYPE_CHECKING:
    from collections.abc import Callable

    from contract_tests.report.model import ClauseResult, Report

#: Word of a clause -> kind of its annotation.
KINDS: Mapping[str, str] = {"failed": "error", WAIVED: "warning", "warning": "warning"}
#: GitHub shows ten annotations of a kind for each step and drops the others.
MOST = 10
#: Maximum size of a job's summary, in bytes.
LARGEST_SUMMARY = 1024 * 1024


def is_requested(environment: Mapping[str, str]) -> bool:
    """Whether the process runs in GitHub Actions."""
    return environment.get("GITHUB_ACTIONS") == "true"


def annotated(report: Report) -> list[str]:
    """Return the workflow commands that annotate a run: failures, then waived ones and warnings."""
    found: dict[str, list[str]] = {"error": [], "warning": []}
    for word, kind in KINDS.items():
        found[kind] += [_command(kind, clause.id, _message(clause)) for clause in report.having(word)]
    if report.verdict.exit_code and not report.having("failed"):
        found["error"].insert(0, _command("error", "verdict", report.verdict.sentence))
    return [line for kind, commands in found.items() for line in _at_most(kind, commands)]


def add_summary(report: Report, environment: Mapping[str, str]) -> str:
    """Append the report as Markdown to the job's summary; return what kept it from that, or an empty text."""
    from contract_tests.report.markdown import to_markdown

    file = environment.get("GITHUB_STEP_SUMMARY", "")
    if not file:
        return ""
    text = to_markdown(report)
    if len(text.encode("utf-8", "replace")) > LARGEST_SUMMARY:
        text = to_markdown(report, evidence=False)
    try:
        with Path(file).open("a", encoding="utf-8", errors="replace", newline="\n") as summary:
            summary.write(f"{text}\n")
    except OSError as error:
        return f"the job's summary can't be written: {error.strerror} ({file})"
    return ""


@contextmanager
def commands_stopped(say: Callable[[str], object]) -> Iterator[None]:
    """Let GitHub take nothing for a command that is printed meanwhile: some of it are a server's words."""
    token = secrets.token_hex(16)
    say(f"::stop-commands::{token}")
    try:
        yield
    finally:
        say(f"::{token}::")


def _message(clause: ClauseResult) -> str:
    seen = clause.reason or f"expected {clause.expected}; got {clause.got}"
    return f"{clause.sentence} ({clause.grade}) {clause.word}: {seen}"


def _command(kind: str, title: str, message: str) -> str:
    return f"::{kind} title={_escaped(title, ':,')}::{_escaped(printable(message))}"


def _escaped(text: str, more: str = "") -> str:
    """Return the text as a workflow command carries it: a property has more to escape than a message."""
    for sign in "%\r\n" + more:
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def _at_most(kind: str, commands: list[str]) -> list[str]:
    if len(commands) <= MOST:
        return commands
    rest = len(commands) - MOST + 1
    return [*commands[: MOST - 1], _command(kind, "more", f"{rest} more clauses; the job's summary has them all")]
