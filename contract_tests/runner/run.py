"""One run: which clauses it judges, what was found, what ended it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from agent_contract.printable import printable
from agent_contract.redaction import Redaction, redaction_of
from contract_tests.deployment import auth
from contract_tests.deployment.budget import BY_CHOICE
from contract_tests.deployment.version_detection import ApiVersion, detected
from contract_tests.options import AUTO, header_variables
from contract_tests.report.comparison import compare
from contract_tests.report.run_result import RunResult, Traffic
from contract_tests.report.waivers import AppliedWaivers
from contract_tests.runner.cost_estimate import Plan, planned
from contract_tests.verdict import Finding, conclude, worst, worst_first

if TYPE_CHECKING:
    from datetime import datetime

    from agent_contract import Contract
    from agent_contract.messages import Clause
    from contract_tests.deployment.cold_start import ColdStart
    from contract_tests.deployment.deployment import Deployment
    from contract_tests.options import Options
    from contract_tests.report.model import Report

#: The operation of requests that name none.
OPERATION = "createAssistantChatCompletion"


class SelectionError(Exception):
    """A clause or a version was asked for that the contract does not have."""


@dataclass(frozen=True, slots=True)
class RunConfig:
    """What a run is asked to do. It does not change.

    `secrets` are hidden in everything that is shown, as the token is; `baseline` is an earlier report.
    """

    contract: Contract
    options: Options
    selected: frozenset[str]
    credentials: auth.Credentials
    waiving: AppliedWaivers = field(default_factory=AppliedWaivers)
    baseline: Report | None = None
    secrets: tuple[str, ...] = ()

    @property
    def api_version(self) -> str:
        """The version that the user named; empty if it is to be detected."""
        return _named_version(self.options)

    @property
    def clauses(self) -> Mapping[str, Clause]:
        """The contract's clauses by id."""
        return {clause.id: clause for clause in self.contract.clauses}

    @property
    def plan(self) -> Plan:
        """The most that the run sends and leaves."""
        version = self.api_version or self.contract.versions[-1]
        clauses = [one for one in self.contract.clauses if one.is_in(version, self.contract.versions)]
        return planned(self.selected & {one.id for one in clauses if not one.untestable}, self.options)

    @property
    def hide(self) -> Redaction:
        """What hides the run's secrets in a string."""
        options = self.options
        variables = {value: f"${name}" for name, value in header_variables(options, os.environ).items() if value}
        if options.token:
            variables[options.token] = f"${options.token_variable}"
        values = (entry.partition("=")[2] for entry in options.header)
        return redaction_of((*self.secrets, *values, *self.credentials.seen), variables)

    def shown(self, text: str) -> str:
        """Return a string as it may be shown: without the run's secrets, printable."""
        return printable(self.hide(text))


@dataclass(slots=True)
class RunState:
    """What a run has found so far. Only its own methods change it."""

    config: RunConfig
    deployment: Deployment | None = None
    stopped: str = ""
    version: ApiVersion | None = None  #: known when the deployment has answered
    _findings: dict[str, Finding] = field(default_factory=dict)
    _interrupted: bool = False
    _listener: Callable[[str], None] = lambda _: None
    _notice: str = ""
    _cold_start: ColdStart | None = None
    _left_behind: tuple[str, ...] = ()

    def record(self, test: str, finding: Finding) -> None:
        """Keep the finding of a test."""
        self._findings[test] = finding

    @property
    def begun(self) -> bool:
        """Whether there is something to show: a verdict, or a run that nothing has stopped."""
        return bool(self._findings) or not self.stopped

    def begin(self, deployment: Deployment) -> Deployment:
        """Return the deployment as one of the version under test, which is detected unless named."""
        config, versions = self.config, self.config.contract.versions
        chosen = [clause for clause in config.contract.clauses if clause.id in config.selected]
        if config.api_version:
            self.version = ApiVersion(config.api_version, "named by --api-version")
        elif all(clause.is_in(version, versions) for clause in chosen for version in versions):
            self.version = ApiVersion(versions[-1], "the newest; the selected clauses are in all versions")
        else:
            self.version = detected(versions, deployment.chat)
            self._listener(f"{self.version} (--api-version names another)")
        self.deployment = deployment.tested_as(self.version.name)
        return self.deployment

    def absent(self, id: str) -> Finding | None:
        """Return the finding for a clause that the tested version does not have; None if it has it."""
        clause, versions = self.config.clauses[id], self.config.contract.versions
        if self.version is None or clause.is_in(self.version.name, versions):
            return None
        if clause.until and versions.index(clause.until) < versions.index(self.version.name):
            return Finding("skipped", f"it ended with version {clause.until}")
        return Finding("not supported", f"it came with version {clause.since}; {self.version}")

    def stop(self, reason: str) -> str:
        """Note why the run ended early; return the reason without secrets."""
        self.stopped = self.config.shown(reason)
        return self.stopped

    def interrupt(self) -> None:
        """Note that the user ended the run."""
        self._interrupted = True

    def listen(self, listener: Callable[[str], None]) -> None:
        """Call `listener` with what takes a while, from now on."""
        self._listener = listener

    def notify(self, text: str, cold_start: ColdStart) -> None:
        """Report what takes a while, now and in the result."""
        self._notice, self._cold_start = self.config.shown(text), cold_start
        self._listener(self._notice)

    def clean_up(self) -> None:
        """Delete the agents that the run has created; the result lists those that can't be deleted."""
        if self.deployment:
            self._left_behind += tuple(map(self.config.shown, self.deployment.remove_created()))

    def operations_since(self) -> frozenset[str]:
        """Return the operations that were asked since the last call: all so far for a test that asked nothing."""
        if self.deployment is None:
            return frozenset()
        client = self.deployment.client
        return client.operations_since() or frozenset(exchange.operation or OPERATION for exchange in client.log)

    def traffic(self) -> Traffic:
        """Return what was sent in this process."""
        if self.deployment is None:
            return Traffic(cold_start=self._cold_start)
        log = self.deployment.client.log
        answered = Counter(
            f"{exchange.operation or OPERATION} {exchange.status}" for exchange in log if exchange.status
        )
        budget = self.deployment.client.budget
        return Traffic(budget.sent, budget.counted, dict(sorted(answered.items())), self._cold_start, self._left_behind)

    def result(self, traffic: Traffic, started: datetime, seconds: float, unwritten: Sequence[str] = ()) -> RunResult:
        """Return the result of the run; `unwritten` are sentences about reports that could not be written."""
        config, verdicts = self.config, self._verdicts()
        comparison = None
        if config.baseline:
            words = {clause.id: verdicts[clause.id].word for clause in config.contract.clauses}
            comparison = compare(config.baseline, words, config.contract.digest)
        worse = comparison.having("worse") if comparison and config.options.fail_on == "worse" else ()
        target = (
            dict(self.deployment.client.target.parameters) if self.deployment else {"agent_id": config.options.agent_id}
        )
        return RunResult(
            contract=config.contract,
            options=config.options,
            url=config.hide(config.options.url),
            version=self.version or ApiVersion(config.api_version or config.contract.version, ""),
            agent_id=target.get("agent_id", ""),
            authenticated=bool(config.credentials),
            verdicts=verdicts,
            conclusion=conclude(
                verdicts,
                config.clauses,
                "; ".join(filter(None, (self.stopped, *unwritten))),
                self._interrupted,
                config.waiving.objections(verdicts),
                [change.clause for change in worse],
            ),
            waivers=config.waiving.waivers,
            traffic=traffic,
            started=started,
            seconds=seconds,
            notice=self._notice,
            comparison=comparison,
        )

    def _verdicts(self) -> dict[str, Finding]:
        """Return one finding for each clause of the contract, worst first; a waived failure has its own word."""
        found: dict[str, list[Finding]] = {}
        for finding in self._findings.values():
            found.setdefault(finding.clause, []).append(finding)
        each = {clause.id: self._of(clause, found.get(clause.id, ())) for clause in self.config.contract.clauses}
        return {finding.clause: finding for finding in worst_first(self.config.waiving.applied(each).values())}

    def _of(self, clause: Clause, findings: Iterable[Finding]) -> Finding:
        """Return the clause's finding: the worst one, or the reason why it has none."""
        made = list(findings)
        if clause.id not in self.config.selected:
            return Finding("skipped", clause=clause.id)
        if (absent := self.absent(clause.id)) is not None:
            return replace(absent, clause=clause.id)
        if clause.untestable:
            return Finding("not tested", clause.untestable, clause=clause.id)
        if not made:
            early = "interrupted" if self._interrupted else "the run ended before" if self.stopped else "no test ran"
            return Finding("not tested", early, clause=clause.id)
        operations = " ".join(sorted({id for finding in made for id in finding.operations.split()}))
        found = replace(worst(made), operations=operations)
        chosen = [finding for finding in made if finding.reason in BY_CHOICE]
        if found.word == "skipped" and chosen:
            return chosen[0]
        return found if found.word != "skipped" else Finding("not tested", found.reason, clause=clause.id)


def configured(
    contract: Contract,
    options: Options,
    waiving: AppliedWaivers | None = None,
    baseline: Report | None = None,
    secrets: tuple[str, ...] = (),
) -> RunConfig:
    """Return the configuration of a run; raises `SelectionError` as `selection` does."""
    selected = selection(contract, options.clauses, _named_version(options))
    return RunConfig(
        contract, options, selected, auth.credentials(options), waiving or AppliedWaivers(), baseline, secrets
    )


def _named_version(options: Options) -> str:
    return "" if options.api_version == AUTO else options.api_version


def selection(contract: Contract, globs: Iterable[str], api_version: str = "") -> frozenset[str]:
    """Return the ids of the clauses that the globs name and the version has; without a version those of any.

    Raises `SelectionError` for a glob that names none, and for a version that the contract does not know.
    """
    versions = contract.versions
    if api_version and api_version not in versions:
        raise SelectionError(f"the contract knows no version {api_version!r}; it knows {', '.join(versions)}")
    ids = [clause.id for clause in contract.clauses]
    wanted = tuple(globs)
    for glob in wanted:
        if not any(fnmatchcase(id, glob) for id in ids):
            raise SelectionError(f"no clause is called {glob!r}; it can be a glob, as in 'chat.stream-*'")
    return frozenset(
        clause.id
        for clause in contract.clauses
        if (not api_version or clause.is_in(api_version, versions))
        and (not wanted or any(fnmatchcase(clause.id, glob) for glob in wanted))
    )
