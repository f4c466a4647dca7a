"""`agent-contract faults`: the catalogue, and one fault with its parameters."""

from __future__ import annotations

import pytest
from click.testing import CliRunner

from agent_contract.cli import main
from mockserver.faults.catalogue import KINDS


def printed(*arguments: str) -> str:
    ended = CliRunner().invoke(main, ["faults", *arguments])
    assert ended.exit_code == 0, ended.output
    return ended.stdout


def test_each_fault_has_a_line() -> None:
    lines = printed().splitlines()
    assert [line.split()[0] for line in lines[: len(KINDS)]] == list(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_fault_is_described_with_its_parameters_and_those_of_all(name: str) -> None:
    first, *rest = printed(name).splitlines()
    kind = KINDS[name]
    assert first == f"{name} {kind.does}."
    described = [line.split()[0] for line in rest if line.startswith("  ")]
    for row, parameter in zip(rest[2:], kind.parameters.values(), strict=False):
        assert row.endswith(parameter.meaning if parameter.default is None else f"(default: {parameter.default})")
    assert described[: len(kind.parameters)] == list(kind.parameters)
    assert "probability" in described


def test_an_unknown_fault_is_refused_with_a_suggestion() -> None:
    ended = CliRunner().invoke(main, ["faults", "status-42"])
    assert ended.exit_code == 2
    assert "did you mean" in ended.stderr
