"""Node, for the tests that run scripts with it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Mapping

import pytest

from tests.clients.support.install_node_packages import FOLDER, is_packed


def node() -> str:
    """Return the path of Node; without it the test is skipped, and in CI it fails."""
    found = shutil.which("node")
    if found is None:
        leave = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        leave("Node was not found: the tests that need it are LEFT OUT")
    if not is_packed():
        pytest.fail("the packages are not up to date: run `python tests/clients/support/install_node_packages.py`")
    return found


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
