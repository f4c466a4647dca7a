"""`agent-contract serve --like`: a process that behaves as a deployment of a report."""

from __future__ import annotations

import time
from pathlib import Path

import httpx
import pytest
from click.testing import CliRunner

from agent_contract.cli import main
from contract_tests.report.saved_json import to_json
from tests.server_defects.support.reports import exchanges_with, report_of
from tests.server_defects.support.requests import CHAT, HELLO
from tests.support.serving import Served, serve


@pytest.fixture
def report(tmp_path: Path) -> Path:
    """A report of a deployment whose totals are zero, and whose streams and plain answers differ."""
    path = tmp_path / "report.json"
    clauses = {"chat.reply-usage-sum": exchanges_with("usage-total-zero", {}), "chat.stream-same-as-plain": []}
    path.write_text(to_json(report_of(clauses)), encoding="utf-8")
    return path


def printed(served: Served, text: str) -> str:
    """Wait for a printed line that contains the given words, and return it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for line in list(served.lines):
            if text in line:
                return line.rstrip()
        httpx.get(f"{served.url}/__mock__/health")
    raise AssertionError(f"{text} is not in {served.lines}")


def test_a_mock_plays_what_a_report_shows_and_lists_the_rest(report: Path) -> None:
    with serve("--like", str(report)) as served:
        answer = httpx.post(f"{served.url}{CHAT}", json={"messages": HELLO}).json()
        assert answer["usage"]["total_tokens"] == 0
        assert printed(served, "chat.reply-usage-sum") == "  chat.reply-usage-sum: sends 0 as the total"
        assert printed(served, "chat.stream-same-as-plain: ").startswith("  chat.stream-same-as-plain: The contents")


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--workers", "2", "--store", "sqlite:///x.db"], "--like is for one process and the built-in document"),
        (["--spec", __file__], "--like is for one process and the built-in document"),
    ],
)
def test_wrong_usage_says_what_to_do(report: Path, options: list[str], why: str) -> None:
    ended = CliRunner().invoke(main, ["serve", "--like", str(report), *options])
    assert (ended.exit_code, why in ended.output) == (2, True), ended.output


def test_a_file_that_is_no_report_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "report.json"
    path.write_text("[]", encoding="utf-8")
    ended = CliRunner().invoke(main, ["serve", "--like", str(path)])
    assert (ended.exit_code, "is not a report of agent-contract" in ended.output) == (2, True), ended.output
