"""The findings on sessions as text and as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict

import orjson

from mockserver.analysis.session_lint import Misuse


def as_text(findings: Sequence[Misuse]) -> str:
    """Return two lines for each finding, and the sum of the wasted tokens."""
    if not findings:
        return "no misuse of sessions"
    lines = [line for finding in findings for line in describe(finding)]
    wasted = sum(finding.wasted_tokens for finding in findings)
    return "\n".join([*lines, f"{len(findings)} found, {wasted} tokens wasted"])


def describe(finding: Misuse) -> list[str]:
    """Return a finding in two lines: its place with the problem, and the remedy."""
    place = f"request {finding.request}"
    place += f", turn {finding.turn} of session {finding.session}" if finding.session else ""
    tokens = f" ({finding.wasted_tokens} tokens wasted)" if finding.wasted_tokens else ""
    return [f"{finding.rule}: {place}: {finding.problem}{tokens}", f"  remedy: {finding.remedy}"]


def as_json(findings: Sequence[Misuse]) -> str:
    """Return the findings as a list of JSON objects."""
    return orjson.dumps([asdict(finding) for finding in findings], option=orjson.OPT_INDENT_2).decode()
