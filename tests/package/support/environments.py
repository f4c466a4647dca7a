"""Empty virtual environments, and this project installed in them."""

from __future__ import annotations

import os
import subprocess
import sys
import tomllib
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"]
CONSTRAINTS = ROOT / "constraints.txt"
#: For a `pip install` that a test runs as a user: modules are compiled when they are imported.
SPARING = {"PIP_NO_COMPILE": "1"}


@dataclass(frozen=True, slots=True)
class Environment:
    """A virtual environment, and an empty folder beside it in which its commands run."""

    folder: Path
    outside: Path

    @property
    def programs(self) -> Path:
        return self.folder / "bin"

    def variables(self, more: Mapping[str, str] | None = None) -> dict[str, str]:
        """Return the process environment in which only this virtual environment is found."""
        mine = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "AGENT_CONTRACT"))}
        path = f"{self.programs}{os.pathsep}{os.environ['PATH']}"
        return {**mine, "PATH": path, "VIRTUAL_ENV": str(self.folder), "NO_COLOR": "1", **(more or {})}

    def run(self, program: str, *arguments: str, status: int | None = 0, cwd: Path | None = None) -> str:
        """Return what a program of the environment printed; it must end with `status`, if one is given."""
        ran = subprocess.run(
            [str(self.programs / program), *arguments],
            cwd=cwd or self.outside,
            env=self.variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            timeout=300,
            check=False,
        )
        assert status in (None, ran.returncode), f"{program} {arguments} ended with {ran.returncode}:\n{ran.stdout}"
        return ran.stdout


def empty_environment(folder: Path, *, with_pip: bool = False) -> Environment:
    """Return a new virtual environment with nothing in it, or with pip; `install` needs none in it."""
    outside = folder / "outside"
    outside.mkdir(parents=True)
    venv.create(folder / "venv", with_pip=with_pip)
    return Environment(folder / "venv", outside)


def install(environment: Environment, *what: str, constrained: bool = True) -> None:
    """Install a wheel, or with `-e` the checkout, and what it needs, in the pinned versions if `constrained`."""
    options = ("--quiet", *(("-c", str(CONSTRAINTS)) if constrained else ()))
    command = [sys.executable, "-m", "uv", "pip", "install", "--python", str(environment.programs / "python")]
    ran = subprocess.run([*command, *options, *what], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr


def lend(lender: Environment, environment: Environment) -> None:
    """Let an environment import, after what it has itself, what another has installed."""
    (borrowed,) = lender.folder.glob("lib/python*/site-packages")
    (own,) = environment.folder.glob("lib/python*/site-packages")
    (own / "zz-borrowed.pth").write_text(f"{borrowed}\n", encoding="utf-8")


def build(kind: str, source: Path, into: Path) -> Path:
    """Return the `wheel` or `sdist` that was built from a source folder, in an environment of its own."""
    ran = subprocess.run(
        [sys.executable, "-m", "uv", "build", "--quiet", f"--{kind}", "--out-dir", str(into), str(source)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    (built,) = into.glob("agent_contract_kit-*")
    return built
