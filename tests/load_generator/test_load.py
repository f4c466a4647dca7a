"""`agent-contract load` with Locust in its own processes, against a mock."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.docs.support.console import free_port
from tests.load_generator.support.locust_runs import (
    LIMIT,
    TOKEN,
    WatchedMock,
    command,
    environment,
    run_for,
    run_until,
    statistics,
    watched_mock,
)

REQUESTS = tuple(("POST", name) for name in ("chat", "stream", "session, first turn", "session, next turn"))


@pytest.fixture(scope="module")
def mock() -> Iterator[WatchedMock]:
    with watched_mock() as running:
        yield running


def test_two_workers_of_one_master_report_requests_first_tokens_and_gaps(mock: WatchedMock, tmp_path: Path) -> None:
    port = str(free_port())
    at = ("--master-bind-host", "127.0.0.1", "--master-bind-port", port, "--expect-workers", "2")
    worker = command(mock.scope_url("fleet"), "--worker", "--master-port", port, "--loglevel", "ERROR")
    with ExitStack() as stack:
        workers = [stack.enter_context(subprocess.Popen(worker, env=environment())) for _ in range(2)]
        for process in workers:
            stack.callback(process.kill)
        users = ("-u", "6", "-r", "100", "--pause", "0", "--turns", "3", "--csv", str(tmp_path / "run"))
        # Workers report every 3 seconds; the master does not wait long for what they report at the end.
        status, text = run_for(8, mock.scope_url("fleet"), "--master", *at, *users)
        assert status == 0, text
        assert [process.wait(LIMIT) for process in workers] == [0, 0]

    found = statistics(tmp_path / "run")
    counts = {key: int(row["Request Count"]) for key, row in found.items()}
    assert all(counts[key] > 0 for key in REQUESTS), text
    assert counts["", "Aggregated"] == sum(counts[key] for key in REQUESTS), "tokens are not requests"
    assert found["", "Aggregated"]["Failure Count"] == "0"
    assert 0 <= counts["TTFT", "stream"] - counts["POST", "stream"] <= 6, "one for each user whose stream is under way"
    assert counts["gap", "stream"] > counts["TTFT", "stream"]
    assert float(found["TTFT", "stream"]["Min Response Time"]) >= 29
    assert float(found["POST", "stream"]["Min Response Time"]) > float(found["TTFT", "stream"]["Min Response Time"])


def test_a_session_goes_on_for_the_turns_that_were_asked_for(mock: WatchedMock) -> None:
    status, text = run_until(mock, 7, "turns", "-u", "1", "--pause", "0", "--turns", "3", "SessionUser")
    assert status == 0, text
    asked = [exchange.request.body for exchange in mock.received["turns"]][:7]
    assert [b'"create_session"' in body for body in asked] == [True, False, False, True, False, False, True]
    assert [b'"store_in_session"' in body for body in asked] == [False, True, True, False, True, True, False]


def test_each_failure_of_a_stream_names_its_reason_and_fails_the_run(mock: WatchedMock) -> None:
    names = ("cut", "no-done", "error-event", "status-503", "gateway-html")
    control = {"authorization": f"Bearer {TOKEN}", "X-Mock-Scope": "faulty"}
    rules = {"rules": [{"answers": [{"fault": name} for name in names]}]}
    httpx.post(f"{mock.url}/__mock__/rules", headers=control, json=rules).raise_for_status()
    status, text = run_until(mock, 2 + len(names), "faulty", "-u", "1", "--pause", "0", "StreamUser")
    assert status == 1, text
    for reason in ("the stream ended without [DONE]", "an error: {'message'", "503: ", "502: the answer is not JSON"):
        assert f"POST stream: {reason}" in text.replace("the stream contains ", "")


def test_a_wrong_token_is_reported_without_the_token(mock: WatchedMock) -> None:
    options = ("--token-env", "OTHER", "--pause", "0.2", "-u", "1", "ChatUser")
    status, text = run_until(mock, 3, "closed", *options, OTHER="sesame")
    assert status == 1, text
    assert "POST chat: 401: " in text
    assert "sesame" not in text


def ended(*arguments: str) -> tuple[int, str]:
    ran = subprocess.run(
        command(*arguments), capture_output=True, text=True, env=environment(), timeout=LIMIT, check=False
    )
    return ran.returncode, ran.stdout + ran.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["agents.example.com"], "is not an http or https URL"),
        (["http://127.0.0.1:9", "--token-env", "NO_SUCH"], "the environment has no variable NO_SUCH"),
        (["http://127.0.0.1:9", "--no-such-option", "--headless"], "--no-such-option"),
        (["http://127.0.0.1:9", "--turns", "many"], "--turns"),
    ],
)
def test_a_wrong_option_is_named(arguments: list[str], message: str) -> None:
    status, text = ended(*arguments)
    assert status == 2
    assert message in text
    assert "Traceback" not in text
