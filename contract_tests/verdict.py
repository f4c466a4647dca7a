"""The verdicts on clauses, and the exit code that follows from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from enum import IntEnum
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_contract.messages import Clause
    from contract_tests.wire.exchange import Exchange

#: The word of a failed clause that a waiver excuses.
WAIVED = "failed (waived)"
#: The verdicts on a clause, worst first, with their meanings.
WORDS: Mapping[str, str] = {
    "failed": "the deployment does not do what the clause requires",
    WAIVED: "failed, and excused by a waiver",
    "warning": "not as the clause requires, but its grade never fails a run; or undecidable",
    "not tested": "nothing was observed that could decide; the reason is given",
    "not supported": "the deployment does not have what the clause is about",
    "passed": "the deployment does what the clause requires",
    "skipped": "not selected for this run",
}
#: The prefix of the user properties that carry a finding in a test report, and in JUnit's XML.
_PROPERTY = "contract."
_RANK: Mapping[str, int] = {word: rank for rank, word in enumerate(WORDS)}


class Exit(IntEnum):
    """The exit codes of `agent-contract verify`."""

    PASSED = 0
    FAILED = 1
    NO_VERDICT = 2
    INTERRUPTED = 130


@dataclass(frozen=True, slots=True)
class Finding:
    """What a test found of a clause: a key of `WORDS`, with its evidence."""

    word: str
    reason: str = ""
    expected: str = ""
    got: str = ""
    curl: str = ""
    clause: str = ""
    transcript: str = ""  #: the exchanges that show it, as `contract_tests.report.transcript` writes them
    fault: bool = False  #: of the judge, not of the deployment
    operations: str = ""  #: the ids of the operations that were asked, separated by spaces


class NotPassed(Exception):
    """A test's verdict other than a simple pass; the last of the exchanges decided it."""

    def __init__(self, finding: Finding, *exchanges: Exchange) -> None:
        super().__init__(finding.reason or f"expected {finding.expected}, got {finding.got}")
        self.finding = finding
        self.exchanges = exchanges


def failed(expected: str, got: str, *exchanges: Exchange) -> NotPassed:
    """Return the verdict that the deployment did `got` and the clause wants `expected`.

    The exchanges are the evidence, in the order in which they are to be read: the last decided it.
    """
    return NotPassed(Finding("failed", expected=expected, got=got), *exchanges)


def warning(reason: str, *exchanges: Exchange) -> NotPassed:
    """Return the verdict that what was seen neither fulfils the clause nor disproves it."""
    return NotPassed(Finding("warning", reason), *exchanges)


def not_supported(reason: str) -> NotPassed:
    """Return the verdict that the deployment lacks what the clause is about, which is allowed."""
    return NotPassed(Finding("not supported", reason))


def no_further_finding(reason: str) -> NotPassed:
    """Return the verdict of a test that supplements another test of its clause and observed nothing this time."""
    return NotPassed(Finding("skipped", reason))


def not_tested(reason: str) -> NotPassed:
    """Return the verdict that nothing was observed that could decide the clause."""
    return NotPassed(Finding("not tested", reason))


def graded(finding: Finding, clause: Clause) -> Finding:
    """Return the finding with the clause's id. A clause whose grade never fails a run gets a warning, not a failure."""
    word = "warning" if finding.word == "failed" and not clause.fails_a_run else finding.word
    return replace(finding, clause=clause.id, word=word)


def to_user_properties(finding: Finding) -> list[tuple[str, str]]:
    """Return the finding as the user properties of a test report."""
    return [(f"{_PROPERTY}{name}", str(value)) for name, value in asdict(finding).items() if value]


def from_user_properties(properties: Iterable[tuple[str, object]]) -> Finding | None:
    """Return the finding that a report's user properties hold, if they hold one."""
    found = {name.removeprefix(_PROPERTY): str(value) for name, value in properties if name.startswith(_PROPERTY)}
    return Finding(**{**found, "fault": "fault" in found}) if found else None  # type: ignore[arg-type]


def worst(findings: Iterable[Finding]) -> Finding:
    """Return the worst of one clause's findings, the first of equals."""
    return min(findings, key=lambda finding: _RANK[finding.word])


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Return the findings by the order of `WORDS`, equals as they came."""
    return sorted(findings, key=lambda finding: _RANK[finding.word])


@dataclass(frozen=True, slots=True)
class Conclusion:
    """How a run ended: the exit code, its reason in a sentence, and the `core` clauses that were not decided."""

    code: Exit
    sentence: str
    undecided: tuple[str, ...] = ()


def conclude(
    findings: Mapping[str, Finding],
    clauses: Mapping[str, Clause],
    stopped: str = "",
    interrupted: bool = False,
    objections: Sequence[str] = (),
    worse: Sequence[str] = (),
) -> Conclusion:
    """Return how a run ended.

    `findings` has one for each clause; `stopped` is what ended the run early, if anything did;
    `objections` are faults of the waivers; `worse` are the clauses whose getting worse fails the run.
    """
    failures = [id for id, finding in findings.items() if finding.word == "failed"]
    undecided = [id for id, finding in findings.items() if _undecided(finding, clauses[id])]
    faults = [id for id, finding in findings.items() if finding.fault]
    reasons = [
        *([f"failed: {some(failures)}"] if failures else []),
        *([f"worse than the baseline: {some(worse)}"] if worse else []),
        *objections,
    ]
    rules = (
        (interrupted, Exit.INTERRUPTED, "interrupted; the verdicts so far are above"),
        (bool(reasons), Exit.FAILED, "; ".join(reasons)),
        (bool(stopped), Exit.NO_VERDICT, f"no verdict: {stopped}"),
        (bool(faults), Exit.NO_VERDICT, f"no verdict: the test itself failed for {some(faults)}"),
        (bool(undecided), Exit.NO_VERDICT, f"no verdict: core clauses not decided: {some(undecided)}"),
        (True, Exit.PASSED, "passed"),
    )
    code, sentence = next((code, sentence) for holds, code, sentence in rules if holds)
    return Conclusion(code, sentence, tuple(undecided))


def _undecided(finding: Finding, clause: Clause) -> bool:
    """Return whether a clause of grade `core` has no verdict. A failed one is `failed`: its warning decides nothing."""
    return clause.grade == "core" and not clause.untestable and finding.word in ("not tested", "warning")


def some(ids: Sequence[str], most: int = 3) -> str:
    """Return the first ids, and the number of the others."""
    more = f" and {len(ids) - most} more" if len(ids) > most else ""
    return ", ".join(ids[:most]) + more
