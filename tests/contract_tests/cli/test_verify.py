"""`agent-contract verify` from the outside: words, exit codes, last lines."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from threading import Event

import pytest

from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.running import running
from mockserver import MockServer
from server_defects.hooks import Refusal
from tests.contract_tests.support.commands import COMMAND, CommandResult, environment, verify
from tests.contract_tests.support.servers import Answer, closed_port, serving

PLAIN = ServerHooks()
PREFIX = "/api/v1/compatibility/openai/v1/assistants"
SECRET = "a-token-that-is-secret"
#: A clause that is judged on one request.
QUICK = "--clause=chat.messages-empty"


def lax(refusal: Refusal) -> Refusal:
    """Answer 400 instead of 422."""
    return replace(refusal, status=400) if refusal.status == 422 else refusal


@pytest.fixture(scope="module")
def conforming() -> Iterator[str]:
    with running(PLAIN) as url:
        yield f"{url}{PREFIX}/{PLAIN.agent_id}"


@pytest.fixture(scope="module")
def whole(conforming: str) -> CommandResult:
    return verify(conforming, "--verbose")


@pytest.fixture(scope="module")
def guarded() -> Iterator[str]:
    with running(replace(PLAIN, token=SECRET)) as url:
        yield f"{url}{PREFIX}/{PLAIN.agent_id}"


def test_a_conforming_deployment_exits_0(whole: CommandResult) -> None:
    assert whole.code == 0, whole.output
    assert whole.last == "exit 0: passed"
    assert " failed " not in whole.output


def test_a_run_asks_no_more_than_three_hundred_times(whole: CommandResult) -> None:
    assert int(whole.output.rpartition(" requests")[0].rpartition(" ")[2]) <= 500


def test_the_table_has_every_clause_worst_first(whole: CommandResult) -> None:
    """With `--verbose`. Clauses that were not tested come before passes, with the reason."""
    assert whole.row("chat.messages-empty") == "passed"
    assert whole.row("chat.settings-applied") == "not tested"
    assert whole.output.index("The prompt is not visible to clients") < whole.output.index("\n passed ")


def test_the_first_line_names_the_tested_version_and_the_reason(whole: CommandResult) -> None:
    first = whole.output.partition("\n")[0]
    assert first.startswith("Agent API, tested as version 9.1.1: it understands ")


def test_a_broken_clause_exits_1_and_is_explained() -> None:
    with running(replace(PLAIN, refuse=lax)) as url:
        found = verify(
            url, "--agent-id", PLAIN.agent_id, "--clause", "chat.n-below-minimum", "--clause", "chat.n-accepted"
        )
    assert found.code == 1
    assert found.last == "exit 1: failed: chat.n-below-minimum"
    for text in ("An `n` below 1 is refused with 422.", "core", "#/components/schemas", "422 Unprocessable", "400 Bad"):
        assert text in found.output
    assert found.row("chat.n-accepted") == "passed"


def test_the_curl_of_a_broken_clause_repeats_it() -> None:
    with running(replace(PLAIN, refuse=lax)) as url:
        found = verify(url, "--agent-id", PLAIN.agent_id, "--clause", "chat.body-malformed")
        command = next(line.partition("repeat")[2] for line in found.output.splitlines() if " repeat " in line)
        again = subprocess.run(
            ["bash", "-c", f"{command} -w '%{{http_code}}'"], capture_output=True, text=True, check=True
        )
    assert again.stdout.endswith("400")


def test_a_clause_can_be_asked_alone_and_by_globs(conforming: str) -> None:
    found = verify(conforming, "--clause", "chat.temperature-*")
    assert found.code == 0
    assert "skipped" in found.output
    assert found.row("chat.temperature-accepted") == "passed"
    assert found.row("chat.n-accepted") == ""


def test_a_mock_is_asked_as_demo() -> None:
    with MockServer() as mock:
        assert verify(mock.url, QUICK).code == 0


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (["http://host", "--clause", "chat.nonsense"], "no clause is called 'chat.nonsense'"),
        (["http://host", "--api-version", "8"], "knows no version '8'"),
        (["nonsense"], "is not an http or https URL"),
        (["http://host", "--token-env", "NO_SUCH_VARIABLE"], "no variable NO_SUCH_VARIABLE"),
        (["http://host", "--max-requests", "0"], "--max-requests"),
        ([], "BASE_URL"),
    ],
)
def test_wrong_usage_exits_2_and_names_the_error(arguments: list[str], reason: str) -> None:
    found = verify(*arguments)
    assert found.code == 2
    assert reason in found.error
    assert "Traceback" not in found.error


def test_no_agent_exits_2_and_explains_how_to_name_one() -> None:
    with running(PLAIN) as url:
        found = verify(url)
    assert found.code == 2
    assert "--agent-id" in found.last


def test_an_unreachable_server_exits_2() -> None:
    found = verify(f"http://127.0.0.1:{closed_port()}", "--agent-id", "a")
    assert found.code == 2
    assert "is unreachable" in found.last


def test_an_unknown_agent_exits_2(conforming: str) -> None:
    found = verify(conforming.replace(PLAIN.agent_id, "unknown-agent"))
    assert found.code == 2
    assert "knows no agent 'unknown-agent'" in found.last


def test_an_unknown_path_exits_2() -> None:
    with running(PLAIN) as url:
        found = verify(f"{url}/gate", "--agent-id", PLAIN.agent_id)
    assert found.code == 2
    assert "has no such path" in found.last


def test_a_path_that_can_not_be_told_from_an_agent_is_left_open() -> None:
    with serving(lambda path, body: (404, {}, b"nothing here")) as url:
        found = verify(url, "--agent-id", "a")
    assert found.code == 2
    assert "has no such path" in found.last
    assert "or no agent 'a': it answers both alike" in found.last


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        ((500, {}, b"boom"), "fails on a plain request: 500 Internal Server Error: boom"),
        ((502, {}, b""), "fails on a plain request, after 0.1 s of waiting: 502 Bad Gateway"),
        ((301, {"location": "https://elsewhere/"}, b""), "redirects to https://elsewhere/"),
        ((401, {}, b""), "asks for a token"),
        (None, "is unreachable"),
    ],
)
def test_a_server_that_can_not_be_judged_exits_2(answer: Answer, reason: str) -> None:
    with serving(lambda path, body: answer) as url:
        found = verify(url, "--agent-id", "a", "--warmup", "0.1")
    assert found.code == 2
    assert reason in found.last


def test_a_wrong_token_exits_2(guarded: str) -> None:
    found = verify(guarded, env=environment(AGENT_CONTRACT_TOKEN="wrong"))
    assert found.code == 2
    assert "refuses the token" in found.last


def test_no_token_exits_2_and_explains_how_to_give_one(guarded: str) -> None:
    found = verify(guarded)
    assert found.code == 2
    assert "--token-env" in found.last


def test_a_token_is_taken_from_any_variable_and_never_shown(guarded: str) -> None:
    found = verify(guarded, "--token-env", "MINE", "--clause", "chat.token-*", env=environment(MINE=SECRET))
    assert found.code == 0
    assert found.row("chat.token-missing") == "passed"
    assert SECRET not in found.output + found.error


def test_a_token_that_the_server_repeats_is_hidden() -> None:
    """In what it got, and in the curl."""
    body = f'{{"detail": "{SECRET}"}}'.encode()
    with serving(lambda path, sent: (400, {"content-type": "application/json"}, body)) as url:
        found = verify(url, "--agent-id", "a", QUICK, "--token", SECRET)
    assert found.code == 1
    assert "$AGENT_CONTRACT_TOKEN" in found.output
    assert SECRET not in found.output + found.error


def test_a_seed_clause_that_the_budget_does_not_reach_exits_2(conforming: str) -> None:
    found = verify(conforming, "--max-requests", "3")
    assert found.code == 2
    assert "request budget" in found.output
    assert "3 requests" in found.output
    assert found.last.startswith("exit 2: no verdict: core clauses not decided: ")


def test_a_server_that_dies_midway_ends_the_run_with_what_was_judged() -> None:
    """It is one cause, and one line: nothing failed."""
    asked: list[bytes] = []

    def answer(path: str, body: bytes) -> Answer:
        asked.append(body)
        return (422, {"content-type": "application/json"}, b"{}") if len(asked) < 5 else None

    with serving(answer) as url:
        found = verify(url, "--agent-id", "a", "--clause", "chat.messages-*", "--clause", "chat.temperature-b*")
    assert found.code == 2
    assert "no longer answers" in found.last
    assert found.row("chat.messages-empty") == "passed"
    assert found.row("chat.temperature-below-minimum") == "not tested"


def test_a_server_that_fails_on_one_request_alone_is_broken_there() -> None:
    def answer(path: str, body: bytes) -> Answer:
        return None if b'"messages": []' in body else (422, {"content-type": "application/json"}, b"{}")

    with serving(answer) as url:
        found = verify(url, "--agent-id", "a", "--clause", "chat.messages-empty", "--clause", "chat.n-below-minimum")
    assert found.code == 1
    assert "no reply" in found.output
    assert found.row("chat.n-below-minimum") == "passed"


def test_an_interruption_exits_130_with_what_was_judged() -> None:
    reached = Event()
    asked: list[bytes] = []

    def answer(path: str, body: bytes) -> Answer:
        asked.append(body)
        if len(asked) > 3:
            reached.set()
            Event().wait(30)
        return 422, {"content-type": "application/json"}, b"{}"

    with serving(answer) as url:
        process = subprocess.Popen(
            [*COMMAND, "verify", url, "--agent-id", "a", "--clause", "chat.messages-*"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert reached.wait(60)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert " passed " in output
    assert output.rstrip().endswith("exit 130: interrupted; the verdicts so far are above")


HOSTILE = "raise SystemExit('loaded from the project')"


@pytest.fixture
def hostile(tmp_path: Path) -> Path:
    """A project whose configuration and modules break every pytest, and everything that verify needs."""
    for name in ("openapi_core", "pytest", "_pytest", "schemathesis", "httpx", "rich", "conftest", "fixtures"):
        (tmp_path / f"{name}.py").write_text(HOSTILE)
    (tmp_path / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option -p no_such_plugin\nminversion = 99\n")
    (tmp_path / "pyproject.toml").write_text("[tool.pytest]\naddopts = ['--no-such-option']\n")
    return tmp_path


def test_a_hostile_project_changes_nothing(hostile: Path, conforming: str) -> None:
    """Not even a package by the name of this one."""
    (hostile / "contract_tests").mkdir()
    (hostile / "contract_tests" / "__init__.py").write_text(HOSTILE)
    found = verify(conforming, QUICK, cwd=hostile)
    assert found.code == 0, found.output + found.error
    assert not (hostile / ".pytest_cache").exists()


def test_a_hostile_environment_changes_nothing(hostile: Path, conforming: str) -> None:
    settings = {
        "PYTEST_ADDOPTS": "--no-such-option",
        "PYTEST_PLUGINS": "no_such_plugin",
        "PYTHONWARNINGS": "error",
        "PYTHONPATH": str(hostile),
    }
    found = verify(conforming, "--clause=chat.reply-conforms", env=environment(**settings))
    assert found.code == 0, found.output + found.error
    assert "loaded from the project" not in found.output + found.error


def imported(names: set[str], code: str) -> set[str]:
    """Return which of these modules a Python of its own has imported when it has run the code."""
    tail = f"\nimport sys; print('imported', *{names!r} & set(sys.modules))"
    env = environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    done = subprocess.run([sys.executable, "-c", code + tail], capture_output=True, text=True, check=True, env=env)
    return set(done.stdout.rpartition("imported")[2].split())


def test_the_help_imports_nothing_heavy() -> None:
    heavy = {"httpx", "hypothesis", "openapi_core", "pytest", "rich", "schemathesis"}
    assert imported(heavy, "from contract_tests.cli.verify import verify") == set()


def test_a_run_imports_no_judge_before_it_has_something_to_judge() -> None:
    arguments = [f"--contract-url=http://127.0.0.1:{closed_port()}", "--contract-agent-id=a", f"--contract-{QUICK[2:]}"]
    code = f"from contract_tests.runner.isolated_main import main; assert main({arguments!r}) == 2"
    heavy = {"hypothesis", "openapi_core", "schemathesis"}
    conformance = "contract_tests.deployment.schema_conformance"
    assert imported({*heavy, conformance}, code) == {conformance}
