"""The Arazzo description of the contract, run against the mock by Redocly's `respect`."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from click.testing import CliRunner

from agent_contract import find_document, load_contract
from agent_contract.cli import main
from mockserver import MockServer, load_engine
from tests.clients.support.install_node_packages import FOLDER
from tests.clients.support.node import node

#: Nothing is sent to the makers of the tool.
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "CI": "true", "NO_COLOR": "1"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    shutil.copyfile(find_document(), tmp_path / "openapi.yaml")
    return tmp_path


def exported(*options: str) -> dict[str, Any]:
    ended = CliRunner().invoke(main, ["export", "arazzo", *options])
    assert ended.exit_code == 0, ended.output
    return dict(yaml.safe_load(ended.stdout))


def run(folder: Path, description: dict[str, Any], url: str, *options: str) -> tuple[int, list[dict[str, Any]]]:
    """Return the exit status of `respect`, and what it says of each workflow."""
    (folder / "workflows.yaml").write_text(yaml.safe_dump(description), encoding="utf-8")
    program = FOLDER / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js"
    ran = subprocess.run(
        [
            node(),
            str(program),
            "respect",
            "workflows.yaml",
            f"--server=contract={url}",
            "--json-output=r.json",
            *options,
        ],
        cwd=folder,
        env={**os.environ, **QUIET},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (folder / "r.json").exists(), ran.stdout + ran.stderr
    (file,) = json.loads((folder / "r.json").read_text(encoding="utf-8"))["files"].values()
    return ran.returncode, file["executedWorkflows"]


def statuses(workflows: list[dict[str, Any]]) -> dict[str, str]:
    return {one["workflowId"]: one["status"] for one in workflows}


def test_every_workflow_passes_against_the_mock(folder: Path) -> None:
    description = exported()
    for one in description["workflows"]:  # what one leaves behind, such as an indexing that runs, another does not meet
        one["parameters"] = [{"name": "X-Mock-Scope", "in": "header", "value": one["workflowId"]}]
    with MockServer() as server:
        code, workflows = run(folder, description, server.url)
    assert statuses(workflows) == {one["workflowId"]: "success" for one in description["workflows"]}
    assert code == 0
    assert {"createAssistantChatCompletion-session-extended-again", "deleteAgent-agent-deleted"} <= {
        one["workflowId"] for one in workflows
    }


def test_a_server_that_forgets_its_sessions_fails_the_workflow_of_a_session(folder: Path) -> None:
    name = "createAssistantChatCompletion-session-extended"
    with MockServer(load_engine()) as server:
        httpx.post(f"{server.url}/__mock__/faults", json={"fault": "session-forgotten"}).raise_for_status()
        code, workflows = run(folder, exported(), server.url, f"--workflow={name}")
    assert statuses(workflows) == {name: "error"}
    assert code == 1


def test_with_a_token_each_workflow_sends_its_input(folder: Path) -> None:
    name = "listAgents-agents-next-page"
    with MockServer(load_engine(tokens=["s3cret"])) as server:
        results = [
            run(folder, exported(*options), server.url, f"--workflow={name}", *given)
            for options, given in (
                ((), ()),
                (("--with-token",), ("--input=token=s3cret",)),
            )
        ]
    assert [code for code, _ in results] == [1, 0]


def test_what_arazzo_can_not_express_is_left_out_and_named() -> None:
    ended = CliRunner().invoke(main, ["export", "arazzo"])
    left = dict(re.findall(r"^left out: (\S+): (.+)$", ended.stderr, re.MULTILINE))
    written = {one["workflowId"] for one in yaml.safe_load(ended.stdout)["workflows"]}
    chains = [step for step in load_contract().examples if step.example.after]
    assert written | {name.replace(".", "-") for name in left} == {
        f"{step.operation.id}-{step.example.name}" for step in chains
    }
    assert {reason.rpartition(" ")[2] for reason in left.values()} == {"stream", "JSON"}


def test_a_document_without_chains_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    file.write_text("openapi: 3.1.0\ninfo: {title: A, version: '1'}\npaths: {}\n", encoding="utf-8")
    ended = CliRunner().invoke(main, ["export", "arazzo", str(file)])
    assert ended.exit_code == 2
    assert "no example of the document follows another" in ended.stderr
