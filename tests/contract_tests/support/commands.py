"""Runs `agent-contract verify` and pytest as a user does: in a process of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
#: The command in the checkout, whether it is installed or not, and wherever it is run.
START = f"import sys; sys.path.append({str(ROOT)!r}); from agent_contract.cli import main; main(prog_name='verify')"
COMMAND = (sys.executable, "-P", "-c", START)
LIMIT = 120
#: pytest outside the checkout, without plugins.
PYTEST_ALONE = (
    *(sys.executable, "-P", "-c"),
    f"import sys; sys.path.append({str(ROOT)!r}); import pytest; sys.exit(pytest.main())",
)
#: The same with the plugins that a contract test needs.
PYTEST = (*PYTEST_ALONE, "-p", "contract_tests.runner.plugin", "-p", "schemathesis", "-p", "no:cacheprovider")


@dataclass(frozen=True, slots=True)
class CommandResult:
    """How a command ended, and what it printed."""

    code: int
    output: str
    error: str

    @property
    def last(self) -> str:
        """The last line of its output."""
        return self.output.rstrip().rpartition("\n")[2]

    def row(self, clause: str) -> str:
        """The clause's verdict in the table."""
        pattern = rf"^ (failed|warning|not tested|not supported|passed) +\w+ +{re.escape(clause)}(?= |$)"
        found = re.search(pattern, self.output, re.M)
        return found[1] if found else ""


def environment(**more: str) -> dict[str, str]:
    """Return this process's environment, without what Python, pytest and the tests read, and with more."""
    read = ("AGENT_CONTRACT_", "PYTEST_", "PYTHON")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(read)}
    return {**kept, **more}


def verify(*arguments: str, cwd: Path | None = None, env: Mapping[str, str] | None = None) -> CommandResult:
    """Run `agent-contract verify` to its end."""
    done = subprocess.run(
        [*COMMAND, "verify", *arguments],
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=LIMIT,
        check=False,
        cwd=cwd,
        env=env or environment(),
    )
    return CommandResult(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True, slots=True)
class Ran:
    """How a pytest ended, and what it printed."""

    code: int
    output: str


def run_pytest(*arguments: str, cwd: Path) -> Ran:
    """Run pytest in a folder that is not the checkout."""
    done = subprocess.run(
        [*PYTEST, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        check=False,
        cwd=cwd,
        timeout=LIMIT,
        env=environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1"),
    )
    return Ran(done.returncode, done.stdout)
