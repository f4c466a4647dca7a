"""Runs of pytest in the folder of a user, with the plugin of the kit and no other."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[4]
_LIMIT = 120  # seconds


class Run(NamedTuple):
    """The exit status and the output of a run."""

    status: int
    output: str


def run_pytest(folder: Path, test: str, *options: str, ini: str = "", conftest: str = "") -> Run:
    """Run a test module in a folder."""
    (folder / "test_it.py").write_text(test, encoding="utf-8")
    (folder / "pytest.ini").write_text(f"[pytest]\n{ini}", encoding="utf-8")
    (folder / "conftest.py").write_text(conftest, encoding="utf-8")
    command = [sys.executable, "-m", "pytest", "-p", "agent_contract.pytest_plugin", "-p", "no:cacheprovider", *options]
    variables = {**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(ROOT), "COLUMNS": "200"}
    variables.pop("PYTEST_ADDOPTS", None)
    done = subprocess.run(
        command, cwd=folder, env=variables, capture_output=True, text=True, timeout=_LIMIT, check=False
    )
    return Run(done.returncode, done.stdout + done.stderr)
