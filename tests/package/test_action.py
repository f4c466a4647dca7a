"""The GitHub Action, whole: it installs this project as the runner would have it, and verifies with it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import yaml

from tests.package.support.environments import ROOT, SPARING
from tests.support.serving import serve

STEPS = [step for step in yaml.safe_load((ROOT / "action.yml").read_text())["runs"]["steps"] if "run" in step]


def test_the_action_installs_and_verifies(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST_", "GITHUB_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with serve() as served:
        inputs = {"base-url": served.url, "agent-id": "demo", "clauses": "chat.model-*", "reports": "report.html"}
        given = {
            "ACTION": str(ROOT),
            "AGENT_CONTRACT_INPUTS": json.dumps(inputs),
            "AGENT_CONTRACT_TOKEN": "",
            **SPARING,
        }
        for step in STEPS:
            done = subprocess.run(
                ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]],
                cwd=tmp_path,
                env={**kept, "PATH": path, "RUNNER_TEMP": str(tmp_path), **given},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, done.stdout
    assert "exit 0: passed" in done.stdout
    assert "The deployment passed" in (tmp_path / "report.html").read_text(encoding="utf-8")
