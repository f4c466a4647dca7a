"""Every command prints on any encoding of the standard output, as a Windows code page is one."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from contract_tests.report.saved_json import to_json
from mockserver import MockServer
from tests.contract_tests.report.support.samples import clause, report
from tests.contract_tests.support.commands import COMMAND, LIMIT, environment

#: Characters that cp1252 has, and one that it lacks.
AGENT = "Jürgen☃"


def run(*arguments: str) -> tuple[int, str]:
    """Return the exit code of a command and what it printed, read as cp1252."""
    env = environment(PYTHONUTF8="0", PYTHONIOENCODING="cp1252")
    done = subprocess.run(
        [*COMMAND, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env, timeout=LIMIT, check=False
    )
    return done.returncode, done.stdout.decode("cp1252")


@pytest.fixture
def saved(tmp_path: Path) -> tuple[str, str]:
    for name, word in (("1.json", "passed"), ("2.json", "failed")):
        (tmp_path / name).write_text(to_json(report(clause(AGENT, word))), encoding="utf-8")
    return str(tmp_path / "1.json"), str(tmp_path / "2.json")


def test_verify_prints_the_agent_that_is_unknown() -> None:
    with MockServer() as server:
        code, output = run("verify", server.url, "--agent-id", AGENT, "--clause", "chat.model-empty")
    assert code == 2
    assert "the server knows no agent 'Jürgen\\u2603'" in output


def test_clauses_are_listed() -> None:
    code, output = run("clauses")
    assert code == 0
    assert "chat.model-empty" in output


def test_a_document_is_checked(tmp_path: Path) -> None:
    file = tmp_path / "ü☃.yaml"
    file.write_text("openapi: 3.1.0\ninfo: {title: ü☃, version: '1'}\npaths: {☃: {}}\n", encoding="utf-8")
    code, output = run("check", str(file))
    assert code != 0
    assert "ü" in output
    assert "Traceback" not in output


def test_a_difference_of_reports_is_printed(saved: tuple[str, str]) -> None:
    code, output = run("diff", *saved)
    assert code == 1
    assert "Jürgen\\u2603" in output


def test_a_trend_is_printed(saved: tuple[str, str]) -> None:
    code, output = run("trend", str(Path(saved[0]).parent))
    assert code in (0, 1)
    assert "Traceback" not in output
    assert "passed" in output
