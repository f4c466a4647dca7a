"""What GitHub Actions is told."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from contract_tests.report.github_actions import MOST, add_summary, annotated, commands_stopped, is_requested
from tests.contract_tests.report.support.samples import MARKUP, SAMPLE, clause, report


def test_what_is_broken_is_an_error_and_what_differs_a_warning() -> None:
    lines = annotated(SAMPLE)
    assert [line.split("::")[1] for line in lines] == [
        "error title=chat.n-choices",
        "error title=chat.stream-done",
        "warning title=chat.stop-content",
        "warning title=chat.role-system",
    ]
    assert lines[1].endswith("(core) failed: expected [DONE]; got no [DONE]")


def test_output_of_a_server_is_one_line_and_not_a_command() -> None:
    (line,) = annotated(report(clause("a:b,c", "failed", expected="50%", got="x\r\n::error::y")))
    assert line.startswith("::error title=a%3Ab%2Cc::")
    assert line.endswith("expected 50%25; got x\\x0d%0A::error::y")
    assert "\n" not in line


def test_no_verdict_is_an_error_too() -> None:
    assert annotated(report(code=2, sentence="no verdict: x")) == ["::error title=verdict::no verdict: x"]


def test_more_than_github_shows_is_summed_up() -> None:
    lines = annotated(report(*(clause(f"c{number}", "failed", got="x", expected="y") for number in range(30)), code=1))
    assert len(lines) == MOST
    assert lines[-1] == "::error title=more::21 more clauses; the job's summary has them all"


def test_a_held_contract_is_not_annotated() -> None:
    assert annotated(report(clause("a", "passed"))) == []


def test_the_summary_is_appended(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    file.write_text("of an earlier step\n")
    assert add_summary(SAMPLE, {"GITHUB_STEP_SUMMARY": str(file)}) == ""
    assert file.read_text().startswith("of an earlier step\n## 2 clauses failed, 1 clause got worse\n")


def test_a_summary_that_is_too_large_goes_without_the_evidence(tmp_path: Path) -> None:
    file = tmp_path / "summary"
    large = report(*(clause(f"c{number}", "failed", got="x" * 10_000, expected="y") for number in range(120)), code=1)
    assert add_summary(large, {"GITHUB_STEP_SUMMARY": str(file)}) == ""
    assert file.stat().st_size < 1024 * 1024


def test_a_summary_that_can_not_be_written_is_said(tmp_path: Path) -> None:
    assert "can't be written" in add_summary(SAMPLE, {"GITHUB_STEP_SUMMARY": str(tmp_path)})


def test_without_a_file_the_summary_is_skipped() -> None:
    assert add_summary(SAMPLE, {}) == ""


def test_commands_are_stopped_by_a_word_that_no_server_knows() -> None:
    lines: list[str] = []
    with commands_stopped(lines.append):
        lines.append(MARKUP)
    token = re.fullmatch(r"::stop-commands::([0-9a-f]{32})", lines[0])
    assert token
    assert lines[2] == f"::{token[1]}::"


@pytest.mark.parametrize(("value", "expected"), [("true", True), ("false", False), ("", False)])
def test_only_github_actions_is_told(value: str, expected: bool) -> None:
    assert is_requested({"GITHUB_ACTIONS": value}) is expected
    assert is_requested({}) is False
