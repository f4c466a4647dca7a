"""OpenAI's SDK for Node: runs `node/openai.test.mjs`, which says what is tested."""

from __future__ import annotations

import os
import re
import shutil
import subprocess

import pytest

from tests.clients.conftest import TOKEN
from tests.clients.support.install_node_packages import FOLDER
from tests.support.serving import Served

SCRIPT = FOLDER / "openai.test.mjs"


def node() -> str:
    """Return the path of Node; without it the test is skipped, and in CI it fails."""
    found = shutil.which("node")
    if found is None:
        leave = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        leave("Node was not found: the tests of the Node SDK are LEFT OUT")
    if not (FOLDER / "node_modules").is_dir():
        pytest.fail("the packages are not installed: run `python tests/clients/install_node_packages.py`")
    return found


def test_the_node_sdk_chats_streams_keeps_sessions_and_raises_its_own_errors(served: Served, guarded: Served) -> None:
    written = len(re.findall(r"^ *test\(", SCRIPT.read_text(encoding="utf-8"), re.MULTILINE))
    ran = subprocess.run(
        [node(), "--test", "--test-reporter=tap", str(SCRIPT)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, "AGENT_URL": served.agent(), "GUARDED_URL": guarded.agent(), "TOKEN": TOKEN},
    )

    assert ran.returncode == 0, ran.stdout + ran.stderr
    passed = re.search(r"^# pass (\d+)$", ran.stdout, re.MULTILINE)
    assert passed is not None, ran.stdout
    assert int(passed[1]) >= written, ran.stdout
