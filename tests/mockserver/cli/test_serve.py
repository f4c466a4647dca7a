"""`agent-contract serve` as a process: what it prints, what it answers over a socket, and how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from agent_contract.messages import Request
from mockserver.build import load_engine
from tests.docs.support.blocks import ROOT
from tests.mockserver.support.bad_input import GOOD, ODD, ROWS, UNREADABLE, Row
from tests.mockserver.support.chat_client import path_of
from tests.mockserver.support.processes import STREAM, ended, process_at
from tests.mockserver.support.raw import HEAD, chunked, connect, exchange
from tests.support.serving import Served, serve

JSON = {"content-type": "application/json"}


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve() as running:
        yield running


@pytest.fixture(scope="module")
def slow() -> Iterator[Served]:
    """A server that needs ten seconds for a token, and logs its requests."""
    with serve("--tps", "0.1") as running:
        yield running


def shown(served: Served, pattern: str) -> str:
    """Return the first printed line that has `pattern` in it, waiting for it."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for line in list(served.lines):
            if re.search(pattern, line):
                return line
        httpx.get(f"{served.url}/__mock__/health")
    raise AssertionError(f"{pattern} is not in {served.lines}")


def test_the_title_of_a_document_does_not_steer_the_terminal(tmp_path: Path) -> None:
    document = {"openapi": "3.1.0", "info": {"title": "T\x1b[31m\x9b", "version": "1"}, "paths": {}}
    (tmp_path / "x.json").write_text(json.dumps(document), encoding="utf-8")
    with serve("--spec", str(tmp_path / "x.json")) as running:
        assert shown(running, "is served at").startswith(r"T\x1b[31m\x9b 1 is served at")


def test_the_curl_that_is_printed_works_when_it_is_pasted(served: Served) -> None:
    command = shown(served, r"^\s+curl ").strip()
    printed = subprocess.check_output(["sh", "-c", command], stderr=subprocess.DEVNULL)
    assert json.loads(printed)["choices"][0]["message"]["content"]


def test_an_agent_is_printed_with_its_model_or_that_it_takes_any(served: Served) -> None:
    assert "any model" in shown(served, r"^\s+demo-open ")
    assert "any model" not in shown(served, r"^\s+demo ")


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no limit of open files")
def test_the_limit_of_open_files_is_printed(served: Served) -> None:
    assert re.search(r"the limit is [\d,]+ open files", shown(served, "^Up to "))


@pytest.mark.parametrize("option", ["--token", "--control-token"])
def test_a_token_that_no_header_can_hold_is_refused_by_its_option(option: str) -> None:
    done = ended("serve", "--port", "0", option, "a\nb")
    assert done.returncode == 2
    assert f"Invalid value for {option}" in " ".join(done.stderr.split())


def test_the_agents_are_printed_with_their_ids(served: Served) -> None:
    for name in ("demo", "demo-open", "demo-knowledge", "demo-tools"):
        identity = re.search(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", shown(served, rf"^\s+{name} "))
        assert identity
        assert httpx.post(served.url + path_of(identity[0]), headers=JSON, content=GOOD).status_code == 200


def test_a_request_is_a_line_and_a_refusal_names_its_clause(served: Served) -> None:
    httpx.post(served.url + path_of(), headers=JSON, content=GOOD[:-1] + b',"model":"odd-model"}')
    assert re.match(r"\s+chat\.model-unexpected: .*odd-model", shown(served, "odd-model"))
    assert re.match(rf"\d\d:\d\d:\d\d  POST  {path_of()}  400  [\d.]+ ms", shown(served, "  400  "))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_bad_body_is_refused_over_a_socket_too(served: Served, row: Row) -> None:
    kind = f"Content-Type: {row.content_type}\r\n" if row.content_type else ""
    head = f"POST {path_of()} HTTP/1.1\r\nHost: mock\r\n{kind}Content-Length: {len(row.body)}\r\n\r\n".encode()
    status, body = exchange(served.url, [head, row.body])
    detail = json.loads(body)["detail"]
    assert status == row.status
    if row.where is None:
        assert detail.startswith(UNREADABLE)
    else:
        assert [(fault["loc"], fault["type"]) for fault in detail] == [(row.where, row.kind)]


@pytest.mark.parametrize("name", ODD)
def test_an_odd_body_is_answered_over_a_socket_too(served: Served, name: str) -> None:
    body, kind = ODD[name]
    assert httpx.post(served.url + path_of(), headers={"content-type": kind}, content=body).status_code == 200


def test_a_request_without_length_has_no_body(served: Served) -> None:
    status, body = exchange(served.url, [HEAD + b"\r\n"])
    assert (status, json.loads(body)["detail"][0]["loc"]) == (422, ["body"])


def test_a_body_in_chunks_is_read_whole(served: Served) -> None:
    status, _ = exchange(served.url, [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *chunked(GOOD, 7)])
    assert status == 200


@pytest.mark.parametrize("size", [2 * 1024 * 1024 + 1, 40 * 1024 * 1024])
@pytest.mark.parametrize("in_chunks", [False, True])
def test_a_body_beyond_the_bound_is_refused_and_the_client_sees_it(served: Served, size: int, in_chunks: bool) -> None:
    """Also a client that reads nothing before it has sent everything."""
    body = b" " * size
    if in_chunks:
        parts = [HEAD + b"Transfer-Encoding: chunked\r\n\r\n", *chunked(body, 65536)]
    else:
        parts = [HEAD + b"Content-Length: %d\r\n\r\n" % size, body]
    status, answer = exchange(served.url, parts)
    assert status == 413
    assert "2097152" in json.loads(answer)["detail"]


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /%ff%fe HTTP/1.1", 404),
        (b"GET " + path_of().encode() + b" HTTP/1.1", 405),
        (b"PURGE " + path_of().encode() + b" HTTP/1.1", 405),
        (b"BREW " + path_of().encode() + b" HTTP/1.1", 400),
        (b"OPTIONS * HTTP/1.1", 404),
        (b"GET //__mock__/health HTTP/1.1", 404),
        (b"GET /__mock__/health?a=%ed%a0%80&b=%00 HTTP/1.1", 200),
        (b"POST " + path_of("%00%0a").encode() + b" HTTP/1.1", 422),
    ],
)
def test_an_odd_request_line_is_answered(served: Served, line: bytes, status: int) -> None:
    assert exchange(served.url, [line + b"\r\nHost: mock\r\n\r\n"])[0] == status


@pytest.mark.parametrize(
    "junk", [b"\x16\x03\x01\x02\x00", b"\r\n\r\n", b"GET", HEAD, HEAD + b"Content-Length: 10\r\n\r\nab"]
)
def test_a_client_that_disconnects_does_not_affect_others(served: Served, junk: bytes) -> None:
    with connect(served.url) as connection:
        connection.sendall(junk)
    assert httpx.get(f"{served.url}/__mock__/health").status_code == 200


def test_a_stream_arrives_piece_by_piece(slow: Served) -> None:
    """The next token is seconds away, and yet there is something to read."""
    with httpx.stream("POST", slow.url + path_of(), headers=JSON, content=STREAM) as reply:
        assert reply.headers["content-type"].startswith("text/event-stream")
        assert reply.headers["cache-control"] == "no-cache"
        first = next(reply.iter_lines())
    assert json.loads(first.removeprefix("data: "))["choices"][0]["delta"]["role"] == "assistant"


def test_the_sdks_base_url_has_the_agent_in_it(served: Served) -> None:
    assert httpx.post(f"{served.agent('demo')}/chat/completions", headers=JSON, content=GOOD).status_code == 200


def open_files(process: int) -> int:
    return len(list(Path(f"/proc/{process}/fd").iterdir()))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts open files in /proc")
def test_clients_that_leave_free_what_they_held() -> None:
    with process_at("--tps", "0.01") as (process, url):
        with ExitStack() as stack:
            clients = [stack.enter_context(connect(url)) for _ in range(50)]
            for client in clients:
                client.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(STREAM) + STREAM)
            for client in clients:
                assert client.recv(1)
            held = open_files(process.pid)
        deadline = time.monotonic() + 20
        while open_files(process.pid) > held - 50:
            assert time.monotonic() < deadline


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_within_two_seconds_though_a_stream_is_open(number: int) -> None:
    with process_at("--tps", "0.01") as (process, url):
        with connect(url) as idle, connect(url) as streaming, connect(url) as waiting:
            idle.sendall(b"GET /__mock__/health HTTP/1.1\r\nHost: mock\r\n\r\n")
            streaming.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(STREAM) + STREAM)
            waiting.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD)
            assert streaming.recv(1)
            assert idle.recv(1)
            start = time.monotonic()
            process.send_signal(number)
            _, errors = process.communicate(timeout=10)
            assert time.monotonic() - start < 2
        assert process.returncode == 0
        assert errors == ""


def test_it_stops_with_the_program_that_started_it_if_asked() -> None:
    command = [sys.executable, "-m", "agent_contract", "serve", "--port", "0", "--stop-with-stdin"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin
        assert process.stdout
        url = re.findall(r"http://[\d.:]+", process.stdout.readline())[0]
        process.stdin.write("what is written is ignored\n")
        process.stdin.flush()
        assert httpx.get(f"{url}/__mock__/health").is_success
        process.stdin.close()
        assert process.wait(10) == 0


def test_several_processes_do_not_stop_with_standard_input() -> None:
    result = ended("serve", "--stop-with-stdin", "--workers", "2", "--store", "sqlite:///x.sqlite")
    assert result.returncode == 2
    assert "--stop-with-stdin is for one process. Leave out --workers." in result.stderr


def test_a_port_that_is_taken_is_an_error_in_a_line_with_its_remedy() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        result = ended("serve", "--port", str(port))
    assert result.returncode == 2
    assert result.stderr.count("\n") == 1
    assert f"Port {port}" in result.stderr
    assert "--port" in result.stderr


def test_an_address_of_another_machine_is_an_error_in_a_line() -> None:
    result = ended("serve", "--host", "192.0.2.1", "--port", "0")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)
    assert "--host" in result.stderr


def test_an_invalid_host_is_an_error_in_one_line() -> None:
    result = ended("serve", "--host", "no such host.invalid", "--port", "0")
    assert (result.returncode, result.stderr.count("\n")) == (2, 1)


def test_a_document_with_a_fault_stops_a_strict_start(tmp_path: Path) -> None:
    document = tmp_path / "openapi.yaml"
    document.write_text("openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths: {/a: {get: {$ref: '#/nowhere'}}}\n")
    result = ended("serve", "--strict", "--spec", str(document), "--port", "0")
    assert result.returncode == 2
    assert "openapi.yaml:3" in result.stderr
    assert "Traceback" not in result.stderr


def test_a_reference_out_of_the_folder_of_the_document_needs_a_flag(tmp_path: Path) -> None:
    (tmp_path / "shared.yaml").write_text("{get: {operationId: a, responses: {'200': {description: ok}}}}")
    document = tmp_path / "api" / "openapi.yaml"
    document.parent.mkdir()
    document.write_text("openapi: 3.1.0\ninfo: {title: x, version: '1'}\npaths: {/a: {$ref: ../shared.yaml}}\n")
    result = ended("serve", "--strict", "--spec", str(document), "--port", "0")
    assert result.returncode == 2
    assert "--allow-outside" in result.stderr
    (left_out,) = load_engine(document).contract.repairs
    assert left_out.rule.name == "dangling-reference"
    engine = load_engine(document, allow_outside=True)
    assert engine.reply(Request("GET", "/a", (), {}, b"")).status == 200


def test_to_allow_references_out_of_the_folder_needs_a_document() -> None:
    result = ended("serve", "--allow-outside", "--port", "0")
    assert result.returncode == 2
    assert "--spec" in result.stderr


def test_a_faulty_configuration_stops_the_start(tmp_path: Path) -> None:
    config = tmp_path / "mock.yaml"
    config.write_text("agents:\n  - name: a\n    rolls: [user]\n")
    result = ended("serve", "--config", str(config), "--port", "0")
    assert result.returncode == 2
    assert "mock.yaml:3" in result.stderr
    assert "roles" in result.stderr


@pytest.mark.parametrize(
    "options",
    [
        ("--port", "x"),
        ("--port", "70000"),
        ("--ttft", "-1"),
        ("--tps", "-1"),
        ("--tps", "nan"),
        ("--ttft", "inf"),
        ("--token", "ü"),
        ("--control-token", " x"),
        ("--control", "maybe"),
        ("--seed", "x"),
    ],
)
def test_an_option_that_makes_no_sense_is_refused(options: tuple[str, str]) -> None:
    result = ended("serve", *options)
    assert result.returncode == 2
    assert options[0] in result.stderr
    assert "Traceback" not in result.stderr


def test_every_option_can_be_set_by_an_environment_variable(tmp_path: Path) -> None:
    config = tmp_path / "mock.yaml"
    config.write_text("agents: [{name: own}]\n")
    environment = {
        **os.environ,
        "AGENT_CONTRACT_HOST": "127.0.0.1",
        "AGENT_CONTRACT_CONFIG": str(config),
        "AGENT_CONTRACT_TOKEN": "hunter2",
        "AGENT_CONTRACT_CONTROL_TOKEN": "hunter3",
        "AGENT_CONTRACT_SEED": "5",
        "AGENT_CONTRACT_TTFT": "0.01",
        "AGENT_CONTRACT_TPS": "1000",
        "AGENT_CONTRACT_JITTER": "0.001",
        "AGENT_CONTRACT_LOG_LEVEL": "warning",
    }
    with serve(environment=environment) as running:
        url = running.url + path_of("own")
        assert httpx.post(url, headers=JSON, content=GOOD).status_code == 401
        good = httpx.post(url, headers={**JSON, "authorization": "Bearer hunter2"}, content=GOOD)
        assert good.status_code == 200
        assert "401" in shown(running, "  401  ")
        command = shown(running, r"^\s+curl ").strip()
        printed = subprocess.check_output(["sh", "-c", command], env=environment, stderr=subprocess.DEVNULL)
        assert json.loads(printed)["choices"]
        looked = [
            httpx.get(f"{running.url}/__mock__/requests", headers={"authorization": f"Bearer {token}"})
            for token in ("hunter2", "hunter3")
        ]
        assert [reply.status_code for reply in looked] == [401, 200]
        assert "hunter" not in looked[1].text
        assert not [line for line in running.lines if "hunter" in line or "  200  " in line]


def test_a_server_that_others_can_reach_without_a_token_warns() -> None:
    with serve("--host", "0.0.0.0") as running:
        assert "--token" in shown(running, "WARNING")
        assert "--control-token" in shown(running, "/__mock__/")
    with serve("--host", "0.0.0.0", "--token", "x") as running:
        shown(running, r"^\s+curl ")
        assert not [line for line in running.lines if "WARNING" in line]


def test_an_interface_that_is_off_is_not_warned_of_and_not_there() -> None:
    with serve("--host", "0.0.0.0", "--control", "off") as running:
        shown(running, r"^\s+curl ")
        assert len([line for line in running.lines if "WARNING" in line]) == 1
        statuses = {path: httpx.get(f"{running.url}/__mock__/{path}").status_code for path in ("health", "requests")}
    assert statuses == {"health": 200, "requests": 404}


def test_serving_imports_no_judge_and_no_maker_of_fixtures() -> None:
    """Before its first request and after it: what is not imported takes no time and no memory."""
    code = """
import asyncio, socket, sys
from agent_contract.cli import main
import mockserver.adapters.asgi, mockserver.build, mockserver.cli
import mockserver.server.access_log, mockserver.server.http_server
from agent_contract.messages import Request
engine = mockserver.build.load_engine()
request = Request("POST", sys.argv[1], (), {"content-type": "application/json"}, sys.argv[2].encode())
assert engine.reply(request).status == 200
print(*sorted({name.partition(".")[0] for name in sys.modules}))
"""
    printed = subprocess.check_output([sys.executable, "-c", code, path_of(), GOOD.decode()], text=True)
    unwanted = {
        "openapi_core",
        "schemathesis",
        "hypothesis",
        "pytest",
        "_pytest",
        "faker",
        "httpx",
        "rich",
        "fastapi",
        "requests",
    }
    assert unwanted & set(printed.split()) == set()


def test_waiting_ends_when_something_answers(served: Served) -> None:
    result = ended("wait", f"{served.agent()}", "--timeout", "20")
    assert result.returncode == 0
    assert "a mock of Agent API" in result.stdout


def test_waiting_for_nothing_ends_with_what_was_seen() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]
    result = ended("wait", f"http://127.0.0.1:{port}", "--timeout", "3")
    assert result.returncode == 2
    assert "Connection refused" in result.stderr
    assert result.stderr.count("\n") == 1


@pytest.mark.parametrize("url", ["localhost:8000", "ftp://x", "http://", "http://[", "x"])
def test_waiting_for_an_invalid_url_ends_at_once(url: str) -> None:
    result = ended("wait", url)
    assert result.returncode == 2
    assert "http://127.0.0.1:8000" in result.stderr
    assert "Traceback" not in result.stderr


def test_recordings_are_replayed_and_counted_in_the_banner() -> None:
    with serve("--replay", str(ROOT / "fixtures" / "exchanges"), "--strict", "--replay-speed", "0") as running:
        assert shown(running, "recorded exchanges are replayed; other answers are refused")
        reply = httpx.post(running.url + path_of(), json={"messages": [{"role": "user", "content": "Never asked."}]})
        assert (reply.status_code, reply.json()["detail"][:20]) == (404, "No recording matches")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["serve", "--replay", "nowhere"], "nowhere does not exist. Record into it first"),
        (["serve", "--strict"], "--strict is for recordings and other documents. Add --replay PATH or --spec FILE."),
        (["serve", "--replay", ".", "--ignore", "day"], "day is not known. Use a place such as body/user"),
        (["proxy", "ftp://x"], "ftp://x is not an HTTP URL"),
        (["proxy", "http://x", "--record-mode", "once"], "--record-mode once needs a folder. Add --record DIR."),
        (["proxy", "http://x", "--record", "f", "--ignore", "re:("], "unterminated subpattern"),
        (["proxy", "http://x", "--record", "/dev/null/f"], "Choose another folder with --record."),
    ],
)
def test_a_wrong_option_of_recordings_is_reported(tmp_path: Path, options: list[str], message: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "agent_contract", *options], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert message in " ".join(ran.stderr.replace("│", "").split())
    assert "Traceback" not in ran.stderr
