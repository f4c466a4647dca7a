"""Judges a running deployment in this process, and hands out what was found."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from unittest.mock import patch

import pytest

from agent_contract.messages import Clause
from contract_tests.runner import plugin
from contract_tests.runner.isolated_main import GENERATING, judge
from contract_tests.verdict import Exit, Finding
from contract_tests.wire.exchange import TOKEN_VARIABLE

#: Without plugins that are found by themselves, as `verify` runs pytest.
ENVIRONMENT = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


@dataclass(frozen=True, slots=True)
class SuiteResult:
    """What a run found: a finding for each clause, the exit code with its reason, and the requests it took."""

    findings: Mapping[str, Finding]
    clauses: Mapping[str, Clause]
    code: Exit
    reason: str
    requests: int

    def having(self, *words: str) -> set[str]:
        """Return the clauses with one of these words."""
        return {id for id, finding in self.findings.items() if finding.word in words}


class Listener:
    """Keeps the run's recorder when pytest has ended."""

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        self.recorder = plugin.recorder_of(session.config)


def judged(url: str, *options: str, token: str = "", plugins: Sequence[object] = ()) -> SuiteResult:
    """Hold the deployment to the contract, with options of the plugin, `--contract-` left out."""
    listener = Listener()
    environment = {**ENVIRONMENT, **({TOKEN_VARIABLE: token} if token else {})}
    with patch.dict(os.environ, environment):
        if not token:
            os.environ.pop(TOKEN_VARIABLE, None)
        judge(
            [GENERATING, f"--contract-url={url}", *(f"--contract-{option}" for option in options)], listener, *plugins
        )
    result = listener.recorder.result
    assert result is not None
    conclusion = result.conclusion
    return SuiteResult(result.verdicts, result.clauses, conclusion.code, conclusion.sentence, result.traffic.requests)
