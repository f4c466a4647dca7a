"""What a run prints: failures first, the rest by topic, and more or less of it on request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from agent_contract import load_contract
from contract_tests.deployment.version_detection import ApiVersion
from contract_tests.options import Options
from contract_tests.report.run_result import RunResult, Traffic
from contract_tests.report.terminal import show
from contract_tests.verdict import Finding, conclude

CONTRACT = load_contract()
CLAUSES = {clause.id: clause for clause in CONTRACT.clauses}
FAILED = Finding("failed", expected="400 Bad Request", got="200 OK: {}", curl="curl https://agents.example.com")
FINDINGS: Mapping[str, Finding] = {
    "chat.model-unexpected": FAILED,
    "chat.role-system": Finding("warning", expected="400 Bad Request", got="200 OK: {}"),
    "chat.settings-applied": Finding("not tested", "The prompt is not visible to clients."),
    "chat.messages-empty": Finding("passed"),
    "chat.messages-one": Finding("passed"),
    "agents.create": Finding("skipped"),
}


def printed(*left_out: str, width: int = 80, traffic: Traffic | None = None, **options: Any) -> str:
    """Return what is printed of these findings."""
    found = {id: replace(finding, clause=id) for id, finding in FINDINGS.items() if id not in left_out}
    result = RunResult(
        contract=CONTRACT,
        options=Options("https://agents.example.com", **options),
        url="https://agents.example.com",
        agent_id="demo",
        version=ApiVersion("9.1.1", "it understands top_p"),
        authenticated=False,
        verdicts=found,
        conclusion=conclude(found, CLAUSES),
        waivers=(),
        traffic=traffic or Traffic(7),
        started=datetime(2026, 11, 25, tzinfo=UTC),
        seconds=1.0,
    )
    file = StringIO()
    show(Console(file=file, width=width), result)
    return file.getvalue()


def test_failures_come_first_with_sentence_grade_meaning_and_evidence() -> None:
    lines = printed().splitlines()
    assert lines[2] == "failed  chat.model-unexpected"
    assert lines[3] == f"   clause  {CLAUSES['chat.model-unexpected'].sentence}"
    assert lines[4].startswith("    grade  core: ")
    assert lines[5] == "    means  clients get answers of another model than they asked for"
    assert "   repeat  curl https://agents.example.com" in lines
    assert any(line.startswith("    alone  agent-contract verify ") for line in lines)


def test_warnings_are_listed_with_what_was_seen() -> None:
    assert re.search(r"warning +assumed +chat\.role-system +\n +expected 400 Bad Request; got 200 OK", printed())


def test_the_rest_is_counted_by_topic() -> None:
    text = printed()
    assert re.search(r"Messages and roles +1 +2 *\n", text)
    assert re.search(r"clauses about +failed +warning +not tested +passed", text)
    assert "chat.messages-empty" not in text
    assert "--verbose lists each clause" in text


@pytest.mark.parametrize("options", [{"verbose": True}, {"clauses": ("chat.*",)}])
def test_each_clause_is_listed_on_request_or_if_some_were_chosen(options: dict[str, Any]) -> None:
    text = printed(**options)
    assert re.search(r"passed +\w+ +chat\.messages-empty", text)
    assert re.search(r"not tested +\w+ +chat\.settings-applied +\n +The prompt is not visible to clients\.", text)
    assert "clauses about" not in text


def test_quiet_prints_failures_and_the_conclusion() -> None:
    text = printed(quiet=True)
    assert text.startswith("failed  chat.model-unexpected\n")
    assert text.splitlines()[-2].startswith("1 failed, 1 warning, 1 not tested, 2 passed, 1 skipped, 7 requests")
    assert text.splitlines()[-1] == "exit 1: failed: chat.model-unexpected"
    assert "role-system" not in text


def test_quiet_and_no_failure_prints_two_lines() -> None:
    assert len(printed("chat.model-unexpected", quiet=True).splitlines()) == 2


def test_an_agent_that_is_left_behind_is_reported_even_if_quiet() -> None:
    text = printed(quiet=True, traffic=Traffic(7, left_behind=("agent x: 403 Forbidden",)))
    assert "could not be removed: agent x: 403 Forbidden" in text


@pytest.mark.parametrize("width", [60, 80, 200])
def test_no_line_of_a_table_is_broken_within_a_word(width: int) -> None:
    words = {*re.findall(r"[\w.-]+", printed(verbose=True, width=400))}
    assert {*re.findall(r"[\w.-]+", printed(verbose=True, width=width))} <= words
