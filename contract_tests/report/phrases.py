"""Phrases that all reports share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from contract_tests.verdict import Exit, some

if TYPE_CHECKING:
    from contract_tests.report.model import Report

_SAID: Mapping[str, str] = {
    "failed": "failed",
    "failed (waived)": "failed and waived",
    "warning": "with a warning",
    "not supported": "not supported",
}

_TRUTH: Mapping[str, str] = {"True": "yes", "False": "no"}
#: The text for an option without a value.
_UNSET: Mapping[str, str] = {
    "clauses": "all",
    "api_version": "detected",
    "max_tokens": "no limit",
    "deadline": "none",
    "rate": "no limit",
}


def headline(report: Report) -> str:
    """Return the verdict in one short sentence, without a full stop."""
    code, undecided = report.verdict.exit_code, report.verdict.undecided
    worse = len(report.comparison.having("worse")) if report.comparison else 0
    since = f"{_clauses(worse)} got worse" if worse else ""
    failed = len(report.having("failed"))
    parts: Mapping[int, str] = {
        Exit.PASSED: "The deployment passed",
        Exit.FAILED: f"{_clauses(failed)} failed" if failed else "" if worse else "The waivers need a change",
        Exit.NO_VERDICT: f"No verdict: {_clauses(len(undecided), 'core clause')} not decided: {some(undecided)}"
        if undecided
        else "No verdict",
        Exit.INTERRUPTED: "The run was interrupted",
    }
    return ", ".join(filter(None, (parts.get(code, "No verdict"), since)))


def _clauses(number: int, noun: str = "clause") -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def lead(report: Report) -> str:
    """Return the counts of the verdicts in a sentence or two."""
    counts = report.verdict.counts
    judged = sum(count for word, count in counts.items() if word not in ("not tested", "skipped"))
    if not judged:
        return "No clause was tested."
    parts = [f"{counts.get('passed', 0)} of the {judged} tested clauses passed"]
    parts += [f"{counts[word]} {said}" for word, said in _SAID.items() if word in counts]
    unseen = counts.get("not tested", 0)
    rest = f" {unseen} not tested." if unseen else ""
    return f"{', '.join(parts)}.{rest}"


def measured(report: Report) -> list[tuple[str, str]]:
    """Return what was judged, with which contract, when and at what cost, as pairs of a name and a string."""
    agent = [("Agent", report.target.agent_id)] if report.target.agent_id else []
    judged = f"{report.contract.title} {report.contract.version}"
    version = [("Version", f"{report.contract.version}: {report.version_reason}")] if report.version_reason else []
    cold_start = [("Cold start", str(report.cold_start))] if report.cold_start else []
    return [
        ("Deployment", report.target.url),
        *agent,
        ("Contract", f"{judged} ({short_digest(report.contract.digest)})"),
        *version,
        ("Started", readable_time(report.started_at)),
        ("Cost", f"{report.requests} requests, {report.tokens:,} tokens, {report.duration_seconds:.1f} s"),
        *cold_start,
        *(("Left behind", one) for one in report.left_behind),
    ]


def settings(report: Report) -> list[tuple[str, str]]:
    """Return the options of the run, as pairs of a name and a string."""
    pairs = [("Seed", str(report.seed))]
    for name, value in report.options.items():
        text = ", ".join(map(str, value)) if isinstance(value, list) else _TRUTH.get(str(value), str(value))
        pairs.append((name.replace("_", " ").capitalize(), text if value else _UNSET.get(name, text)))
    return pairs


def readable_time(iso: str) -> str:
    """Return a time as people read it: `2026-11-23 16:20 UTC`."""
    return f"{iso[:10]} {iso[11:16]} UTC"


def short_digest(digest: str) -> str:
    """Return the beginning of a digest, enough to distinguish two."""
    return digest[: len("sha256:") + 12]
