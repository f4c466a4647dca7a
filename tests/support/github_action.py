"""`action.yml`, and its shell steps as GitHub's runner runs them."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

ACTION = Path(__file__).parents[2] / "action.yml"
VALUE: Mapping[str, Any] = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
STEPS: list[Mapping[str, Any]] = VALUE["runs"]["steps"]
SHELL_STEPS = [step for step in STEPS if "run" in step]
#: As GitHub's runner starts bash for `shell: bash`.
BASH = ("bash", "--noprofile", "--norc", "-eo", "pipefail", "-c")


def filled(step: Mapping[str, Any], inputs: Mapping[str, str]) -> dict[str, str]:
    """Return a step's environment with its expressions evaluated, as the runner does."""
    known = {name: one.get("default", "") for name, one in VALUE["inputs"].items()} | dict(inputs)
    values = {"${{ toJSON(inputs) }}": json.dumps(known), "${{ github.action_path }}": str(ACTION.parent)}
    values |= {f"${{{{ inputs.{name} }}}}": text for name, text in known.items()}
    return {name: values[expression] for name, expression in step["env"].items()}


def steps_for(inputs: Mapping[str, str]) -> list[Mapping[str, Any]]:
    """Return the shell steps that run with these inputs."""
    serves = inputs.get("serve") == "true"
    conditions = {None: True, "inputs.serve == 'true'": serves, "inputs.serve != 'true'": not serves}
    return [step for step in SHELL_STEPS if conditions[step.get("if")]]


def run_last(
    inputs: Mapping[str, str], folder: Path, environment: Mapping[str, str]
) -> subprocess.CompletedProcess[str]:
    """Run the last step for these inputs, with this Python in place of the one that the action installs."""
    program = folder / "agent-contract" / "bin" / "python"
    program.parent.mkdir(parents=True, exist_ok=True)
    program.write_text(f'#!/bin/bash\nexec {shlex.quote(sys.executable)} "$@"\n')
    program.chmod(0o755)
    step = steps_for(inputs)[-1]
    own = {"RUNNER_TEMP": str(folder), "GITHUB_OUTPUT": str(folder / "outputs"), **filled(step, inputs)}
    return subprocess.run(
        [*BASH, step["run"]], cwd=folder, env={**environment, **own}, capture_output=True, text=True, check=False
    )
