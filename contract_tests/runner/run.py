"""One run: which clauses it judges, what was found, what ended it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from agent_contract.redaction import Redaction, redaction_of
from contract_tests.deployment import auth
from contract_tests.deployment.budget import BY_CHOICE
from contract_tests.deployment.version_detection import ApiVersion, detected
from contract_tests.options import AUTO
from contract_tests.report.waivers import Waiving
from contract_tests.runner.cost_estimate import Plan, planned
from contract_tests.verdict import Exit, Finding, conclude, worst, worst_first
from contract_tests.wire.exchange import TOKEN_VARIABLE

if TYPE_CHECKING:
    from agent_contract import Contract
    from agent_contract.messages import Clause
    from contract_tests.deployment.cold_start import ColdStart
    from contract_tests.deployment.deployment import Probe
    from contract_tests.options import Options
    from contract_tests.report.model import Report


class SelectionError(Exception):
    """A clause or a version was asked for that the contract does not have."""


@dataclass(slots=True)
class Run:
    """What a run judges and what it has found so far; findings stand by the id of the test that made them.

    `secrets` are hidden in all that is shown, as the token is; `baseline` is an earlier report to compare with.
    """

    contract: Contract
    options: Options
    selected: frozenset[str] = field(init=False)
    findings: dict[str, Finding] = field(default_factory=dict)
    probe: Probe | None = None
    stopped: str = ""
    interrupted: bool = False
    waiving: Waiving = field(default_factory=Waiving)
    baseline: Report | None = None
    secrets: tuple[str, ...] = ()
    credentials: auth.Credentials = field(init=False)
    version: ApiVersion | None = None  #: known when the deployment has answered
    say: Callable[[str], None] = lambda _: None  #: tells the user what takes a while
    told: str = ""  #: the last that was told so, for the end
    cold_start: ColdStart | None = None  #: how the deployment was waited for, if it was
    left_behind: tuple[str, ...] = ()  #: agents that were created and could not be removed
    unwritten: tuple[str, ...] = ()  #: reports that could not be written in the end, a sentence each

    def __post_init__(self) -> None:
        self.selected = selection(self.contract, self.options.clauses, self.api_version)
        self.credentials = auth.credentials(self.options)

    @property
    def api_version(self) -> str:
        """The version that the user named; empty if it is to be detected."""
        return "" if self.options.api_version == AUTO else self.options.api_version

    def open(self, probe: Probe) -> Probe:
        """Return the probe of the deployment as one of the version that is tested, which is detected unless named."""
        versions = self.contract.versions
        chosen = [clause for clause in self.contract.clauses if clause.id in self.selected]
        if self.api_version:
            self.version = ApiVersion(self.api_version, "named by --api-version")
        elif all(clause.is_in(version, versions) for clause in chosen for version in versions):
            self.version = ApiVersion(versions[-1], "the newest; the selected clauses are in all versions")
        else:
            self.version = detected(versions, probe.chat)
            self.say(f"{self.version} (--api-version names another)")
        self.probe = probe.tested_as(self.version.name)
        return self.probe

    def absent(self, id: str) -> Finding | None:
        """Return the finding for a clause that the tested version does not have; None if it has it."""
        clause, versions = self.clauses[id], self.contract.versions
        if self.version is None or clause.is_in(self.version.name, versions):
            return None
        if clause.until and versions.index(clause.until) < versions.index(self.version.name):
            return Finding("skipped", f"it ended with version {clause.until}")
        return Finding("not supported", f"it came with version {clause.since}; {self.version}")

    @property
    def clauses(self) -> Mapping[str, Clause]:
        """The contract's clauses by id."""
        return {clause.id: clause for clause in self.contract.clauses}

    @property
    def plan(self) -> Plan:
        """The most that the run sends, and leaves behind."""
        untestable = {clause.id for clause in self.contract.clauses if clause.untestable}
        return planned(self.selected - untestable, self.options)

    @property
    def hide(self) -> Redaction:
        """What hides the run's secrets in a text."""
        variables = {self.options.token: f"${TOKEN_VARIABLE}"} if self.options.token else {}
        return redaction_of((*self.secrets, *self.credentials.seen), variables)

    def tell(self, text: str, cold_start: ColdStart) -> None:
        """Tell the user what takes a while, now and in the end, and keep it for the report."""
        self.told, self.cold_start = self.hide(text), cold_start
        self.say(self.told)

    def clean_up(self) -> None:
        """Remove what the run has created and still stands; what can't be removed is kept in `left_behind`."""
        if self.probe:
            self.left_behind += tuple(map(self.hide, self.probe.remove_agents()))

    def verdicts(self) -> dict[str, Finding]:
        """Return one finding for each clause of the contract, worst first, what is waived with its own word."""
        found: dict[str, list[Finding]] = {}
        for finding in self.findings.values():
            found.setdefault(finding.clause, []).append(finding)
        each = {clause.id: self._of(clause, found.get(clause.id, ())) for clause in self.contract.clauses}
        return {finding.clause: finding for finding in worst_first(self.waiving.applied(each).values())}

    def conclusion(self) -> tuple[Exit, str]:
        """Return the exit code and the sentence that says why."""
        verdicts = self.verdicts()
        objections = self.waiving.objections(verdicts)
        stopped = "; ".join(filter(None, (self.hide(self.stopped), *self.unwritten)))
        return conclude(verdicts, self.clauses, stopped, self.interrupted, objections)

    def _of(self, clause: Clause, findings: Iterable[Finding]) -> Finding:
        """Return the clause's finding: the worst, or why there is none."""
        made = list(findings)
        if clause.id not in self.selected:
            return Finding("skipped", clause=clause.id)
        if (absent := self.absent(clause.id)) is not None:
            return replace(absent, clause=clause.id)
        if clause.untestable:
            return Finding("not tested", clause.untestable, clause=clause.id)
        if not made:
            early = "interrupted" if self.interrupted else "the run ended before" if self.stopped else "no test ran"
            return Finding("not tested", early, clause=clause.id)
        found = worst(made)
        chosen = [finding for finding in made if finding.reason in BY_CHOICE]
        if found.word == "skipped" and chosen:
            return chosen[0]
        return found if found.word != "skipped" else Finding("not tested", found.reason, clause=clause.id)


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
