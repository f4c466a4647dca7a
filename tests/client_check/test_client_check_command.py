"""`agent-contract client-check`: what it runs, prints and writes, and how it ends."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent_contract.cli import main

SCRIPT = """
import json, os, sys, urllib.request
body = json.dumps({"messages": [{"role": "user", "content": "Hello!"}], "stream": True}).encode()
request = urllib.request.Request(os.environ["CHAT"], body, {"content-type": "application/json"})
for line in urllib.request.urlopen(request).read().decode().split("\\n"):
    if line.startswith("data: {"):
        print(json.loads(line[6:])["choices"][0])
"""
USAGE = "IndexError: list index out of range"


@pytest.fixture
def script(tmp_path: Path) -> Path:
    """A client that reads the first choice of each chunk."""
    path = tmp_path / "client.py"
    path.write_text(SCRIPT, encoding="utf-8")
    return path


def checked(script: Path, *options: str) -> Result:
    where = ["--env", "CHAT={base_url}/chat/completions"]
    return CliRunner().invoke(main, ["client-check", *where, *options, "--", sys.executable, str(script)])


def test_a_failure_names_the_clause_and_shows_the_exchange_and_the_output(script: Path) -> None:
    ended = checked(script, "--only", "stream-usage-*")
    assert ended.exit_code == 1
    lines = ended.stdout.splitlines()
    assert lines[0] == "failed  stream-usage-last"
    assert lines[1] == "  the server  ends a stream with usage and no choices"
    assert lines[2].startswith("      clause  chat.stream-usage: With `include_usage`, ")
    assert '"choices":[]' in ended.stdout
    assert USAGE in ended.stdout
    assert lines[-2:] == ["1 failed, 1 passed", "exit 1: failed: stream-usage-last"]


def test_a_client_without_the_bug_passes(script: Path) -> None:
    ended = checked(script, "--only", "stream-unlisted", "--only", "chat.tool-arguments")
    assert ended.exit_code == 0, ended.output
    assert ended.stdout == "1 passed, 1 not met\nexit 0: passed\n"


def test_a_report_has_each_verdict_with_its_evidence(script: Path, tmp_path: Path) -> None:
    checked(script, "--only", "stream-usage-*", "--report", str(tmp_path / "r.json"))
    report = json.loads((tmp_path / "r.json").read_text(encoding="utf-8"))
    assert report["format"] == "agent-contract-client-check"
    passed, failed = report["variants"]
    assert (passed["name"], passed["verdict"]) == ("stream-usage-null", "passed")
    assert (failed["clause"], failed["verdict"], failed["status"]) == ("chat.stream-usage", "failed", 1)
    assert USAGE in failed["output"]
    assert "POST /api/" in failed["exchanges"][0]


def test_a_waiver_excuses_a_variant_until_its_day(script: Path, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("- {clause: stream-usage-last, reason: a fix is planned, until: '2999-01-31'}", encoding="utf-8")
    ended = checked(script, "--only", "stream-usage-last", "--waive", str(waivers))
    assert (ended.exit_code, ended.stdout) == (0, "1 failed (waived)\nexit 0: passed\n")

    waivers.write_text("- {clause: stream-usage-last, reason: a fix is planned, until: '2020-01-31'}", encoding="utf-8")
    ended = checked(script, "--only", "stream-usage-last", "--waive", str(waivers))
    assert ended.exit_code == 1
    assert "the waiver of stream-usage-last expired on 2020-01-31" in ended.stdout


def test_a_waiver_of_no_variant_is_refused(script: Path, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("- {clause: stream-dance, reason: none, until: '2999-01-31'}", encoding="utf-8")
    ended = checked(script, "--waive", str(waivers))
    assert (ended.exit_code, "stream-dance is not a variant" in ended.output) == (2, True)


def test_a_client_that_fails_without_any_variation_gets_no_verdict(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("raise SystemExit('no such file: settings.toml')", encoding="utf-8")
    ended = checked(broken)
    assert ended.exit_code == 2
    assert "no such file: settings.toml" in ended.output
    assert "without any variation the command ended with 1" in ended.output


def test_a_client_that_never_asks_the_mock_gets_no_verdict(tmp_path: Path) -> None:
    silent = tmp_path / "silent.py"
    silent.write_text("", encoding="utf-8")
    ended = checked(silent)
    assert (ended.exit_code, "sent no request to the mock" in ended.output) == (2, True)


def test_a_command_that_hangs_is_killed_with_what_it_started(tmp_path: Path) -> None:
    """A child that holds the output open doesn't keep the check waiting."""
    hanging = tmp_path / "hanging.py"
    hanging.write_text("import subprocess, sys; subprocess.run([sys.executable, '-c', 'while True: pass'])", "utf-8")
    ended = checked(hanging, "--timeout", "1")
    assert (ended.exit_code, "was still running after 1 s" in ended.output) == (2, True)


@pytest.mark.parametrize(
    ("options", "why"),
    [
        (["--only", "dance-*"], "dance-* matches no variant; --list shows them"),
        (["--env", "CHAT"], "CHAT is not NAME=VALUE"),
    ],
)
def test_wrong_usage_says_what_to_do(script: Path, options: list[str], why: str) -> None:
    ended = CliRunner().invoke(main, ["client-check", *options, "--", sys.executable, str(script)])
    assert (ended.exit_code, why in ended.output) == (2, True)


def test_a_command_that_does_not_exist_is_named() -> None:
    ended = CliRunner().invoke(main, ["client-check", "--", "no-such-command"])
    assert (ended.exit_code, "no-such-command can't be run: No such file" in ended.output) == (2, True)


def test_the_variants_are_listed_with_their_clauses() -> None:
    ended = CliRunner().invoke(main, ["client-check", "--list"])
    assert ended.exit_code == 0
    assert "stream-crlf" in ended.stdout
    assert "chat.stream-framing: " in ended.stdout


def test_mutants_list_the_defects_that_no_test_notices(script: Path) -> None:
    ended = checked(script, "--mutants", "--only", "done-missing", "--only", "stream-of-python", "--only", "embed*")
    assert ended.exit_code == 1, ended.output
    lines = ended.stdout.splitlines()
    assert lines[:2] == ["unnoticed  done-missing", "  the server  ends without `[DONE]`"]
    assert lines[2].startswith("      clause  chat.stream-done: ")
    assert "1 unnoticed, " in ended.stdout
    assert lines[-2:] == ["mutation score: 1 of 2 defects noticed, 50%", "exit 1: unnoticed: done-missing"]


def test_a_waiver_excuses_a_defect_that_no_test_notices(script: Path, tmp_path: Path) -> None:
    waivers = tmp_path / "waivers.yaml"
    waivers.write_text("- {clause: done-missing, until: 2999-01-01, reason: not needed}\n", encoding="utf-8")
    ended = checked(script, "--mutants", "--only", "done-missing", "--waive", str(waivers))
    assert (ended.exit_code, ended.stdout.splitlines()[-1]) == (0, "exit 0: passed")


def test_tests_that_fail_without_a_defect_give_no_score(tmp_path: Path) -> None:
    path = tmp_path / "client.py"
    path.write_text("raise SystemExit('no client')", encoding="utf-8")
    ended = checked(path, "--mutants")
    assert (ended.exit_code, "correct that first" in ended.output) == (2, True)


def test_list_shows_the_defects_with_their_clauses() -> None:
    ended = CliRunner().invoke(main, ["client-check", "--mutants", "--only", "done-*", "--list"])
    assert ended.exit_code == 0
    assert "done-missing" in ended.output
    assert "chat.stream-done: " in ended.output
