"""The list of commands, which imports none of them, and a command whose library is not installed."""

from __future__ import annotations

from importlib.metadata import metadata
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from agent_contract.cli import COMMANDS, CommandEntry, LazyGroup, main
from agent_contract.installation import DISTRIBUTION


def test_the_help_lists_every_command_with_what_it_does() -> None:
    assert main.list_commands(click.Context(main)) == list(COMMANDS)
    shown = " ".join(CliRunner().invoke(main, ["--help"]).output.split())
    assert all(f"{name} {entry.help}" in shown for name, entry in COMMANDS.items())


def test_a_command_without_its_library_names_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = CommandEntry("agent_contract.cli.check", "x", ("a_library_that_is_absent",), "redis")
    monkeypatch.setattr("agent_contract.cli.COMMANDS", {"check": entry})
    with pytest.raises(click.ClickException, match="agent-contract check") as caught:
        LazyGroup().get_command(click.Context(main), "check")
    assert "agent-contract-kit[redis]" in caught.value.message


def test_the_extra_of_each_command_is_one_of_the_distribution() -> None:
    extras = metadata(DISTRIBUTION).get_all("Provides-Extra")
    assert {entry.extra for entry in COMMANDS.values()} <= set(extras or ())


def test_a_file_that_is_not_json_is_not_taken_for_a_report(tmp_path: Path) -> None:
    broken = tmp_path / "broken.json"
    broken.write_text("{", encoding="utf-8")
    result = CliRunner().invoke(main, ["diff", str(broken), "9.0"])
    assert result.exit_code == 2
    assert f"{broken}:1" in result.output
