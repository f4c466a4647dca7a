"""Makes the report of a run."""

from __future__ import annotations

import platform
import shlex
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from agent_contract.messages import JSON
from contract_tests.options import given
from contract_tests.report.model import ClauseSeen, Deployment, Judged, OperationSeen, Report, Verdict
from contract_tests.report.transcript import from_text
from contract_tests.verdict import WORDS
from contract_tests.wire.exchange import TOKEN_VARIABLE
from contract_tests.wire.stream_rules import usages

if TYPE_CHECKING:
    from agent_contract import Contract
    from agent_contract.messages import Clause
    from contract_tests.deployment.cold_start import ColdStart
    from contract_tests.options import Options
    from contract_tests.runner.run import Run
    from contract_tests.verdict import Finding
    from contract_tests.wire.exchange import Asked

#: The libraries on which a verdict depends, beside this kit and Python.
LIBRARIES = (
    "agent-contract",
    "httpx",
    "hypothesis",
    "openapi-core",
    "pytest",
    "schemathesis",
)
#: The options besides those of access that decide how a clause is tested.
REPEATED = ("agent_id", "api_version", "breadth", "seed", "manage_agents")
#: The operation that a request reaches that names none.
_OPERATION = "createAssistantChatCompletion"


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was sent: requests, the tokens that the answers counted, how often each status came back, by operation
    and status, how long a cold deployment was waited for before, and the agents that could not be removed.
    """

    requests: int = 0
    tokens: int = 0
    answered: Mapping[str, int] = field(default_factory=dict)
    cold_start: ColdStart | None = None
    left_behind: tuple[str, ...] = ()

    def __add__(self, other: Traffic) -> Traffic:
        answered = dict(sorted((Counter(self.answered) + Counter(other.answered)).items()))
        waits = filter(None, (self.cold_start, other.cold_start))
        longest = max(waits, key=lambda wait: wait.seconds, default=None)
        left = (*self.left_behind, *other.left_behind)
        return Traffic(self.requests + other.requests, self.tokens + other.tokens, answered, longest, left)


def traffic_of(run: Run | None) -> Traffic:
    """Return what a run has sent in this process; nothing without a run."""
    if run is None or run.probe is None:
        return Traffic(cold_start=run.cold_start if run else None)
    log = run.probe.prober.log
    answered = Counter(f"{asked.operation or _OPERATION} {asked.status}" for asked in log if asked.status)
    sent, counted = run.probe.prober.budget.sent, sum(map(tokens, log))
    return Traffic(sent, counted, dict(sorted(answered.items())), run.cold_start, run.left_behind)


def report_of(run: Run, traffic: Traffic, started: datetime, seconds: float) -> Report:
    """Return the report of a run that began at `started`, in UTC, and took so many seconds."""
    verdicts = run.verdicts()
    code, sentence = run.conclusion()
    counts = Counter(finding.word for finding in verdicts.values())
    hide = run.hide
    return Report(
        started_at=started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration_seconds=round(seconds, 1),
        versions=versions(),
        contract=Judged(run.contract.title, run.version.name if run.version else _version_of(run), run.contract.digest),
        target=Deployment(hide(run.options.url), _agent(run)),
        seed=run.options.seed,
        options=told(run.options, bool(run.credentials)),
        requests=traffic.requests,
        tokens=traffic.tokens,
        verdict=Verdict(int(code), hide(sentence), {word: counts[word] for word in WORDS if counts[word]}),
        waivers=run.waiving.waivers,
        operations=tuple(_operations(run.contract, traffic.answered)),
        clauses=tuple(_clause(clause, verdicts[clause.id], run.options) for clause in run.contract.clauses),
        cold_start=traffic.cold_start,
        left_behind=traffic.left_behind,
        version_reason=run.version.reason if run.version else "",
    )


def versions() -> dict[str, str]:
    """Return the versions of Python, of this kit, and of the libraries that judge."""
    return {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}}


def told(options: Options, token: bool) -> dict[str, JSON]:
    """Return the options that a verdict depends on, and whether a token was sent; secrets are none of them."""
    return {
        "clauses": list(options.clauses),
        "api_version": options.api_version,
        "breadth": options.breadth,
        "max_requests": options.max_requests,
        "max_tokens": options.max_tokens,
        "timeout": options.timeout,
        "deadline": options.deadline,
        "rate": options.rate,
        "no_sessions": options.no_sessions,
        "manage_agents": options.manage_agents,
        "token": token,
    }


def command(options: Options, clause: str) -> str:
    """Return the command that tests one clause alone, with the same options."""
    repeated = [(f"--{one.name}", text) for one, text in given(options) if one.access or one.field in REPEATED]
    token = [("--token-env", TOKEN_VARIABLE)] if options.token else []
    pairs = [*token, *repeated, ("--clause", clause)]
    words = ["agent-contract", "verify", options.url, *(word for pair in pairs for word in pair if word)]
    return shlex.join(words)


def tokens(asked: Asked) -> int:
    """Return the tokens that the deployment counted for an exchange; 0 where it said nothing."""
    if asked.media_type == "text/event-stream":
        found = usages(asked.events)
        usage: object = found[-1][1] if found else None
    else:
        value = asked.json() if asked.status == 200 else None
        usage = value.get("usage") if isinstance(value, dict) else None
    total = usage.get("total_tokens") if isinstance(usage, Mapping) else None
    return total if isinstance(total, int) and total > 0 else 0


def _clause(clause: Clause, finding: Finding, options: Options) -> ClauseSeen:
    *earlier, decisive = from_text(finding.transcript) or (None,)
    return ClauseSeen(
        id=clause.id,
        sentence=clause.sentence,
        grade=clause.grade,
        since=clause.since,
        operations=clause.operations,
        pointer=clause.pointer,
        word=finding.word,
        reason=finding.reason,
        expected=finding.expected,
        got=finding.got,
        curl=finding.curl,
        command=command(options, clause.id),
        transcript=decisive,
        earlier=tuple(one for one in earlier if one),
    )


def _operations(contract: Contract, answered: Mapping[str, int]) -> Iterator[OperationSeen]:
    for operation in contract.operations.values():
        whose = ((key.partition(" "), number) for key, number in answered.items())
        seen = {status: number for (id, _, status), number in whose if id == operation.id}
        documented = tuple(sorted(operation.responses))
        yield OperationSeen(operation.id, operation.method, operation.path, documented, seen)


def _version_of(run: Run) -> str:
    """Return the version of a run that has not asked the deployment in this process."""
    return run.api_version or run.contract.version


def _agent(run: Run) -> str:
    return dict(run.probe.prober.target.parameters).get("agent_id", "") if run.probe else run.options.agent_id


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "from a checkout"
