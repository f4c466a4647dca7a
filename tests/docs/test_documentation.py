"""Every block of the documentation runs, against a live mock if it names an address."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.docs.support.blocks import BLOCKS, DOCUMENTS, ROOT, Block, links_of
from tests.docs.support.console import DEPLOYMENT, LOCAL, SERVES, free_port, missing, parse, run, run_server, variables
from tests.support.serving import Served

#: Commands that are not run here, each with the reason; they are checked in another way if possible.
NOT_RUN = {
    "make test": "it would run this test; that make knows the target is tested",
    "make check": "it would run the unit tests again; that make knows the target is tested",
    "python -m pip install .": "the tests of the package install it in an empty environment",
    'python -m pip install "agent-contract-kit': "it is on no index yet; the tests of the package install it",
    "tox run -e tests": "CI runs the same environment; `tox run -e layers` shows that tox knows its environments",
    "agent-contract serve --store redis://": "it takes a Redis; the tests of the state start one",
    "podman ": "it takes a container engine; the tests of the package run the Containerfile's steps",
}
NODE_MODULES = ROOT / "tests" / "clients" / "node" / "node_modules"


def named(block: Block) -> str:
    return block.address


def of(*languages: str) -> pytest.MarkDecorator:
    found = [block for block in BLOCKS if block.language in languages]
    return pytest.mark.parametrize("block", found, ids=named)


def localized(text: str, url: str) -> str:
    return text.replace(LOCAL, url).replace(DEPLOYMENT, url)


def on_port(command: str, port: int) -> str:
    return command.replace("--port 8000", f"--port {port}")


def write_files(document: Path, folder: Path, url: str) -> None:
    """Write the blocks of a document that are named files, as its reader has done by then."""
    for block in BLOCKS:
        if block.document == document and block.file_name:
            target = folder / block.file_name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_text(localized(block.text, url), encoding="utf-8")


def is_run(command: str) -> bool:
    return not command.startswith(tuple(NOT_RUN))


@of("console")
def test_a_console_block_does_what_it_shows(block: Block, checkout: Path, served: Served, tmp_path: Path) -> None:
    commands, shown = parse(block.text)
    assert commands, f"{block.address}: a console block has commands, each after '$ '"
    serves = any("serve" in command or "make mock" in command for command in commands)
    port = free_port()
    url = f"http://127.0.0.1:{port}" if serves else served.url
    more = {"AGENT_CONTRACT_PORT": str(port)} if serves else {}
    write_files(block.document, checkout, url)

    runnable = [on_port(localized(command, url), port) for command in commands if is_run(command)]
    if runnable and SERVES.search(runnable[-1]):
        printed = run_server("\n".join(runnable), checkout, more, last=localized(shown[-1], url) if shown else url)
    elif runnable:
        status, printed = run(runnable, checkout, tmp_path / "output", more)
        assert status == 0, f"{block.address} ended with {status}:\n{printed}"
    else:
        return
    assert missing([localized(line, url) for line in shown], printed) == [], printed


@of("python")
def test_a_python_block_runs(block: Block, served: Served, tmp_path: Path) -> None:
    write_files(block.document, tmp_path, served.url)
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    file = tmp_path / (block.file_name or "block.py")
    file.write_text(localized(block.text, served.url), encoding="utf-8")
    is_test = re.search(r"^def test_", block.text, re.MULTILINE)
    how = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error"] if is_test else ["-W", "error"]
    ran = subprocess.run(
        [sys.executable, *how, str(file)],
        cwd=tmp_path,
        env=variables({}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, f"{block.address}:\n{ran.stdout}{ran.stderr}"


@of("javascript")
def test_a_javascript_block_runs(block: Block, served: Served, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        leave = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        leave("Node was not found: the documentation's JavaScript is LEFT OUT")
    assert NODE_MODULES.is_dir(), "run `python tests/clients/support/install_node_packages.py`"
    (tmp_path / "node_modules").symlink_to(NODE_MODULES)
    (tmp_path / "fixtures").symlink_to(ROOT / "fixtures")
    file = tmp_path / "block.mjs"
    file.write_text(localized(block.text, served.url), encoding="utf-8")
    ran = subprocess.run([node, str(file)], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, f"{block.address}:\n{ran.stdout}{ran.stderr}"


@of("yaml", "json")
def test_a_block_of_data_can_be_parsed(block: Block) -> None:
    assert yaml.safe_load(block.text) if block.language == "yaml" else json.loads(block.text)


def steps_of(block: Block) -> list[str]:
    """Return the shell steps of a block that is a workflow, or nothing."""
    data = yaml.safe_load(block.text) if block.language == "yaml" else None
    jobs = data.get("jobs", {}) if isinstance(data, dict) else {}
    return [step["run"] for job in jobs.values() for step in job["steps"] if "run" in step]


WORKFLOWS = [block for block in BLOCKS if steps_of(block)]


@pytest.mark.parametrize("block", WORKFLOWS, ids=named)
def test_the_steps_of_a_workflow_run(block: Block, checkout: Path, tmp_path: Path) -> None:
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    write_files(block.document, checkout, url)
    steps = [on_port(localized(step, url), port) for step in steps_of(block) if is_run(step)]
    status, printed = run(steps, checkout, tmp_path / "output", {"AGENT_CONTRACT_PORT": str(port)})
    assert status == 0, f"{block.address} ended with {status}:\n{printed}"


@pytest.mark.parametrize("block", BLOCKS, ids=named)
def test_a_block_is_in_a_language_that_is_run_or_parsed(block: Block) -> None:
    assert block.language in {"console", "python", "javascript", "yaml", "json"}


def test_every_command_that_is_not_run_is_in_the_documentation() -> None:
    """The list of exceptions has no unused entry."""
    texts = [command for block in BLOCKS for command in (*parse(block.text)[0], *steps_of(block))]
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
