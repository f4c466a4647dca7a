"""`agent-contract diff`: versions, documents and reports, side by side."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from agent_contract.cli import main
from contract_tests.report.saved_json import to_json
from tests.agent_contract.support.documents import write
from tests.agent_contract.support.resources import TEXT, things
from tests.contract_tests.report.support.samples import SAMPLE, VERSION_1, clause, report
from tests.contract_tests.support.commands import COMMAND, LIMIT, environment


def diff(*arguments: object) -> Result:
    return CliRunner().invoke(main, ["diff", *map(str, arguments)])


@pytest.fixture
def reports(tmp_path: Path) -> tuple[Path, Path]:
    files = tmp_path / "before.json", tmp_path / "after.json"
    files[0].write_text(to_json(report(clause("a.x", "passed"), clause("a.y", "passed"))), encoding="utf-8")
    files[1].write_text(to_json(report(clause("a.x", "failed"), clause("a.y", "passed"))), encoding="utf-8")
    return files


def test_two_versions_of_the_api_are_compared() -> None:
    result = diff("9.0", "9.1")
    assert result.exit_code == 1
    assert result.output.startswith("Agent API 9.0 → Agent API 9.1: ")
    assert "body/stream_options" in result.output
    assert "body/top_p" not in result.output


def test_without_a_difference_the_exit_status_is_0() -> None:
    result = diff("9.1", "9.1")
    assert (result.exit_code, result.output) == (0, "Agent API 9.1 → Agent API 9.1: no difference\n")


def test_two_documents_are_compared(tmp_path: Path) -> None:
    changed: Any = things()
    del changed["paths"]["/things"]["get"]
    one, other = write(tmp_path, TEXT, "a.yaml"), write(tmp_path, yaml.safe_dump(changed), "b.yaml")
    result = diff(one, other)
    assert result.exit_code == 1
    assert "GET /things" in result.output
    assert diff(one, one).exit_code == 0


def test_a_document_is_compared_with_a_version(tmp_path: Path) -> None:
    assert "Things 1 → Agent API 9.0" in diff(write(tmp_path, TEXT), "9.0").output


@pytest.mark.parametrize("form", ["table", "json", "markdown"])
def test_each_form_of_two_reports_names_what_became_worse(reports: tuple[Path, Path], form: str) -> None:
    result = diff(*reports, "--format", form)
    assert result.exit_code == 1
    assert "a.x" in result.output
    assert "worse" in result.output
    assert "a.y" not in result.output
    if form == "json":
        assert json.loads(result.output)["changes"] == [
            {"clause": "a.x", "change": "worse", "before": "passed", "after": "failed"}
        ]


def test_two_equal_reports_have_no_difference(reports: tuple[Path, Path]) -> None:
    for form in ("table", "markdown"):
        result = diff(reports[0], reports[0], "--format", form)
        assert result.exit_code == 0
        assert "othing has changed" in result.output


def test_a_report_of_version_1_is_compared_with_one_of_today(tmp_path: Path) -> None:
    today = tmp_path / "today.json"
    today.write_text(to_json(SAMPLE), encoding="utf-8")
    assert diff(VERSION_1, today).exit_code == 0
    assert diff(VERSION_1, VERSION_1).exit_code == 0


def test_a_report_is_not_compared_with_a_contract(reports: tuple[Path, Path]) -> None:
    result = diff(reports[0], "9.0")
    assert result.exit_code == 2
    assert "give two reports, or two versions or documents" in result.output


@pytest.mark.parametrize(
    ("content", "name", "said"),
    [
        (None, "8", "8 is neither a file nor a version of the API: name a file, or one of 9.0, 9.1, 9.1.1."),
        ("{}", "a.json", "is not an OpenAPI document"),
        ("openapi: [", "a.yaml", "a.yaml:"),
        ('{"format": "agent-contract-report", "version": 1}', "a.json", "is a damaged report"),
        ('{"format": "agent-contract-report", "version": 99}', "a.json", "newer agent-contract"),
        ("{", "a.json", "a.json:"),
    ],
)
def test_what_can_not_be_read_is_told_with_exit_status_2(
    tmp_path: Path, content: str | None, name: str, said: str
) -> None:
    file = tmp_path / name
    if content is not None:
        file.write_text(content, encoding="utf-8")
    result = diff(*[file if content is not None else name] * 2)
    assert result.exit_code == 2
    assert said in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize("encoding", ["cp1252", "cp437"])
def test_a_difference_is_printed_on_any_encoding(encoding: str) -> None:
    env = environment(PYTHONUTF8="0", PYTHONIOENCODING=encoding)
    found = subprocess.run([*COMMAND, "diff", "9.0", "9.1.1"], capture_output=True, env=env, timeout=LIMIT, check=False)
    assert (found.returncode, found.stderr) == (1, b"")
    assert found.stdout.startswith(b"Agent API 9.0 \\u2192 Agent API 9.1.1")
