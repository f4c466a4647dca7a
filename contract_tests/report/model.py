"""A report as a frozen value: what was judged, by what, where, and what was found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from agent_contract.messages import JSON
from contract_tests.deployment.cold_start import ColdStart
from contract_tests.report.comparison import Comparison
from contract_tests.report.transcript import Transcript
from contract_tests.report.waivers import Waiver

#: What a saved report says that it is, and the version of its form.
FORMAT = "agent-contract-report"
VERSION = 2


@dataclass(frozen=True, slots=True)
class Judged:
    """The contract that was judged by: its digest is that of the parsed document."""

    title: str
    version: str
    digest: str


@dataclass(frozen=True, slots=True)
class Deployment:
    """What was judged: the URL as it was given, and the agent that was asked."""

    url: str
    agent_id: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The exit code of the run, the sentence that says why, and how many clauses got which word."""

    exit_code: int
    sentence: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class OperationSeen:
    """An operation, the statuses that the document lists for it, and how often each was answered."""

    id: str
    method: str
    path: str
    documented: tuple[str, ...]
    answered: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class ClauseSeen:
    """A clause and what was found of it: a key of `contract_tests.judgement.WORDS`, with its evidence.

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


@dataclass(frozen=True, slots=True)
class Report:
    """One run. What differs from run to run for no reason of the deployment's is `started_at`, in UTC,
    `duration_seconds`, and in transcripts `at_seconds` and `date`.

    `cold_start` is there where the deployment's model was not loaded yet and was waited for. `tokens` are those that
    the deployment counted in its answers; `clauses` stand in the order of the document.
    """

    started_at: str
    duration_seconds: float
    versions: Mapping[str, str]
    contract: Judged
    target: Deployment
    seed: int
    options: Mapping[str, JSON]
    requests: int
    tokens: int
    verdict: Verdict
    waivers: tuple[Waiver, ...]
    operations: tuple[OperationSeen, ...]
    clauses: tuple[ClauseSeen, ...]
    comparison: Comparison | None = None
    cold_start: ColdStart | None = None
    version_reason: str = ""  #: why the deployment was tested as the contract's version
    left_behind: tuple[str, ...] = ()  #: agents that were created and could not be removed

    def having(self, *words: str) -> tuple[ClauseSeen, ...]:
        """Return the clauses with one of these words."""
        return tuple(clause for clause in self.clauses if clause.word in words)
