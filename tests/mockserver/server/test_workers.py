"""`agent-contract serve --workers N`: one server of many processes, whatever becomes of some of them."""

from __future__ import annotations

import os
import re
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.mockserver.support.chat_client import path_of, user
from tests.mockserver.support.processes import STREAM, ended, process_at
from tests.mockserver.support.raw import HEAD, connect

pytestmark = pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="looks for the workers in /proc")

#: Seconds that something may take which takes a moment.
PATIENCE = 20


def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline


def workers_of(process: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{process}/task/{process}/children").read_text().split()]


def is_running(process: int) -> bool:
    try:
        return "\nState:\tZ" not in Path(f"/proc/{process}/status").read_text()
    except FileNotFoundError:
        return False


def at(folder: Path) -> tuple[str, ...]:
    return "--store", f"sqlite:///{folder / 'state.db'}", "--log-level", "error"


def ask(url: str, **fields: object) -> httpx.Response:
    return httpx.post(url + path_of(), json={"messages": [user("Hello!")], **fields})


def test_workers_on_a_memory_store_are_refused_with_the_stores_that_work() -> None:
    result = ended("serve", "--workers", "2", "--port", "0")
    assert result.returncode == 2
    assert "sqlite:///FILE" in result.stderr
    assert "redis://HOST/N" in result.stderr


@pytest.mark.parametrize(
    "options", [("--workers", "0"), ("--workers", "65"), ("--max-sessions", "0"), ("--store", "disk")]
)
def test_an_option_that_makes_no_sense_is_refused(options: tuple[str, str]) -> None:
    result = ended("serve", *options)
    assert result.returncode == 2
    assert options[0] in result.stderr
    assert "Traceback" not in result.stderr


def test_a_store_that_can_not_be_opened_is_an_error_in_a_line(tmp_path: Path) -> None:
    result = ended("serve", "--port", "0", "--store", f"sqlite:///{tmp_path}/no/state.db")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "create it" in result.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_session_outlives_a_server_that_is_killed(tmp_path: Path, workers: str) -> None:
    with process_at(*at(tmp_path), "--workers", workers) as (process, url):
        session = ask(url, create_session=True).json()["session_id"]
        process.kill()
        process.wait()
    with process_at(*at(tmp_path), "--workers", workers) as (process, url):
        assert ask(url, store_in_session=session).status_code == 200


def test_killed_workers_are_replaced_and_the_state_stays(tmp_path: Path) -> None:
    with process_at(*at(tmp_path), "--workers", "3") as (process, url):
        session = ask(url, create_session=True).json()["session_id"]
        until(lambda: len(workers_of(process.pid)) == 3)
        before = workers_of(process.pid)
        for worker in before:
            os.kill(worker, signal.SIGKILL)
        until(lambda: len([one for one in workers_of(process.pid) if one not in before and is_running(one)]) == 3)
        assert ask(url, store_in_session=session).status_code == 200
        process.send_signal(signal.SIGTERM)
        printed, _ = process.communicate(timeout=PATIENCE)
    assert len(re.findall(r"process \d+\) was ended by SIGKILL; process \d+ replaces it", printed)) == 3


def test_a_server_whose_workers_always_end_reports_it_and_ends(tmp_path: Path) -> None:
    with process_at(*at(tmp_path), "--workers", "2") as (process, url):
        ask(url, create_session=True)
        until(lambda: len(workers_of(process.pid)) == 2)
        for file in tmp_path.iterdir():
            file.unlink()
        (tmp_path / "state.db").write_text("something else")
        for worker in workers_of(process.pid):
            os.kill(worker, signal.SIGKILL)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 2
    assert "is not an SQLite database" in errors
    assert "end right after their start" in errors
    assert "Traceback" not in errors


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_all_at_once_though_streams_are_open(tmp_path: Path, number: int) -> None:
    """Ctrl-C reaches every process of the terminal, a service manager's signal the first alone."""
    with process_at(*at(tmp_path), "--workers", "2", "--tps", "0.01") as (process, url):
        with connect(url) as one, connect(url) as other:
            for stream in (one, other):
                stream.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(STREAM) + STREAM)
                assert stream.recv(1)
            workers = workers_of(process.pid)
            begin = time.monotonic()
            for one_of_them in (process.pid, *(workers if number == signal.SIGINT else ())):
                os.kill(one_of_them, number)
            _, errors = process.communicate(timeout=PATIENCE)
            assert time.monotonic() - begin < 3
        assert process.returncode == 0
        assert errors == ""
        assert not any(map(is_running, workers))


def test_workers_end_with_a_server_that_is_killed(tmp_path: Path) -> None:
    with process_at(*at(tmp_path), "--workers", "2") as (process, _):
        until(lambda: len(workers_of(process.pid)) == 2)
        workers = workers_of(process.pid)
        process.kill()
        until(lambda: not any(map(is_running, workers)))


def test_workers_count_together_and_leave_no_files(tmp_path: Path) -> None:
    before = set(Path(tempfile.gettempdir()).glob("agent-mock-metrics-*"))
    with process_at("--workers", "2", "--metrics", *at(tmp_path)) as (process, url):
        for _ in range(20):
            assert ask(url).status_code == 200
        until(lambda: 'status="200"} 20.0' in httpx.get(f"{url}/__mock__/metrics").text)
        process.terminate()
        assert process.wait(PATIENCE) == 0
    assert set(Path(tempfile.gettempdir()).glob("agent-mock-metrics-*")) <= before
