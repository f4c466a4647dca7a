"""`agent-contract coverage` and `agent-contract lint-session` read what the control interface returns."""

from __future__ import annotations

import json
from pathlib import Path

import orjson
import pytest
from click.testing import CliRunner, Result

from agent_contract.cli import main
from agent_contract.messages import Request
from tests.mockserver.analysis.support.conversations import Conversation


def journal_of(chat: Conversation, query: str = "limit=1000") -> bytes:
    parameters = tuple((name, value) for name, _, value in (one.partition("=") for one in query.split("&")))
    return chat.engine.handle(Request("GET", "/__mock__/requests", parameters)).reply.content()


def run(*arguments: str, journal: bytes = b"") -> Result:
    return CliRunner().invoke(main, [*arguments], input=journal)


@pytest.fixture
def misused() -> Conversation:
    chat = Conversation()
    session = chat.create("The password is heron.")
    chat.answer("What is it?", session_id=session)
    return chat


def test_coverage_lists_what_was_met_and_what_never_was(misused: Conversation, tmp_path: Path) -> None:
    reports = [tmp_path / f"coverage.{form}" for form in ("json", "html", "txt")]
    options = [option for path in reports for option in ("--report", str(path))]
    ran = run("coverage", "-", *options, journal=journal_of(misused))
    assert ran.exit_code == 0, ran.output
    assert ran.output.startswith("contract coverage of 2 exchanges:\n")
    assert "finish reasons  length, tool_calls, content_filter" in ran.output
    value = json.loads(reports[0].read_bytes())
    assert value["met"]["clauses"]["chat.session-created"] == 1
    assert "chat.session-used" in value["never"]["clauses"]
    assert reports[1].read_text(encoding="utf-8").startswith("<!DOCTYPE html>")
    assert reports[2].read_text(encoding="utf-8") + "\n" == ran.output


def test_a_lint_with_a_finding_fails_and_names_turn_and_remedy(misused: Conversation) -> None:
    ran = run("lint-session", "-", journal=journal_of(misused))
    assert ran.exit_code == 1
    (finding,) = json.loads(run("lint-session", "-", "--format", "json", journal=journal_of(misused)).output)
    assert (finding["rule"], finding["request"], finding["turn"]) == ("other-field", 2, 2)
    assert ran.output == (
        f"other-field: request 2, turn 2 of session {finding['session']}: "
        "the field `session_id` is ignored, so the answer knows no earlier turn\n"
        "  remedy: send the id as `store_in_session`\n"
        "1 found, 0 tokens wasted\n"
    )


def test_a_lint_without_a_finding_passes() -> None:
    chat = Conversation()
    chat.answer("Hello!")
    ran = run("lint-session", "-", journal=journal_of(chat))
    assert (ran.exit_code, ran.output) == (0, "no misuse of sessions\n")


def test_pages_of_a_journal_may_follow_each_other_in_any_order(misused: Conversation, tmp_path: Path) -> None:
    first = orjson.loads(journal_of(misused, "limit=1"))
    second = journal_of(misused, f"limit=1&before={first['next']}")
    file = tmp_path / "journal.jsonl"
    file.write_bytes(orjson.dumps(first) + b"\n" + second + b"\n")
    assert run("lint-session", str(file)).exit_code == 1
    file.write_bytes(second + b"\n" + orjson.dumps(first))
    assert run("lint-session", str(file)).exit_code == 1


@pytest.mark.parametrize("command", ["coverage", "lint-session"])
@pytest.mark.parametrize(
    ("journal", "message"),
    [
        (b"", "it is not JSON"),
        (b"{", "it is not JSON"),
        (b"7", "it has no list `requests`"),
        (b"{}", "it has no list `requests`"),
        (b"[7]", "entry 1 is not one of a journal"),
        (b'[{"number": 1}]', "entry 1 is not one of a journal"),
        (b'{"requests": [{"number": 1, "operation": null, "request": [], "reply": {}}]}', "entry 1 is not one"),
        (b"[" * 5000, "it is not JSON"),
    ],
)
def test_a_file_that_is_no_journal_is_reported(command: str, journal: bytes, message: str) -> None:
    ran = run(command, "-", journal=journal)
    assert ran.exit_code == 2
    assert message in ran.output


@pytest.mark.parametrize("command", ["coverage", "lint-session"])
def test_a_file_that_is_no_journal_is_named(command: str, tmp_path: Path) -> None:
    (tmp_path / "odd.json").write_text("7", encoding="utf-8")
    assert f"{tmp_path / 'odd.json'}: " in run(command, str(tmp_path / "odd.json")).output


def test_a_report_that_can_not_be_written_is_reported(misused: Conversation, tmp_path: Path) -> None:
    for name, message in (("coverage.pdf", "ends with none of"), ("missing/coverage.json", "can't be written")):
        ran = run("coverage", "-", "--report", str(tmp_path / name), journal=journal_of(misused))
        assert ran.exit_code == 2
        assert message in ran.output
