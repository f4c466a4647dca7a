"""Every block of the documentation runs, against a live mock if it names an address."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.clients.support.install_node_packages import FOLDER, KIT
from tests.clients.support.node import node
from tests.docs.support.blocks import BLOCKS, DOCUMENTS, ROOT, Block, anchors_of, links_of
from tests.docs.support.console import SERVES, Addresses, free_port, missing, parse, run, run_server, variables
from tests.mockserver.support.redis_server import RedisServer
from tests.support.github_action import VALUE as ACTION
from tests.support.serving import Served

#: Commands that are not run here, each with the reason; they are checked in another way if possible.
NOT_RUN = {
    "make test": "it would run this test; that make knows the target is tested",
    "make check": "it would run the unit tests again; that make knows the target is tested",
    "python -m pip install ": "the tests of the package install it in an empty environment",
    "python3 -m venv .venv": "the tests of the package create environments",
    "source .venv/bin/activate": "the tests have an environment of their own",
    "npm test": "it runs the tests of the reader",
    "npm install --save-dev ": "the tests have the packages installed",
    "tox run -e tests": "CI runs the same environment; `tox run -e layers` shows that tox knows its environments",
    "podman ": "it takes a container engine; the tests of the package run the Containerfile's steps",
    "kubectl ": "it takes a cluster; another test compares the manifest with the mock",
}
NODE_MODULES = FOLDER / "node_modules"
#: What the example workflows call this repository's action.
ACTION_NAME = re.compile(r"OWNER/agent-contract-kit@v\d")


def named(block: Block) -> str:
    return block.address


def of(*languages: str) -> pytest.MarkDecorator:
    found = [block for block in BLOCKS if block.language in languages]
    return pytest.mark.parametrize("block", found, ids=named)


def write_files(document: Path, folder: Path, addresses: Addresses) -> None:
    """Write the blocks of a document that are named files, as its reader has done by then."""
    for block in BLOCKS:
        if block.document == document and block.file_name:
            target = folder / block.file_name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(addresses.localized(block.text), encoding="utf-8")


def free_url() -> str:
    return f"http://127.0.0.1:{free_port()}"


def is_run(command: str) -> bool:
    return not command.startswith(tuple(NOT_RUN))


@pytest.fixture(scope="session")
def redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.stop()


@of("console")
def test_a_console_block_does_what_it_shows(
    block: Block, folder_of: Callable[[Path], Path], served: Served, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    commands, shown = parse(block.text)
    assert commands, f"{block.address}: a console block has commands, each after '$ '"
    folder = folder_of(block.document)
    serves = any("serve" in command or "make mock" in command for command in commands)
    redis_url = request.getfixturevalue("redis").url if "redis://" in block.text else ""
    addresses = Addresses(free_url() if serves else served.url, free_port(), redis_url)
    more = {"AGENT_CONTRACT_PORT": addresses.port} if serves else {}
    write_files(block.document, folder, addresses)

    runnable = [addresses.localized(command) for command in commands if is_run(command)]
    shown = [addresses.localized(line) for line in shown]
    if runnable and SERVES.search(runnable[-1]):
        printed = run_server("\n".join(runnable), folder, more, last=shown[-1] if shown else addresses.url)
    elif runnable:
        status, printed = run(runnable, folder, tmp_path / "output", more)
        assert status == 0, f"{block.address} ended with {status}:\n{printed}"
    else:
        return
    assert missing(shown, printed) == [], printed


@of("python")
def test_a_python_block_runs(block: Block, served: Served, tmp_path: Path) -> None:
    addresses = Addresses(served.url)
    write_files(block.document, tmp_path, addresses)
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    file = tmp_path / (block.file_name or "block.py")
    file.write_text(addresses.localized(block.text), encoding="utf-8")
    is_test = re.search(r"^(?:async )?def test_", block.text, re.MULTILINE)
    # pytest-asyncio is for the page that configures it: without a configuration it warns.
    plugins = [] if (tmp_path / "pyproject.toml").exists() else ["-p", "no:asyncio"]
    how = ["-m", "pytest", "-q", "-p", "no:cacheprovider", *plugins, "-W", "error"] if is_test else ["-W", "error"]
    ran = subprocess.run(
        [sys.executable, *how, str(file)],
        cwd=tmp_path,
        env=variables({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{block.address}:\n{ran.stdout}{ran.stderr}"


@of("javascript", "typescript")
def test_a_javascript_block_runs(block: Block, served: Served, tmp_path: Path) -> None:
    """Files in TypeScript, and what needs Jest, run in console blocks."""
    path, suffix = node(), "test.ts" if block.language == "typescript" else "mjs"
    if block.file_name.endswith((".ts", ".cjs")):
        return
    addresses = Addresses(served.url)
    write_files(block.document, tmp_path, addresses)
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    file = tmp_path / (block.file_name or f"block.{suffix}")
    file.write_text(addresses.localized(block.text), encoding="utf-8")
    vitest = [str(NODE_MODULES / "vitest" / "vitest.mjs"), "run"] if 'from "vitest"' in block.text else []
    ran = subprocess.run(
        [path, *vitest, str(file)], cwd=tmp_path, env=variables({}), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, f"{block.address}:\n{ran.stdout}{ran.stderr}"


@pytest.mark.parametrize(
    "document",
    sorted({block.document for block in BLOCKS if block.language == "typescript"}),
    ids=lambda path: path.name,
)
def test_typescript_blocks_have_the_types_that_they_need(document: Path, tmp_path: Path) -> None:
    write_files(document, tmp_path, Addresses(""))
    for number, block in enumerate(BLOCKS):
        if block.document == document and block.language == "typescript" and not block.file_name:
            (tmp_path / f"block{number}.ts").write_text(block.text, encoding="utf-8")
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    tsc = str(KIT / "node_modules" / "typescript" / "bin" / "tsc")
    options = ["--strict", "--noEmit", "--skipLibCheck", "--target", "es2022", "--module", "preserve"]
    files = [str(path) for path in tmp_path.rglob("*.ts") if "node_modules" not in path.parts]
    ran = subprocess.run([node(), tsc, *options, *files], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout


def data_of(block: Block) -> list[Any]:
    """Return the documents of a block of data."""
    if block.language == "yaml":
        return list(yaml.safe_load_all(block.text))
    return [json.loads(block.text) if block.language == "json" else tomllib.loads(block.text)]


@of("yaml", "json", "toml")
def test_a_block_of_data_can_be_parsed(block: Block) -> None:
    assert all(data_of(block))


def steps_of(block: Block) -> list[Mapping[str, Any]]:
    """Return the steps of a workflow, in the form of GitHub Actions, or nothing if the block isn't a workflow."""
    data = data_of(block)[0] if block.language == "yaml" else None
    if not isinstance(data, dict):
        return []
    if "jobs" in data:
        return [step for job in data["jobs"].values() for step in job["steps"]]
    jobs = [job for job in data.values() if isinstance(job, dict)]
    return [{"run": command} for job in jobs for command in job.get("script", ())]


def commands_of(steps: list[Mapping[str, Any]], addresses: Addresses) -> Iterator[str]:
    """Yield the commands of a workflow's steps; the action with `serve` is a mock that was served already."""
    for step in steps:
        environment = " ".join(f"{name}={value!r}" for name, value in step.get("env", {}).items())
        command = step.get("run", "")
        if command and is_run(command) and step.get("if") != "failure()":
            yield f"{environment} {addresses.localized(command)}".replace(
                "${{ steps.mock.outputs.url }}", addresses.url
            )


WORKFLOWS = [block for block in BLOCKS if steps_of(block)]


@pytest.mark.parametrize("block", WORKFLOWS, ids=named)
def test_the_steps_of_a_workflow_run(
    block: Block, folder_of: Callable[[Path], Path], served: Served, tmp_path: Path
) -> None:
    folder, steps = folder_of(block.document), steps_of(block)
    serves = any("agent-contract serve" in step.get("run", "") for step in steps)
    addresses = Addresses(free_url() if serves else served.url)
    write_files(block.document, folder, addresses)
    status, printed = run(commands_of(steps, addresses), folder, tmp_path / "output", {})
    assert status == 0, f"{block.address} ended with {status}:\n{printed}"


@pytest.mark.parametrize("block", WORKFLOWS, ids=named)
def test_a_workflow_gives_the_action_only_inputs_that_it_has(block: Block) -> None:
    used = [step for step in steps_of(block) if ACTION_NAME.match(step.get("uses", ""))]
    assert [name for step in used for name in step["with"] if name not in ACTION["inputs"]] == []
    referred = re.findall(r"steps\.mock\.outputs\.(\w+)", block.text)
    assert set(referred) <= set(ACTION["outputs"])
    assert not referred or any(step.get("id") == "mock" and step["with"]["serve"] == "true" for step in used)


@pytest.mark.parametrize("block", BLOCKS, ids=named)
def test_a_block_is_in_a_language_that_is_run_or_parsed(block: Block) -> None:
    assert block.language in {"console", "python", "javascript", "typescript", "yaml", "json", "toml"}


def test_every_command_that_is_not_run_is_in_the_documentation() -> None:
    """The list of exceptions has no unused entry."""
    steps = [step.get("run", "") for block in BLOCKS for step in steps_of(block)]
    texts = [*steps, *(command for block in BLOCKS for command in parse(block.text)[0])]
    assert [start for start in NOT_RUN if not any(text.startswith(start) for text in texts)] == []


def test_every_make_target_of_the_documentation_exists() -> None:
    written = {
        name for path in DOCUMENTS for name in re.findall(r"(?:`|\$ )make ([\w-]+)", path.read_text(encoding="utf-8"))
    }
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert {"mock", "test"} <= written
    assert written <= set(re.findall(r"^([\w-]+):", makefile, re.MULTILINE))


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_to_one(document: Path) -> None:
    local = [link.split("#")[0] for link in links_of(document) if "://" not in link and not link.startswith("#")]
    assert [link for link in local if not (document.parent / link).exists()] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_heading_leads_to_one(document: Path) -> None:
    """The site checks its own pages; README and other files link headings too."""
    links = [link.partition("#") for link in links_of(document) if "://" not in link and "#" in link]
    targets = [(document.parent / path if path else document, anchor) for path, _, anchor in links]
    assert [(target.name, anchor) for target, anchor in targets if anchor not in anchors_of(target)] == []


def test_the_site_fails_on_a_warning() -> None:
    """mkdocs counts no warning that `--quiet` hides, and a broken link is a warning."""
    command = re.search(r"^commands = mkdocs build (.*)$", (ROOT / "tox.ini").read_text(encoding="utf-8"), re.MULTILINE)
    assert command
    assert command[1] == "--strict {posargs}"
