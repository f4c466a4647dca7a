"""The output of `agent-contract verify` and its reports, as a user sees them."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest

from agent_contract import load_contract
from benchmarks.detection.hooks import ServerHooks
from benchmarks.detection.mutants import MUTANTS
from benchmarks.detection.running import running
from contract_tests.options import Options
from contract_tests.report.build import command
from contract_tests.report.saved_json import load, to_json
from contract_tests.report.writers import FORMS
from mockserver import MockServer
from mockserver.build import create_engine
from mockserver.config import Config
from tests.contract_tests.support.commands import COMMAND, CommandResult, environment, verify
from tests.contract_tests.support.servers import Answer, Stalling, serving

#: On this agent of the mock one clause fails.
FAILING = "chat.model-unexpected"
FEW = ("--agent-id", "demo-open", "--clause", "chat.model-*", "--clause", "chat.role-*")
#: All that differs between two runs against a deployment that answers the same.
TIMES = {"started_at", "duration_seconds", "at_seconds", "date"}


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with MockServer() as server:
        yield server.url


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("reports")


@pytest.fixture(scope="module")
def whole(mock: str, folder: Path) -> CommandResult:
    files = [f"--report={folder / name}" for name in ("r.html", "r.json", "r.md")]
    return verify(mock, *FEW, *files, f"--report={folder / 'j.xml'}")


def test_every_form_is_written(whole: CommandResult, folder: Path) -> None:
    assert whole.code == 1
    assert sorted(path.name for path in folder.iterdir()) == ["j.xml", "r.html", "r.json", "r.md"]
    for name in ("r.html", "r.json", "r.md"):
        assert FAILING in (folder / name).read_text(encoding="utf-8")


@pytest.mark.skipif(os.name != "posix", reason="permissions are POSIX's")
def test_reports_are_their_owner_s_alone(whole: CommandResult, folder: Path) -> None:
    """They contain what the deployment answered."""
    reports = [file for file in folder.iterdir() if file.name.endswith(tuple(FORMS))]
    assert reports
    assert {file.stat().st_mode & 0o777 for file in reports} == {0o600}


def test_the_report_names_what_was_judged_and_by_what(whole: CommandResult, folder: Path, mock: str) -> None:
    report = load(folder / "r.json")
    contract = load_contract(every_version=True)
    assert (report.contract.version, report.contract.digest) == (contract.version, contract.digest)
    assert (report.target.url, report.target.agent_id) == (mock, "demo-open")
    assert (report.verdict.exit_code, report.verdict.sentence) == (1, f"failed: {FAILING}")
    assert f"{report.requests} requests" in whole.output
    assert sum(sum(seen.answered.values()) for seen in report.operations) == report.requests
    assert report.tokens > 0
    assert {"python", "agent-contract", "schemathesis"} <= report.versions.keys()
    assert [clause.id for clause in report.clauses] == [clause.id for clause in contract.clauses]


def test_a_broken_clause_has_its_evidence(whole: CommandResult, folder: Path) -> None:
    (failed,) = load(folder / "r.json").having("failed")
    clause = load_contract().clause(FAILING)
    assert (failed.id, failed.sentence, failed.pointer) == (clause.id, clause.sentence, clause.pointer)
    assert failed.expected == "400 Bad Request"
    assert failed.transcript
    assert failed.transcript.reply.status == 200
    assert json.loads(failed.transcript.request.body)["model"] in failed.curl
    assert json.loads(failed.transcript.reply.body)["object"] == "chat.completion"


def test_the_command_of_a_clause_judges_it_alone(whole: CommandResult, folder: Path) -> None:
    (failed,) = load(folder / "r.json").having("failed")
    assert failed.command in whole.output
    words = failed.command.split()
    assert words[:2] == ["agent-contract", "verify"]
    again = verify(*words[2:])
    assert again.last == f"exit 1: failed: {FAILING}"
    assert f"1 failed, {len(load_contract(every_version=True).clauses) - 1} skipped" in again.output


def test_the_command_of_a_clause_reaches_the_deployment_as_the_run_did() -> None:
    """Without any secret: those stay in the environment, and in files."""
    options = Options(
        "https://host/a b",
        agent_id="x",
        seed=3,
        api_version="9.1",
        ca_bundle="my ca.pem",
        oidc_client_id="me",
        oidc_token_url="https://id/token",
        proxy="http://proxy:1",
        max_requests=7,
    )
    assert command(options, "chat.n-choices") == (
        "agent-contract verify 'https://host/a b' --agent-id x --api-version 9.1 --seed 3"
        " --oidc-token-url https://id/token --oidc-client-id me --ca-bundle 'my ca.pem' --proxy http://proxy:1"
        " --clause chat.n-choices"
    )


def test_junit_has_a_case_for_each_clause_that_was_selected(whole: CommandResult, folder: Path) -> None:
    (suite,) = ElementTree.parse(folder / "j.xml").getroot()
    clauses = json.loads((folder / "r.json").read_text(encoding="utf-8"))["clauses"]
    words = {clause["id"]: clause["word"] for clause in clauses if clause["word"] != "skipped"}
    cases = suite.findall("testcase")
    assert [case.get("name") for case in cases] == list(words)
    assert int(suite.get("tests", "0")) == len(cases) > 5
    failing = [case.get("name") for case in cases if case.find("failure") is not None]
    assert failing == [clause for clause, word in words.items() if word == "failed"] != []
    assert "warning" not in whole.error.lower()


def test_a_stream_shows_when_each_event_came(folder: Path) -> None:
    def answer(path: str, body: bytes) -> Answer:
        if b'"stream": true' in body:
            return (
                200,
                {"content-type": "text/event-stream"},
                b'data: {"choices": []}\n\ndata: [DONE]\n\ndata: late\n\n',
            )
        return 422, {"content-type": "application/json"}, b"{}"

    with serving(answer) as url:
        file = folder / "stream.json"
        found = verify(url, "--agent-id=a", "--clause=chat.stream-done", f"--report={file}")
    (failed,) = load(file).having("failed")
    assert failed.transcript
    assert [(event.place, event.data) for event in failed.transcript.reply.events][1:] == [(2, "[DONE]"), (3, "late")]
    assert all(0 < event.at_seconds < 30 for event in failed.transcript.reply.events)
    assert re.search(r"stream  \d+\.\d{3} s  1\. ", found.output)
    file.unlink()


def test_a_broken_session_shows_the_whole_of_it(tmp_path: Path) -> None:
    """The two requests that it is compared with, and every turn; the last of them decides."""
    (mutant,) = (mutant for mutant in MUTANTS if mutant.name == "session-not-extended")
    files = [f"--report={name}" for name in ("r.json", "r.html", "r.md")]
    with running(mutant.hooks) as url:
        agent = mutant.hooks.agent_id
        found = verify(url, "--agent-id", agent, "--clause=chat.session-extended", *files, cwd=tmp_path)
    (failed,) = load(tmp_path / "r.json").having("failed")
    assert failed.transcript
    turns = [json.loads(one.request.body) for one in (*failed.earlier, failed.transcript)]
    assert [("create_session" in turn, "store_in_session" in turn) for turn in turns] == [
        *[(False, False)] * 2,
        (True, False),
        *[(False, True)] * 3,
    ]
    assert turns[-1]["store_in_session"] in failed.curl
    assert found.output.count("← HTTP/1.1 200 OK") == 6
    assert (tmp_path / "r.md").read_text(encoding="utf-8").count("← HTTP/1.1 200 OK") == 6
    page = (tmp_path / "r.html").read_text(encoding="utf-8")
    assert re.findall(r">(\d) of 6[<,]", page) == list("123456")


def timeless(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: timeless(part) for name, part in value.items() if name not in TIMES}
    return [timeless(part) for part in value] if isinstance(value, list) else value


def test_two_runs_give_the_same_bytes_but_for_times(folder: Path) -> None:
    port, texts = 0, []
    for number in range(2):
        file = folder / f"same{number}.json"
        engine = create_engine(load_contract(), Config(), seed=0, clock=lambda: 1_795_000_000.0)
        with MockServer(engine, port=port) as server:
            port = int(server.url.rpartition(":")[2])
            # Without `chat.stream-incremental`: how many pieces a short stream comes in is up to the machine.
            verify(server.url, *FEW, "--clause=chat.stream-[!i]*", "--clause=chat.session-created", f"--report={file}")
        texts.append(json.loads(file.read_text(encoding="utf-8")))
        assert TIMES - {"at_seconds"} <= set(re.findall(r'"(\w+)":', file.read_text(encoding="utf-8")))
        file.unlink()
    first, second = (json.dumps(timeless(text)) for text in texts)
    assert first == second


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (
            ["--report", "report.pdf"],
            f"report.pdf: the suffix selects the format of a report, and must be one of {', '.join(FORMS)}",
        ),
        (["--report", "report"], "the suffix selects the format of a report"),
        (["--report", "no/such/folder/r.html"], "no such folder: no/such/folder; create it first"),
        (["--report", "folder.html"], "it is a folder; name a file"),
        (["--report", "/proc/r.html"], "can't be written"),
        (["--report", "no/such/j.xml"], "no such folder: no/such"),
        (["--baseline", "absent.json"], "absent.json can't be read"),
        (["--baseline", "other.json"], "other.json is not a report of agent-contract"),
        (["--waive", "absent.yaml"], "absent.yaml"),
        (["--waive", "other.json"], "other.json:1: is not a list"),
    ],
)
def test_a_file_that_can_not_be_used_is_found_before_anything_is_sent(
    arguments: list[str], said: str, tmp_path: Path
) -> None:
    (tmp_path / "folder.html").mkdir()
    (tmp_path / "other.json").write_text("{}")
    asked: list[str] = []

    def answer(path: str, body: bytes) -> Answer:
        asked.append(path)
        return 200, {}, b""

    with serving(answer) as url:
        found = verify(url, "--agent-id=a", *arguments, cwd=tmp_path)
    assert found.code == 2
    assert said in found.error
    assert asked == []


def test_a_report_is_written_when_the_run_is_interrupted(tmp_path: Path) -> None:
    server = Stalling(b'"messages": ["Hello!"]', 1)
    with serving(server.answer) as url:
        process = subprocess.Popen(
            [*COMMAND, "verify", url, "--agent-id=a", "--clause=chat.messages-*", "--report=r.json", "--report=r.html"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment(),
            cwd=tmp_path,
        )
        assert server.reached.wait(60)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        server.ended.set()
    report = load(tmp_path / "r.json")
    assert report.verdict.exit_code == 130
    assert report.having("passed")
    assert "The run was interrupted" in (tmp_path / "r.html").read_text(encoding="utf-8")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.html", "r.json"]


def test_a_deployment_that_can_not_be_judged_has_a_report_too(tmp_path: Path) -> None:
    with serving(lambda path, body: (401, {}, b"")) as url:
        found = verify(url, "--agent-id=a", "--report=r.json", "--report=r.md", cwd=tmp_path)
    assert found.code == 2
    assert load(tmp_path / "r.json").verdict.exit_code == 2
    assert "No verdict" in (tmp_path / "r.md").read_text(encoding="utf-8")


def test_a_report_that_can_not_be_written_in_the_end_is_named_without_a_verdict(tmp_path: Path) -> None:
    """The folder goes while the run goes on."""
    inner = tmp_path / "inner"
    inner.mkdir()

    def answer(path: str, body: bytes) -> Answer:
        if inner.exists():
            inner.rmdir()
        return 422, {"content-type": "application/json"}, b'{"detail": []}'

    with serving(answer) as url:
        found = verify(url, "--agent-id=a", "--clause=chat.messages-empty", "--report=inner/r.json", cwd=tmp_path)
    assert found.code == 2
    assert "the report inner/r.json can't be written" in found.last


def test_a_baseline_is_compared_with(whole: CommandResult, folder: Path, mock: str, tmp_path: Path) -> None:
    earlier = load(folder / "r.json")
    clauses = (replace(one, word="passed") if one.id == FAILING else one for one in earlier.clauses)
    words = (replace(one, word="failed") if one.id == "chat.model-empty" else one for one in clauses)
    (tmp_path / "b.json").write_text(to_json(replace(earlier, clauses=tuple(words))), encoding="utf-8")
    found = verify(mock, *FEW, "--baseline=b.json", "--report=r.json", cwd=tmp_path)
    assert f"compared with {earlier.started_at}: 1 worse, 1 better" in found.output
    assert f"worse    {FAILING}: passed → failed" in found.output
    assert "better   chat.model-empty: failed → passed" in found.output
    comparison = load(tmp_path / "r.json").comparison
    assert comparison
    assert comparison.summary == "1 worse, 1 better"


def waived(tmp_path: Path, *waivers: tuple[str, str]) -> str:
    text = "".join(f"- clause: {clause}\n  reason: known\n  until: {until}\n" for clause, until in waivers)
    (tmp_path / "waivers.yaml").write_text(text)
    return f"--waive={tmp_path / 'waivers.yaml'}"


def test_a_waived_clause_is_shown_and_does_not_fail_the_run(mock: str, tmp_path: Path) -> None:
    found = verify(mock, *FEW, waived(tmp_path, (FAILING, "2999-12-31")), "--report=r.md", cwd=tmp_path)
    assert found.code == 0, found.output
    assert re.search(rf"^ failed \(waived\) .*{re.escape(FAILING)}", found.output, re.MULTILINE)
    assert "waived until 2999-12-31: known" in (tmp_path / "r.md").read_text(encoding="utf-8")


def test_what_got_worse_fails_a_run_that_is_asked_to(
    folder: Path, whole: CommandResult, mock: str, tmp_path: Path
) -> None:
    """Even a waived failure, if it passed before."""
    earlier = load(folder / "r.json")
    clauses = tuple(replace(one, word="passed") if one.id == FAILING else one for one in earlier.clauses)
    (tmp_path / "b.json").write_text(to_json(replace(earlier, clauses=clauses)), encoding="utf-8")
    options = (*FEW, waived(tmp_path, (FAILING, "2999-12-31")), "--baseline=b.json", "--report=r.md")
    assert verify(mock, *options, cwd=tmp_path).last == "exit 0: passed"
    found = verify(mock, *options, "--fail-on=worse", cwd=tmp_path)
    assert (found.code, found.last) == (1, f"exit 1: worse than the baseline: {FAILING}")
    assert (tmp_path / "r.md").read_text(encoding="utf-8").startswith("## 1 clause got worse\n")


@pytest.mark.parametrize(
    ("waiver", "sentence"),
    [
        ((FAILING, "2020-01-01"), f"failed: {FAILING}; the waiver of {FAILING} expired on 2020-01-01"),
        (("chat.nonsense", "2999-12-31"), "the waiver of chat.nonsense names no clause of the contract"),
        (("chat.model-own", "2999-12-31"), "the waiver of chat.model-own is not needed any more: it passed"),
    ],
)
def test_a_waiver_that_is_wrong_fails_the_run(
    waiver: tuple[str, str], sentence: str, mock: str, tmp_path: Path
) -> None:
    others = [] if waiver[0] == FAILING else [(FAILING, "2999-12-31")]
    found = verify(mock, *FEW, waived(tmp_path, waiver, *others))
    assert found.code == 1
    assert found.last == f"exit 1: {sentence}"


def test_github_is_told(mock: str, tmp_path: Path) -> None:
    summary = tmp_path / "summary.md"
    env = environment(GITHUB_ACTIONS="true", GITHUB_STEP_SUMMARY=str(summary))
    found = verify(mock, *FEW, env=env)
    lines = found.output.splitlines()
    assert lines[0].startswith(f"::error title={FAILING}::A model other than the agent's is refused with 400. (core)")
    stop = next(index for index, line in enumerate(lines) if line.startswith("::stop-commands::"))
    assert lines[-1] == f"::{lines[stop].rpartition('::')[2]}::"
    assert not [line for line in lines[stop + 1 : -1] if line.lstrip().startswith("::")]
    assert summary.read_text(encoding="utf-8").startswith("## 1 clause failed")


def test_outside_github_nothing_of_that_is_printed(whole: CommandResult) -> None:
    assert "::" not in whole.output.replace("::1", "")


def test_under_xdist_the_report_is_whole(tmp_path: Path, folder: Path) -> None:
    """It is written by the controlling process, with what its workers sent."""
    hooks = ServerHooks()
    with running(hooks) as url:
        done = subprocess.run(
            [
                *(*COMMAND[:2], "-m", "pytest", "-q", "-p", "xdist", "-p", "contract_tests.runner.plugin", "-n", "2"),
                *("--pyargs", "contract_tests", f"--contract-url={url}", f"--contract-agent-id={hooks.agent_id}"),
                *(
                    "--contract-clause=chat.model-*",
                    f"--contract-report={tmp_path / 'r.json'}",
                    "-p",
                    "no:cacheprovider",
                ),
            ],
            capture_output=True,
            text=True,
            cwd=Path(__file__).parents[3],
            env=environment(PYTEST_DISABLE_PLUGIN_AUTOLOAD="1", PYTHONPATH=str(Path(__file__).parents[3])),
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    report = load(tmp_path / "r.json")
    assert len(report.having("passed")) >= 4
    assert report.requests >= 4
    assert report.tokens > 0
    assert "all versions" in report.version_reason
