"""The comparison of the speed of mock servers."""

from __future__ import annotations

import asyncio
import fcntl
import json
import os
import sys
from pathlib import Path

import pytest

from benchmarks.npm_servers import ServerError, free_port, running
from benchmarks.serving import process
from benchmarks.serving.__main__ import main
from benchmarks.serving.charts import draw
from benchmarks.serving.results import BUSY, METRICS, Results, as_json, as_markdown, fastest_peer, ratio
from benchmarks.serving.servers import AGENT, LIMIT, MOCK, SERVERS
from benchmarks.serving.stream_load import Streams, measure, summary
from benchmarks.serving.wrk import Load, WrkError, missing_tools, parse

NEEDS_TOOLS = pytest.mark.skipif(
    missing_tools() is not None and os.environ.get("CI") != "true", reason="needs wrk and nginx"
)


def output(**changed: float) -> str:
    figures = {"requests": 5000, "microseconds": 2_000_000, "refused": 0, "broken": 0, "p50": 1500.0, "p99": 4000.0}
    return f"Running 2s test @ http://127.0.0.1:8000\nRESULT {json.dumps(figures | changed)}\n"


def measured() -> Results:
    results = Results()
    for rate in (9000.0, 12000.0, 15000.0):
        results.add(MOCK, {"a": rate, "e": 0.2})
    results.add("Steady", {"a": 4000.0, "e": 0.1})
    results.add("aimock", {"a": 3000.0})
    results.add(LIMIT, {"a": 24000.0})
    return results


def test_the_rate_and_the_latency_of_a_load_are_read() -> None:
    assert parse(output(), refusals=False) == Load(rate=2500.0, p50=1.5, p99=4.0)
    assert parse(output(refused=5000), refusals=True).rate == 2500.0


@pytest.mark.parametrize(
    ("printed", "refusals", "reason"),
    [
        ("unable to connect to 127.0.0.1", False, "no result"),
        (output(requests=0), False, "no request was answered"),
        (output(broken=3), False, "3 connections"),
        (output(refused=1), False, "1 of 5000 requests were refused"),
        (output(refused=4999), True, "4999 of 5000"),
    ],
)
def test_a_load_with_other_replies_than_intended_does_not_count(printed: str, refusals: bool, reason: str) -> None:
    with pytest.raises(WrkError, match=reason):
        parse(printed, refusals)


def test_a_ratio_above_one_is_better_for_rates_and_for_times() -> None:
    assert ratio(3000, 1000, more=True) == "3.00"
    assert ratio(0.1, 0.2, more=False) == "2.00"
    assert ratio(3000, None, more=True) == ratio(0, 1000, more=False) == "–"


def test_the_fastest_peer_is_neither_this_mock_nor_the_limit() -> None:
    results = measured()
    assert fastest_peer(results.medians("a"), more=True) == 4000
    assert fastest_peer(results.medians("e"), more=False) == 0.1
    assert fastest_peer({MOCK: 1.0, LIMIT: 2.0}, more=True) is None


def test_the_page_has_medians_ratios_and_what_was_left_out() -> None:
    results = measured()
    results.left_out["WireMock"] = "java was not found"
    page = as_markdown(results, {BUSY: False})
    assert f"| {MOCK} | 12,000 | 3.00 | 0.50 |" in page
    assert f"| {LIMIT} | 24,000 | 6.00 | 1.00 |" in page
    assert next(line for line in page.splitlines() if line.startswith("| WireMock")).endswith("| java was not found |")
    assert "MockServer 9.0.0" in page
    assert "was busy" not in page
    assert "was busy" in as_markdown(results, {BUSY: True})


def test_the_json_has_every_sample() -> None:
    report = json.loads(as_json(measured(), {"rounds": 3}))
    valid = next(case for case in report["cases"] if case["case"] == "a")
    assert valid["samples"][MOCK] == [9000, 12000, 15000]
    assert valid["median"][MOCK] == 12000
    assert report["conditions"] == {"rounds": 3}


def test_the_charts_of_the_same_figures_are_the_same_bytes(tmp_path: Path) -> None:
    names = draw(measured(), tmp_path)
    assert names == ["serving-a.svg", "serving-e.svg"]
    first = [(tmp_path / name).read_bytes() for name in names]
    draw(measured(), tmp_path)
    assert [(tmp_path / name).read_bytes() for name in names] == first
    assert b"Steady" in first[0]


def test_every_case_of_a_server_has_a_metric() -> None:
    letters = {metric.key[0] for metric in METRICS}
    assert {case for server in SERVERS for case in server.cases} == letters
    assert all(server.invalid for server in SERVERS if "c" in server.cases)
    assert all(server.sessions for server in SERVERS if "b" in server.cases)


def test_streams_that_did_not_end_are_counted_as_failed() -> None:
    assert summary([0.3, 0.1, 0.2], streams=5, events=60) == Streams(5, 2, 60, 0.2, 0.3, 0.3)
    assert summary([], streams=5, events=0).failed == 5


def test_the_generator_of_streams_counts_every_event(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "benchmarks.serving.bare_stream_server", str(port), "3", "0.001"]
    with running(command, port, tmp_path / "log", folder=Path(__file__).parents[2]):
        found = asyncio.run(measure(port, AGENT, streams=5, events=3))
    # The last event of each stream is its mark [DONE].
    assert (found.failed, found.events) == (0, 5 * (3 + 1))


def test_a_server_that_does_not_start_is_named_with_its_output(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such document')"]
    with pytest.raises(ServerError, match="no such document"), running(command, free_port(), tmp_path / "log"):
        pass


def test_the_children_of_a_server_end_with_it(tmp_path: Path) -> None:
    """The child holds a lock on a file as long as it lives."""
    port, lock, log = free_port(), tmp_path / "lock", tmp_path / "log"
    child = f"""
import fcntl, pathlib, time
file = open({str(lock)!r}, "w")
fcntl.flock(file, fcntl.LOCK_EX)
print("locked", flush=True)
time.sleep(20)
pathlib.Path({str(lock)!r}).unlink()
"""
    program = f"""
import socket, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {child!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
server = socket.create_server(("127.0.0.1", {port}))
while True:
    server.accept()
"""
    with running([sys.executable, "-c", program], port, log) as server:
        assert int(log.read_text(encoding="utf-8")) in process.tree(server.pid)
    with lock.open(encoding="utf-8") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
    assert lock.exists(), "the child ended by itself"


def test_without_wrk_it_names_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(process, "_FOLDERS", ())
    assert main(["--quick", "--output", str(tmp_path)]) == 1
    assert "apt-get install wrk nginx" in capsys.readouterr().err


@NEEDS_TOOLS
def test_a_quick_run_measures_every_case_of_this_mock(tmp_path: Path) -> None:
    assert main(["--quick", "--output", str(tmp_path)]) == 0
    report = json.loads((tmp_path / "serving.json").read_text(encoding="utf-8"))
    assert [case["case"] for case in report["cases"]] == [metric.key for metric in METRICS]
    assert (tmp_path / "serving-a.svg").is_file()
