"""Node, for the tests that run scripts with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.clients.support.install_node_packages import FOLDER, is_packed


def node() -> str:
    """Return the path of Node, with the packages of the tests; without it the test is skipped, and in CI it fails."""
    found = bare_node()
    if not is_packed():
        pytest.fail("the packages are not up to date: run `python tests/clients/support/install_node_packages.py`")
    return found


def bare_node() -> str:
    """Return the path of Node, for scripts that import nothing; without it the test is skipped, and in CI it fails."""
    found = shutil.which("node")
    if found is None:
        leave = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        leave("Node was not found: the tests that need it are LEFT OUT")
    return found


def run_script(script: str, *arguments: str | Path) -> str:
    """Run a script of the folder and return what it printed; fail with its errors."""
    command = [node(), str(FOLDER / script), *map(str, arguments)]
    ran = subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=120, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def link_packages(folder: Path) -> Path:
    """Let the modules of a folder import the packages of the Node tests, and return it."""
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    return folder


def run_tests(script: str, variables: Mapping[str, str] | None = None) -> int:
    """Run a script of Node tests; return how many passed, and fail with its output if one did not."""
    ran = subprocess.run(
        [node(), "--test", "--test-reporter=tap", str(FOLDER / script)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **(variables or {})},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    passed = re.search(r"^# pass (\d+)$", ran.stdout, re.MULTILINE)
    assert passed is not None, ran.stdout
    return int(passed[1])
