"""A report as SARIF, and as GitLab's code quality: failures at the lines of `openapi.yaml` that they break.

Sources: OASIS SARIF 2.1.0; GitLab's page "Code Quality".
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import TYPE_CHECKING

from agent_contract import load_contract
from agent_contract.printable import printable
from agent_contract.sarif import SarifResult, to_sarif
from contract_tests.report.sections import topic
from contract_tests.verdict import WAIVED

if TYPE_CHECKING:
    from contract_tests.report.model import ClauseResult, Report

#: The verdicts that are reported, each with its level in SARIF and its severity at GitLab.
LEVELS = {"failed": ("error", "critical"), WAIVED: ("error", "info"), "warning": ("warning", "minor")}


def sarif_of(report: Report) -> str:
    """Return the report as SARIF. Each clause is a rule; a waived failure is suppressed, with the waiver's reason."""
    excuses = {waiver.clause: f"waived until {waiver.until}: {waiver.reason}" for waiver in report.waivers}
    rules = {clause.id: clause.sentence for clause in report.clauses}
    results = [
        SarifResult(
            clause.id,
            LEVELS[clause.word][0],
            _message(clause),
            path,
            line,
            excuses.get(clause.id, "") if clause.word == WAIVED else "",
        )
        for clause, path, line in _found(report)
    ]
    return to_sarif(report.versions["agent-contract"], rules, results)


def code_quality_of(report: Report) -> str:
    """Return the report as the JSON that GitLab shows in a merge request."""
    issues = [
        {
            "description": _message(clause),
            "check_name": clause.id,
            "fingerprint": SarifResult(clause.id, "", "", path, line).fingerprint,
            "severity": LEVELS[clause.word][1],
            "location": {"path": path, "lines": {"begin": line}},
        }
        for clause, path, line in _found(report)
    ]
    return json.dumps(issues, indent=1, ensure_ascii=False) + "\n"


def _found(report: Report) -> Iterator[tuple[ClauseResult, str, int]]:
    """Yield what is reported, with the document's name and the line of the clause, 1 if the document lacks it."""
    contract = load_contract(every_version=True)
    lines = {clause.id: contract.line(clause.pointer) for clause in contract.clauses}
    for word in LEVELS:
        for clause in report.having(word):
            yield clause, contract.source.name, lines.get(clause.id) or 1


def _message(clause: ClauseResult) -> str:
    seen = clause.reason or f"expected {clause.expected}; got {clause.got}"
    return printable(f"{clause.sentence} {clause.grade}, {clause.word}: {topic(clause.id).impact}. {seen}")
