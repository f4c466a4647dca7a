"""`agent-contract trend`: the verdicts of several reports."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner, Result

from agent_contract.cli import main
from contract_tests.report.model import Report
from contract_tests.report.saved_json import to_json
from tests.contract_tests.report.support.samples import SAMPLE, VERSION_1, clause, report


def trend(folder: Path) -> Result:
    return CliRunner().invoke(main, ["trend", str(folder)])


def save(folder: Path, name: str, one: Report, started: str) -> None:
    (folder / name).write_text(to_json(replace(one, started_at=started)), encoding="utf-8")


def test_reports_are_counted_oldest_first(tmp_path: Path) -> None:
    save(tmp_path, "a.json", SAMPLE, "2026-11-23T16:00:00Z")
    save(
        tmp_path,
        "b.json",
        report(clause("x", "passed"), clause("y", "passed"), clause("z", "passed")),
        "2026-10-01T09:30:00Z",
    )
    found = trend(tmp_path)
    assert found.exit_code == 0
    assert found.stdout.splitlines() == [
        "started               passed  failed  waived  warning  not supported  not tested  exit  contract  "
        "deployment                  report",
        "2026-10-01 09:30 UTC       3       0       0        0              0           0     0  9.1.1     "
        "https://agents.example.com  b.json",
        "2026-11-23 16:00 UTC       2       2       1        1              1           1     1  9.1.1     "
        "https://agents.example.com  a.json",
    ]


def test_a_report_of_version_1_is_counted_with_the_words_of_today(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(VERSION_1.read_text(encoding="utf-8"), encoding="utf-8")
    row = trend(tmp_path).stdout.splitlines()[1]
    assert row.split()[3:10] == ["2", "2", "1", "1", "1", "1", "1"]


def test_other_files_are_named_and_left_out(tmp_path: Path) -> None:
    save(tmp_path, "a.json", SAMPLE, "2026-11-23T16:00:00Z")
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("not looked at")
    found = trend(tmp_path)
    assert found.exit_code == 0
    assert len(found.stdout.splitlines()) == 2
    assert "left out: " in found.stderr
    assert "package.json is not a report" in found.stderr


def test_no_report_at_all_is_wrong_usage(tmp_path: Path) -> None:
    found = trend(tmp_path)
    assert found.exit_code == 2
    assert "--report FILE.json" in found.stderr


def test_no_folder_is_wrong_usage(tmp_path: Path) -> None:
    assert trend(tmp_path / "absent").exit_code == 2
