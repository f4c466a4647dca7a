"""What a coding agent can do with the kit: read the contract, a mock's journal and its refusals, add rules, plan a run.

The docstrings and the types of the public functions are what the agent sees of them.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from agent_contract import Contract
from agent_contract.messages import GRADE_MEANINGS, Clause
from mockserver.mcp.running_mock import MockProblem, RunningMock

_MOST = 200
_VERIFY_SECONDS = 60


@dataclass(frozen=True, slots=True)
class Tools:
    """The tools, for a contract and one mock."""

    contract: Contract
    mock: RunningMock

    def all(self) -> tuple[Callable[..., Any], ...]:
        """Return the functions to offer."""
        return (
            self.list_clauses,
            self.explain_clause,
            self.read_journal,
            self.explain_refusals,
            self.list_rules,
            self.add_rules,
            self.plan_verification,
        )

    def list_clauses(self, ids: str = "*", words: str = "") -> list[dict[str, str]]:
        """List clauses of the API's contract: id, grade and sentence.

        `ids` is a glob such as `chat.session-*`. `words` must occur in the sentence. At most 200 are returned.
        """
        found = [
            {"id": clause.id, "grade": clause.grade, "sentence": clause.sentence}
            for clause in self.contract.clauses
            if fnmatchcase(clause.id, ids) and words.lower() in clause.sentence.lower()
        ]
        return found[:_MOST]

    def explain_clause(self, id: str) -> dict[str, Any]:
        """Explain one clause: sentence, meaning of its grade, operations, place in the document, and examples."""
        clause = self._clause(id)
        return {
            "id": clause.id,
            "sentence": clause.sentence,
            "grade": clause.grade,
            "grade_means": GRADE_MEANINGS[clause.grade],
            "operations": list(clause.operations),
            "pointer": clause.pointer,
            "examples": [
                {"operation": step.operation.id, "request": step.example.value, "status": step.example.status}
                for step in self.contract.examples
                if clause.id in step.example.shows
            ],
        }

    def read_journal(
        self, scope: str = "", status: str = "", clause: str = "", contains: str = "", limit: int = 10
    ) -> Any:
        """Read the requests that the mock received, newest first, each with its reply, clauses and violations.

        Filter by `status` (`422`, or `4xx`), by the `clause` that was broken, or by text that a message `contains`.
        `scope` is the value of the header X-Mock-Scope that the tests send.
        """
        query: dict[str, str | int] = {"status": status, "clause": clause, "contains": contains, "limit": limit}
        return self.mock.get("requests", scope, query).json()

    def explain_refusals(self, scope: str = "") -> str:
        """Explain the last requests to the mock: for each refusal its clause, the reason, the value and the remedy."""
        return self.mock.get("explanation", scope).text

    def list_rules(self, scope: str = "") -> Any:
        """List the rules by which the mock answers in a scope."""
        return self.mock.get("rules", scope).json()

    def add_rules(self, rules: list[dict[str, Any]], scope: str = "") -> Any:
        """Add rules to a scope of the mock; it refuses a rule that is not valid or whose answer breaks the contract.

        A rule is for example {"name": "greeting", "when": {"user_contains": "hello"}, "answer": "Hi!"}. The JSON Schema
        of rules is at /__mock__/scenario.schema.json of the mock.
        """
        return self.mock.post("rules", scope, {"rules": rules}).json()

    def plan_verification(self, url: str, agent_id: str = "", clauses: str = "") -> str:
        """Return what `agent-contract verify` would send to a deployment, and send nothing.

        `clauses` is a glob of clause ids; empty for all. The user starts the run: it spends tokens of the deployment.
        """
        options = ["--dry-run", *(["--agent-id", agent_id] if agent_id else [])]
        options += ["--clause", clauses] if clauses else []
        command = [sys.executable, "-m", "agent_contract", "verify", *options, "--", url]
        try:
            ran = subprocess.run(
                command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=_VERIFY_SECONDS, check=False
            )
        except subprocess.TimeoutExpired:
            raise MockProblem(f"No plan within {_VERIFY_SECONDS} s.") from None
        if ran.returncode:
            raise MockProblem((ran.stderr or ran.stdout).strip()[-2000:])
        return f"{ran.stdout.strip()}\nTo run it: agent-contract verify {shlex.join([*options[1:], '--', url])}"

    def _clause(self, id: str) -> Clause:
        try:
            return self.contract.clause(id)
        except KeyError:
            word = id.rpartition(".")[2].partition("-")[0]
            near = ", ".join([one.id for one in self.contract.clauses if word and word in one.id][:8])
            raise MockProblem(
                f"No clause has the id {id[:80]!r}. {f'Similar: {near}.' if near else 'list_clauses lists all.'}"
            ) from None
