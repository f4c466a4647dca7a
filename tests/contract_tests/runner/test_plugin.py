"""The contract tests in a plain pytest: readable, and without effect on other tests."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.running import running
from benchmarks.hostile_servers import SERVERS, serving
from contract_tests.runner import plugin
from server_defects.hooks import Refusal
from tests.contract_tests.support.commands import LIMIT, PYTEST_ALONE, ROOT, environment, run_pytest
from tests.contract_tests.support.judging import judged

PLAIN = ServerHooks()


def lax(refusal: Refusal) -> Refusal:
    """Answer 400 instead of 422."""
    return replace(refusal, status=400) if refusal.status == 422 else refusal


@pytest.fixture(scope="module")
def faulty() -> Iterator[tuple[str, ...]]:
    with running(replace(PLAIN, refuse=lax)) as url:
        yield ("--pyargs", "contract_tests", f"--contract-url={url}", f"--contract-agent-id={PLAIN.agent_id}")


def test_a_failed_clause_is_a_failure_without_a_traceback(faulty: tuple[str, ...], tmp_path: Path) -> None:
    ran = run_pytest(*faulty, "--contract-clause=chat.n-below-minimum", cwd=tmp_path)
    assert ran.code == pytest.ExitCode.TESTS_FAILED
    for text in (
        "An `n` below 1 is refused with 422.",
        "expected  422 Unprocessable",
        "got  400 Bad",
        "repeat  curl -sS",
    ):
        assert text in ran.output
    for noise in ("NotPassed", "def test_", "contract_tests/assertions/expect.py", "Traceback"):
        assert noise not in ran.output
    assert "failed: chat.n-below-minimum" in ran.output


def test_a_warning_is_not_a_failure(faulty: tuple[str, ...], tmp_path: Path) -> None:
    ran = run_pytest(*faulty, "-rx", "--contract-clause=chat.coercion", cwd=tmp_path)
    assert ran.code == pytest.ExitCode.OK
    assert "warning: expected 422" in ran.output


def test_what_could_not_be_tested_is_skipped_with_its_reason(faulty: tuple[str, ...], tmp_path: Path) -> None:
    ran = run_pytest(
        *faulty, "-rs", "--contract-clause=chat.token-missing", "--contract-clause=chat.n-bound", cwd=tmp_path
    )
    assert ran.code == pytest.ExitCode.OK
    assert "not supported: the server asks for no token" in ran.output
    assert "not tested: it may bring a server down" in ran.output


def test_junit_has_the_finding_among_its_properties(faulty: tuple[str, ...], tmp_path: Path) -> None:
    run_pytest(*faulty, "--contract-clause=chat.messages-empty", "--junit-xml=report.xml", cwd=tmp_path)
    found = {
        item.get("name"): item.get("value") for item in ElementTree.parse(tmp_path / "report.xml").iter("property")
    }
    assert found["contract.clause"] == "chat.messages-empty"
    assert found["contract.word"] == "failed"


def test_without_a_url_it_is_said_what_is_missing(tmp_path: Path) -> None:
    ran = run_pytest("--pyargs", "contract_tests", cwd=tmp_path)
    assert ran.code == pytest.ExitCode.USAGE_ERROR
    assert "need --contract-url" in ran.output


def test_an_unknown_clause_is_wrong_usage(tmp_path: Path) -> None:
    ran = run_pytest("--pyargs", "contract_tests", "--contract-url=http://host", "--contract-clause=x", cwd=tmp_path)
    assert ran.code == pytest.ExitCode.USAGE_ERROR
    assert "no clause is called 'x'" in ran.output


def test_a_server_that_can_not_be_judged_ends_pytest_at_once(tmp_path: Path) -> None:
    with running(PLAIN) as url:
        ran = run_pytest("--pyargs", "contract_tests", f"--contract-url={url}", "--contract-agent-id=x", cwd=tmp_path)
    assert ran.code == 2
    assert "knows no agent 'x'" in ran.output


def test_other_tests_are_left_alone(tmp_path: Path) -> None:
    """Even one with a marker of the same name."""
    (tmp_path / "test_other.py").write_text(
        "import pytest\n@pytest.mark.clause('mine')\ndef test_it(): assert 1 + 1 == 3\ndef test_two(): pass\n"
    )
    ran = run_pytest("test_other.py", cwd=tmp_path)
    assert ran.code == pytest.ExitCode.TESTS_FAILED
    assert "assert (1 + 1) == 3" in ran.output
    assert "contract" not in ran.output.partition("FAILURES")[2]


def test_it_costs_other_runs_no_import(tmp_path: Path) -> None:
    heavy = {"httpx", "openapi_core", "rich", "agent_contract"}
    (tmp_path / "test_other.py").write_text(f"import sys\ndef test_it(): assert not {heavy} & set(sys.modules)\n")
    command = (*PYTEST_ALONE, "-p", "contract_tests.runner.plugin", "-p", "no:cacheprovider")
    alone = environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1")
    done = subprocess.run(command, cwd=tmp_path, check=False, env=alone, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_in_the_checkout_the_mock_is_judged_by_default() -> None:
    command = (sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "contract_tests", "--contract-clause=chat.n-*")
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, check=False, env=environment(), timeout=LIMIT
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout


class Counter:
    """Counts the tests whose function is called."""

    called = 0

    def pytest_pyfunc_call(self) -> None:
        self.called += 1


def test_long_after_the_deadline_no_test_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugin, "GRACE", 0)
    counter = Counter()
    with serving(SERVERS["events without an end"]) as url:
        found = judged(url, "agent-id=a", "deadline=0.5", "timeout=0.3", "warmup=0", plugins=(counter,))
    late = [id for id, one in found.findings.items() if one.reason.startswith("deadline: ")]
    assert len(late) > counter.called
