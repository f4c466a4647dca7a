"""The mode `serve` of the GitHub Action: its shell step, as `action.yml` has it, run in bash."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from mockserver.cli import serve
from mockserver.cli.action import INPUTS, arguments
from tests.support.github_action import VALUE, run_last


@contextmanager
def ran(folder: Path, **inputs: str) -> Iterator[subprocess.CompletedProcess[str]]:
    """Run the step; the mock that it started has ended when the block is left."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("GITHUB_", "AGENT_CONTRACT_"))}
    given = {name.replace("_", "-"): text for name, text in inputs.items()}
    try:
        yield run_last({"serve": "true", **given}, folder, {**kept, "PYTHONPATH": ""})
    finally:
        for pid in started(folder):
            os.kill(pid, signal.SIGTERM)


def started(folder: Path) -> list[int]:
    """Return the processes whose output is the log of a mock that was started in a folder."""
    log = folder / "agent-contract-mock.log"
    found = []
    for link in Path("/proc").glob("[0-9]*/fd/1"):
        try:
            if link.readlink() == log:
                found.append(int(link.parts[2]))
        except OSError:
            continue
    return found


def free_port() -> str:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return str(one.getsockname()[1])


def test_every_input_is_an_option_of_the_command() -> None:
    options = {parameter.opts[0].removeprefix("--") for parameter in serve.params}
    assert set(INPUTS) <= options
    assert set(INPUTS) <= VALUE["inputs"].keys()


def test_inputs_become_arguments() -> None:
    inputs = {"port": "9000", "spec": " a b.yaml ", "seed": "", "serve": "true", "base-url": "http://x"}
    assert arguments(inputs) == ["--port=9000", "--spec=a b.yaml"]


def test_the_mock_answers_after_the_step(tmp_path: Path) -> None:
    port = free_port()
    with ran(tmp_path, port=port, token="a-secret-token", api_version="9.0") as done:
        assert done.returncode == 0, done.stdout + done.stderr
        url = re.fullmatch(r"url=(.*)\n", (tmp_path / "outputs").read_text())
        assert url is not None
        assert url[1] == f"http://127.0.0.1:{port}"
        assert httpx.get(url[1] + "/__mock__/health").json()["version"] == "9.0"
        assert httpx.get(url[1] + "/openapi.json").status_code == 401
    assert "a-secret-token" not in done.stdout + done.stderr


def test_a_mock_that_does_not_start_fails_the_step(tmp_path: Path) -> None:
    with ran(tmp_path, port=free_port(), spec="nowhere.yaml") as done:
        assert done.returncode == 1
        assert "The mock did not start" in done.stderr
        assert "nowhere.yaml" in done.stderr
    assert not (tmp_path / "outputs").exists()


def test_another_server_at_the_port_is_not_taken_for_the_mock(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = str(other.getsockname()[1])
        with ran(tmp_path, port=port) as done:
            assert done.returncode == 1
            assert f"Port {port} of 127.0.0.1 is in use" in done.stderr


@pytest.mark.parametrize("text", ['"; touch pwned; "', "$(touch pwned)", "--help"])
def test_an_input_is_never_run(text: str, tmp_path: Path) -> None:
    with ran(tmp_path, port=text) as done:
        assert done.returncode == 1
    assert not (tmp_path / "pwned").exists()
