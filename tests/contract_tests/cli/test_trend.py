"""`agent-contract trend`: clauses held, report by report."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from click.testing import CliRunner, Result

from agent_contract.cli import main
from contract_tests.report.model import Report
from contract_tests.report.saved_json import to_json
from tests.contract_tests.report.support.samples import SAMPLE, clause, report


def trend(folder: Path) -> Result:
    return CliRunner().invoke(main, ["trend", str(folder)])


def save(folder: Path, name: str, one: Report, started: str) -> None:
    (folder / name).write_text(to_json(replace(one, started_at=started)), encoding="utf-8")


def test_reports_are_counted_oldest_first(tmp_path: Path) -> None:
    save(tmp_path, "a.json", SAMPLE, "2026-11-23T16:00:00Z")
    save(
        tmp_path,
        "b.json",
        report(clause("x", "held"), clause("y", "held"), clause("z", "held")),
        "2026-10-01T09:30:00Z",
    )
    found = trend(tmp_path)
    assert found.exit_code == 0
    assert found.stdout.splitlines() == [
        "started               held  broken  waived  differs  not offered  not tested  exit  contract  "
        "deployment                  report",
        "2026-10-01 09:30 UTC     3       0       0        0            0           0     0  9.1.1     "
        "https://agents.example.com  b.json",
        "2026-11-23 16:00 UTC     2       2       1        1            1           1     1  9.1.1     "
        "https://agents.example.com  a.json",
    ]


def test_other_files_are_named_and_left_out(tmp_path: Path) -> None:
    save(tmp_path, "a.json", SAMPLE, "2026-11-23T16:00:00Z")
    (tmp_path / "package.json").write_text("{}")
    (tmp_path / "notes.txt").write_text("not looked at")
    found = trend(tmp_path)
    assert found.exit_code == 0
    assert len(found.stdout.splitlines()) == 2
    assert "left out: " in found.stderr
    assert "package.json is no report" in found.stderr


def test_no_report_at_all_is_wrong_usage(tmp_path: Path) -> None:
    found = trend(tmp_path)
    assert found.exit_code == 2
    assert "--report FILE.json" in found.stderr


def test_no_folder_is_wrong_usage(tmp_path: Path) -> None:
    assert trend(tmp_path / "absent").exit_code == 2
