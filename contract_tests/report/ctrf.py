"""A report in the Common Test Report Format: each clause is a test.

Source: https://ctrf.io, version 0.0 of its schema.
"""

from __future__ import annotations

import json
from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any

from contract_tests.report.sections import topic
from contract_tests.verdict import WAIVED

if TYPE_CHECKING:
    from contract_tests.report.model import ClauseResult, Report

#: The status of each verdict; `rawStatus` keeps the verdict itself.
STATUSES = {
    "failed": "failed",
    WAIVED: "other",
    "warning": "other",
    "not tested": "pending",
    "not supported": "skipped",
    "passed": "passed",
    "skipped": "skipped",
}


def ctrf_of(report: Report) -> str:
    """Return the report as CTRF. The time of a single clause is not measured: its duration is 0."""
    start = int(datetime.fromisoformat(report.started_at).timestamp() * 1000)
    counts = Counter(STATUSES[clause.word] for clause in report.clauses)
    summary = {status: counts[status] for status in ("passed", "failed", "skipped", "pending", "other")}
    content = {
        "reportFormat": "CTRF",
        "specVersion": "0.0.0",
        "generatedBy": "agent-contract",
        "timestamp": report.started_at,
        "results": {
            "tool": {"name": "agent-contract", "version": report.versions["agent-contract"]},
            "summary": {
                "tests": len(report.clauses),
                **summary,
                "start": start,
                "stop": start + int(report.duration_seconds * 1000),
            },
            "tests": [_test(clause) for clause in report.clauses],
            "environment": {
                "appName": report.contract.title,
                "appVersion": report.contract.version,
                "extra": {"url": report.target.url, "agent_id": report.target.agent_id, "seed": report.seed},
            },
        },
    }
    return json.dumps(content, indent=1, ensure_ascii=False) + "\n"


def _test(clause: ClauseResult) -> dict[str, Any]:
    seen = clause.reason or (f"expected {clause.expected}; got {clause.got}" if clause.expected else "")
    message = {"message": seen} if seen else {}
    return {
        "name": clause.id,
        "status": STATUSES[clause.word],
        "rawStatus": clause.word,
        "duration": 0,
        "suite": [topic(clause.id).title],
        "tags": [clause.grade],
        **message,
        "extra": {"sentence": clause.sentence, "command": clause.command, "pointer": clause.pointer},
    }
