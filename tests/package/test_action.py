"""The GitHub Action, whole: it installs this project as the runner would have it, and verifies with it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.package.support.environments import SPARING
from tests.support.github_action import BASH, filled, steps_for
from tests.support.serving import serve


def test_the_action_installs_and_verifies(tmp_path: Path) -> None:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "PYTEST_", "GITHUB_"))}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    with serve() as served:
        inputs = {"base-url": served.url, "agent-id": "demo", "clauses": "chat.model-*", "reports": "report.html"}
        for step in steps_for(inputs):
            done = subprocess.run(
                [*BASH, step["run"]],
                cwd=tmp_path,
                env={**kept, "PATH": path, "RUNNER_TEMP": str(tmp_path), **filled(step, inputs), **SPARING},
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=300,
                check=False,
            )
            assert done.returncode == 0, done.stdout
    assert "exit 0: passed" in done.stdout
    assert "The deployment passed" in (tmp_path / "report.html").read_text(encoding="utf-8")
