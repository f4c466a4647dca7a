"""The GitHub Action: its shell steps from `action.yml`, run in bash."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from contract_tests.cli.action import INPUTS, arguments, description, input_name
from contract_tests.cli.verify import verify
from contract_tests.options import Option
from contract_tests.report.saved_json import load
from mockserver import MockServer
from mockserver.cli.action import INPUTS as SERVE_INPUTS
from tests.contract_tests.support.commands import environment
from tests.support.github_action import SHELL_STEPS, VALUE, run_last


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with MockServer() as server:
        yield server.url


def run(folder: Path, **inputs: str) -> subprocess.CompletedProcess[str]:
    """Run the step that verifies."""
    return run_last({name.replace("_", "-"): value for name, value in inputs.items()}, folder, environment())


def test_every_option_of_the_command_is_an_input() -> None:
    options = {parameter.opts[0].removeprefix("--") for parameter in verify.params} - {"base_url"}
    assert {one.name for one in INPUTS} | {"token"} == options
    own = {"base-url", "token", "python-version", "serve", *SERVE_INPUTS}
    assert VALUE["inputs"].keys() == {*map(input_name, INPUTS), *own}


@pytest.mark.parametrize("option", INPUTS, ids=input_name)
def test_an_input_is_described_as_the_help_describes_its_option(option: Option) -> None:
    assert VALUE["inputs"][input_name(option)] == {"description": description(option), "default": ""}


def test_inputs_become_arguments() -> None:
    inputs = {"base-url": "http://x", "rate": "2", "clauses": "a.*\n b \n", "no-sessions": "true", "dry-run": "false"}
    assert arguments(inputs) == ["--clause=a.*", "--clause=b", "--rate=2", "--no-sessions", "--", "http://x"]


def test_a_flag_that_is_neither_true_nor_false_is_refused(mock: str, tmp_path: Path) -> None:
    done = run(tmp_path, base_url=mock, dry_run="yes")
    assert done.returncode == 2
    assert "--dry-run" in done.stderr


def test_no_script_has_an_expression_in_it() -> None:
    """It would become part of the script, and the author of the input would write the script."""
    assert [step["name"] for step in SHELL_STEPS if "${{" in step["run"]] == []
    assert all(step["shell"] == "bash" for step in SHELL_STEPS)


def test_a_deployment_is_verified(mock: str, tmp_path: Path) -> None:
    clauses = "chat.messages-*\n  chat.model-own  \n\n"
    done = run(tmp_path, base_url=mock, agent_id="demo", clauses=clauses, reports="a.json\nwith a space.md", seed="7")
    assert done.returncode == 0, done.stdout + done.stderr
    report = load(tmp_path / "a.json")
    assert report.options["clauses"] == ["chat.messages-*", "chat.model-own"]
    assert (report.seed, report.options["token"]) == (7, False)
    assert (tmp_path / "with a space.md").is_file()


def test_the_exit_code_of_the_step_is_that_of_the_command(mock: str, tmp_path: Path) -> None:
    assert run(tmp_path, base_url=mock, agent_id="demo-open", clauses="chat.model-unexpected").returncode == 1
    assert run(tmp_path, base_url=mock, agent_id="demo", clauses="chat.nonsense").returncode == 2


def test_a_token_reaches_the_command_and_no_argument(mock: str, tmp_path: Path) -> None:
    done = run(
        tmp_path, base_url=mock, agent_id="demo", token="a-secret-token", clauses="chat.model-own", reports="r.json"
    )
    assert done.returncode == 0
    assert load(tmp_path / "r.json").options["token"] is True
    assert "a-secret-token" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    "text", ['"; touch pwned; "', "$(touch pwned)", "`touch pwned`", "' ; touch pwned #", "--help", "a\ntouch pwned"]
)
@pytest.mark.parametrize("name", ["base_url", "agent_id", "clauses"])
def test_an_input_is_never_run(name: str, text: str, tmp_path: Path) -> None:
    done = run(
        tmp_path, **{"base_url": "http://127.0.0.1:1", "agent_id": "demo", "clauses": "chat.model-own", name: text}
    )
    assert done.returncode == 2
    assert not (tmp_path / "pwned").exists()


def test_bash_finds_no_fault_in_the_steps() -> None:
    for step in SHELL_STEPS:
        assert subprocess.run(["bash", "-n", "-c", step["run"]], check=False).returncode == 0
