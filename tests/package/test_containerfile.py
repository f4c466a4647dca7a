"""The steps of the Containerfile, run as far as they need no container engine."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

from tests.package.support.environments import ROOT, SPARING, Environment, empty_environment
from tests.support.serving import serve

TEXT = (ROOT / "Containerfile").read_text(encoding="utf-8")


def instructions(text: str) -> list[tuple[str, str]]:
    """Return the instructions with their arguments, comments left out and continued lines joined."""
    kept = "\n".join(line for line in text.splitlines() if not line.lstrip().startswith("#"))
    lines = kept.replace("\\\n", " ").splitlines()
    return [(name.upper(), rest.strip()) for name, _, rest in (line.strip().partition(" ") for line in lines) if name]


STEPS = instructions(TEXT)


def only(name: str) -> str:
    (found,) = [rest for instruction, rest in STEPS if instruction == name]
    return found


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """An empty environment in which every COPY and RUN was done, as the build does them."""
    environment = empty_environment(tmp_path_factory.mktemp("image"), with_pip=True)
    source = environment.folder.parent / "src"
    source.mkdir()
    for name, rest in STEPS:
        if name == "COPY":
            *sources, target = shlex.split(rest)
            for item in sources:
                _copy(ROOT / item, source / target)
        elif name == "RUN":
            subprocess.run(["/bin/sh", "-ec", rest], cwd=source, env=environment.variables(SPARING), check=True)
    shutil.rmtree(source)
    return environment


def _copy(item: Path, target: Path) -> None:
    if item.is_dir():
        shutil.copytree(item, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(item, target)


def test_the_file_has_no_instruction_that_these_tests_do_not_know() -> None:
    known = {"FROM", "WORKDIR", "COPY", "RUN", "USER", "EXPOSE", "HEALTHCHECK", "CMD"}
    assert {name for name, _ in STEPS} == known


def test_the_image_is_pinned_to_a_python_that_the_project_names() -> None:
    version = re.fullmatch(r"python:(3\.\d+)-slim@sha256:[0-9a-f]{64}", only("FROM"))
    assert version is not None
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert f"Programming Language :: Python :: {version[1]}" in project["classifiers"]


def test_the_server_runs_as_a_numbered_user_that_is_not_root() -> None:
    """A cluster that forbids root looks at the number."""
    assert all(int(part) > 0 for part in only("USER").split(":"))
    assert [name for name, _ in STEPS].index("USER") > max(i for i, (name, _) in enumerate(STEPS) if name == "RUN")


def test_the_port_that_is_exposed_is_the_one_that_the_health_check_asks() -> None:
    assert f":-{only('EXPOSE')}}}" in only("HEALTHCHECK")


def test_the_command_of_the_image_serves_and_its_health_check_passes(image: Environment) -> None:
    program, subcommand, *options = json.loads(only("CMD"))
    _, _, check = only("HEALTHCHECK").partition("CMD ")
    command = [str(image.programs / program)]
    with serve(*options, command=command, environment=image.variables(), cwd=image.outside) as running:
        port = running.url.rsplit(":", 1)[1]
        shell = ["/bin/sh", "-c", check]
        variables = image.variables({"AGENT_CONTRACT_PORT": port})
        healthy = subprocess.run(shell, env=variables, capture_output=True, text=True, check=False)
    ended = subprocess.run(shell, env=variables, capture_output=True, text=True, check=False)

    assert subcommand == "serve"
    assert healthy.returncode == 0, healthy.stdout + healthy.stderr
    assert ended.returncode != 0


def test_the_image_runs_for_a_user_without_a_home(image: Environment, tmp_path: Path) -> None:
    """A numbered user has none, and may write nowhere but to /tmp."""
    variables = image.variables({"HOME": str(tmp_path / "absent"), "TMPDIR": str(tmp_path)})
    program = str(image.programs / "agent-contract")
    ran = subprocess.run([program, "check"], env=variables, cwd="/", capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    assert not any(tmp_path.iterdir())
