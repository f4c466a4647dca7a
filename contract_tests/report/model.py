"""A report as a frozen value: the deployment, the contract, and the verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from contract_tests.deployment.cold_start import ColdStart
from contract_tests.report.transcript import Transcript
from contract_tests.report.waivers import Waiver

VERSION = 2
#: How a clause can change since the baseline, worst first, with its meaning.
CHANGES: Mapping[str, str] = {
    "worse": "the deployment is further from the clause than in the baseline",
    "better": "the deployment is closer to the clause than in the baseline",
    "new": "the baseline did not know the clause",
    "gone": "the contract does not have the clause any more",
    "unclear": "only one of the two runs saw anything of it",
}


@dataclass(frozen=True, slots=True)
class Change:
    """The change of one clause: a key of `CHANGES`, and its verdicts before and after, empty if it did not exist."""

    clause: str
    change: str
    before: str
    after: str

    @property
    def described(self) -> str:
        """From which word to which, as in `passed → failed`."""
        return " → ".join(filter(None, (self.before, self.after)))


@dataclass(frozen=True, slots=True)
class Comparison:
    """This run compared with a baseline: when and where that ran, its contract, and what has changed."""

    started_at: str
    url: str
    digest: str
    same_contract: bool
    changes: tuple[Change, ...]

    def having(self, change: str) -> tuple[Change, ...]:
        """Return the changes of one kind."""
        return tuple(one for one in self.changes if one.change == change)

    @property
    def summary(self) -> str:
        """How many clauses became what, as in `1 worse, 2 better`, or that nothing has changed."""
        counts = [f"{len(self.having(change))} {change}" for change in CHANGES if self.having(change)]
        return ", ".join(counts) or "nothing has changed"


@dataclass(frozen=True, slots=True)
class JudgedContract:
    """The contract that was judged by: its digest is that of the parsed document."""

    title: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class JudgedDeployment:
    """What was judged: the URL as it was given, and the agent that was asked."""

    url: str
    agent_id: str


@dataclass(frozen=True, slots=True)
class RunSummary:
    """The exit code of the run, its reason in a sentence, and the number of clauses for each verdict."""

    exit_code: int
    sentence: str
    counts: Mapping[str, int]
    undecided: tuple[str, ...] = ()  #: `core` clauses that the run could not decide


@dataclass(frozen=True, slots=True)
class OperationCoverage:
    """An operation, the statuses that the document lists for it, and how often each was answered."""

    id: str
    method: str
    path: str
    documented: tuple[str, ...]
    answered: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ClauseResult:
    """A clause and what was found of it: a key of `contract_tests.verdict.WORDS`, with its evidence.

    `command` judges this clause alone, `curl` repeats the request that shows the finding, `transcript` is that
    exchange, and `earlier` those that led to it: the turns of a session, and what they are compared with.
    """

    id: str
    sentence: str
    grade: str
    since: str
    operations: tuple[str, ...]
    pointer: str
    word: str
    reason: str
    expected: str
    got: str
    curl: str
    command: str
    transcript: Transcript | None = None
    earlier: tuple[Transcript, ...] = ()
    judged_on: tuple[str, ...] = ()  #: those of `operations` that were asked


@dataclass(frozen=True, slots=True)
class Report:
    """One run. What differs from run to run for no reason of the deployment's is `started_at`, in UTC,
    `duration_seconds`, and in transcripts `at_seconds` and `date`.

    `cold_start` is set if the run had to wait for the deployment's model to be loaded. `tokens` are those that
    the deployment counted in its answers; `clauses` are in the order of the document.
    """

    started_at: str
    duration_seconds: float
    versions: Mapping[str, str]
    contract: JudgedContract
    target: JudgedDeployment
    seed: int
    options: Mapping[str, Any]
    requests: int
    tokens: int
    verdict: RunSummary
    waivers: tuple[Waiver, ...]
    operations: tuple[OperationCoverage, ...]
    clauses: tuple[ClauseResult, ...]
    comparison: Comparison | None = None
    cold_start: ColdStart | None = None
    version_reason: str = ""  #: why the deployment was tested as the contract's version
    left_behind: tuple[str, ...] = ()  #: objects that were created and could not be removed

    def having(self, *words: str) -> tuple[ClauseResult, ...]:
        """Return the clauses with one of these words."""
        return tuple(clause for clause in self.clauses if clause.word in words)
