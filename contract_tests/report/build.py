"""Makes the report of a run."""

from __future__ import annotations

import os
import platform
import shlex
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping
from importlib.metadata import PackageNotFoundError, version
from typing import TYPE_CHECKING

from agent_contract.messages import JSON
from agent_contract.printable import printable
from agent_contract.redaction import HIDDEN
from contract_tests.options import given
from contract_tests.report.model import (
    ClauseResult,
    JudgedContract,
    JudgedDeployment,
    OperationCoverage,
    Report,
    RunSummary,
)
from contract_tests.report.transcript import from_text
from contract_tests.verdict import WORDS

if TYPE_CHECKING:
    from agent_contract import Contract
    from agent_contract.messages import Clause
    from contract_tests.options import Options
    from contract_tests.report.run_result import RunResult
    from contract_tests.verdict import Finding

#: The libraries that a verdict depends on, besides this kit and Python.
LIBRARIES = (
    "agent-contract",
    "httpx",
    "hypothesis",
    "openapi-core",
    "pytest",
    "schemathesis",
)
#: The options that decide how a clause is tested, without those for access.
REPEATED = ("agent_id", "api_version", "breadth", "seed", "manage")


def report_of(result: RunResult) -> Report:
    """Return the report of a run."""
    verdicts, traffic, conclusion = result.verdicts, result.traffic, result.conclusion
    counts = Counter(finding.word for finding in verdicts.values())
    contract = result.contract
    return Report(
        started_at=result.started.strftime("%Y-%m-%dT%H:%M:%SZ"),
        duration_seconds=round(result.seconds, 1),
        versions=versions(),
        contract=JudgedContract(contract.title, result.version.name, contract.digest),
        target=JudgedDeployment(result.url, result.agent_id),
        seed=result.options.seed,
        options=shown_options(result.options, result.authenticated),
        requests=traffic.requests,
        tokens=traffic.tokens,
        verdict=RunSummary(
            int(conclusion.code),
            conclusion.sentence,
            {word: counts[word] for word in WORDS if counts[word]},
            conclusion.undecided,
        ),
        waivers=result.waivers,
        operations=tuple(_operations(contract, traffic.answered)),
        clauses=tuple(_clause(clause, verdicts[clause.id], result.options) for clause in contract.clauses),
        cold_start=traffic.cold_start,
        left_behind=traffic.left_behind,
        comparison=result.comparison,
        version_reason=result.version.reason,
    )


def versions() -> dict[str, str]:
    """Return the versions of Python, of this kit, and of the libraries that judge."""
    return {"python": platform.python_version(), **{name: _version(name) for name in LIBRARIES}}


def shown_options(options: Options, token: bool) -> dict[str, JSON]:
    """Return the options that affect a verdict, and whether a token was sent; never secrets."""
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
        "manage": options.manage,
        "token": token,
    }


def command(options: Options, clause: str) -> str:
    """Return the command that tests one clause alone, with the same options; the value of `--header` is left out."""
    repeated = [
        (f"--{one.name}", f"{text.partition('=')[0]}={HIDDEN}" if one.field == "header" else text)
        for one, text in given(options)
        if one.access or one.field in REPEATED
    ]
    token = [("--token-env", options.token_variable)] if options.token else []
    pairs = [*token, *repeated, ("--clause", clause)]
    words = ["agent-contract", "verify", options.url, *(word for pair in pairs for word in pair if word)]
    return printable(subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words))


def _clause(clause: Clause, finding: Finding, options: Options) -> ClauseResult:
    *earlier, decisive = from_text(finding.transcript) or (None,)
    return ClauseResult(
        id=clause.id,
        sentence=clause.sentence,
        grade=clause.grade,
        since=clause.since,
        operations=clause.operations,
        judged_on=tuple(id for id in clause.operations if id in finding.operations.split()),
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


def _operations(contract: Contract, answered: Mapping[str, int]) -> Iterator[OperationCoverage]:
    for operation in contract.operations.values():
        whose = ((key.partition(" "), number) for key, number in answered.items())
        seen = {status: number for (id, _, status), number in whose if id == operation.id}
        documented = tuple(sorted(operation.responses))
        yield OperationCoverage(operation.id, operation.method, operation.path, documented, seen)


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "from a checkout"
