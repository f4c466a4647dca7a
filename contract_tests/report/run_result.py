"""What a run hands to its reports: complete, immutable, and without secrets."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from agent_contract import Contract
    from agent_contract.messages import Clause
    from contract_tests.deployment.cold_start import ColdStart
    from contract_tests.deployment.version_detection import ApiVersion
    from contract_tests.options import Options
    from contract_tests.report.model import Comparison
    from contract_tests.report.waivers import Waiver
    from contract_tests.verdict import Conclusion, Finding


@dataclass(frozen=True, slots=True)
class Traffic:
    """What was sent and what came back.

    `tokens` are those that the replies counted; `answered` has the number of replies by operation and status;
    `left_behind` are the objects that could not be deleted.
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


@dataclass(frozen=True, slots=True)
class RunResult:
    """One run. `verdicts` has a finding for each clause, worst first; `notice` is what took a while."""

    contract: Contract
    options: Options
    url: str
    agent_id: str
    version: ApiVersion
    authenticated: bool
    verdicts: Mapping[str, Finding]
    conclusion: Conclusion
    waivers: tuple[Waiver, ...]
    traffic: Traffic
    started: datetime
    seconds: float
    notice: str = ""
    comparison: Comparison | None = None

    @property
    def clauses(self) -> Mapping[str, Clause]:
        """The contract's clauses by id."""
        return {clause.id: clause for clause in self.contract.clauses}
