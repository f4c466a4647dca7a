"""What a server does with connections that are idle, slow, malformed, half closed or too many."""

from __future__ import annotations

import asyncio
import json
import os
import re
import resource
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any

import httpx
import pytest
from uvicorn.config import Config
from uvicorn.server import ServerState

from mockserver.adapters.asgi import create_app
from mockserver.server.connection import Connection, ConnectionSettings
from mockserver.server.connection_limits import ConnectionLimits
from tests.mockserver.support.bad_input import GOOD
from tests.mockserver.support.chat_client import engine, path_of
from tests.mockserver.support.processes import STREAM
from tests.mockserver.support.raw import HEAD, connect, read_reply
from tests.support.serving import Served, serve

CHUNKED = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
HEALTH = b"GET /__mock__/health HTTP/1.1\r\nHost: mock\r\n\r\n"
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD
LIMITS = ("--header-timeout", "0.5", "--body-timeout", "0.5", "--idle-timeout", "0.5", "--max-header-bytes", "4096")


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with serve() as running:
        yield running


@pytest.fixture(scope="module")
def hasty() -> Iterator[Served]:
    """A server with short timeouts."""
    with serve(*LIMITS) as running:
        yield running


def send(url: str, *parts: bytes, half_close: bool = False) -> tuple[int, str]:
    """Return the status and the detail that are answered to raw bytes."""
    with connect(url) as connection:
        for part in parts:
            connection.sendall(part)
        if half_close:
            connection.shutdown(socket.SHUT_WR)
        status, body = read_reply(connection)
        return status, json.loads(body).get("detail", "")


def journal(url: str, status: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = httpx.get(f"{url}/__mock__/requests", params={"status": status}).json()["requests"]
    return found


def logged(served: Served, text: str) -> bool:
    """Return whether a line with the text is printed, waiting for it."""
    deadline = time.monotonic() + 20
    while not any(text in line for line in list(served.lines)):
        if time.monotonic() > deadline:
            return False
        httpx.get(f"{served.url}/__mock__/health")
    return True


def open_connections(url: str, count: int, stack: ExitStack) -> list[socket.socket]:
    return [stack.enter_context(connect(url)) for _ in range(count)]


@pytest.fixture
def many_files() -> Iterator[None]:
    """Let this process open as many files as it may."""
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


@pytest.mark.usefixtures("many_files")
def test_two_thousand_idle_connections_make_no_one_wait(served: Served) -> None:
    with ExitStack() as stack:
        idle = open_connections(served.url, 2000, stack)
        for connection in idle:
            connection.sendall(HEALTH)
        for connection in idle:
            assert read_reply(connection)[0] == 200
        assert send(served.url, WHOLE) == (200, "")
        idle[0].sendall(HEALTH)
        assert read_reply(idle[0])[0] == 200


def test_slow_uploads_make_no_one_wait(served: Served) -> None:
    with ExitStack() as stack:
        slow = open_connections(served.url, 300, stack)
        for connection in slow:
            connection.sendall(HEAD + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD[:10])
        assert send(served.url, WHOLE) == (200, "")
        for connection in slow:
            connection.sendall(GOOD[10:])
        assert {read_reply(connection)[0] for connection in slow} == {200}


@pytest.mark.parametrize(
    "body",
    [
        b"zz\r\n",
        b"ffffffffffffffffff\r\n",
        b"3\r\nabcdef\r\n0\r\n\r\n",
        b"3\nabc\n0\n\n",
        b"3\r\nabc\r\nzz\r\n",
        b"-1\r\nabc\r\n",
        b"\r\n",
    ],
    ids=["size is not hex", "size overflows", "chunk exceeds its size", "bare LF", "later size", "negative", "no size"],
)
def test_a_malformed_chunk_is_answered_with_400_in_log_and_journal(served: Served, body: bytes) -> None:
    before = len(journal(served.url, 400))
    status, detail = send(served.url, CHUNKED, body)
    assert (status, "chunked encoding of the body is malformed" in detail) == (400, True)
    assert len(journal(served.url, 400)) == before + 1
    assert journal(served.url, 400)[0]["request"]["path"] == path_of()
    assert logged(served, detail)


@pytest.mark.parametrize(
    "parts",
    [(HEAD + b"Content-Length: 10\r\n\r\nab",), (CHUNKED, b"5\r\nab"), (CHUNKED, b"2\r\nab\r\n"), (CHUNKED,)],
    ids=["length", "inside a chunk", "between chunks", "before the first"],
)
def test_a_client_that_half_closes_inside_its_body_gets_400(served: Served, parts: tuple[bytes, ...]) -> None:
    status, detail = send(served.url, *parts, half_close=True)
    assert (status, "body is incomplete" in detail) == (400, True)
    assert logged(served, detail)


@pytest.mark.parametrize(
    "head", [b"\x16\x03\x01\x02\x00\r\n\r\n", b"GET\r\n\r\n", b"GET / HTTP/1.1\r\nno colon\r\n\r\n"]
)
def test_what_is_not_http_is_answered_with_400_in_log_and_journal(served: Served, head: bytes) -> None:
    before = len(journal(served.url, 400))
    status, detail = send(served.url, head)
    assert (status, "not a valid HTTP request" in detail) == (400, True)
    assert len(journal(served.url, 400)) == before + 1
    assert logged(served, detail)


def test_two_lengths_are_refused(served: Served) -> None:
    assert send(served.url, CHUNKED[:-2] + b"Content-Length: 3\r\n\r\n0\r\n\r\n")[0] == 400


@pytest.mark.parametrize("delay", ["0", "0.3"])
def test_a_client_that_half_closes_after_its_request_gets_its_answer(delay: str) -> None:
    with serve("--ttft", delay) as running:
        assert send(running.url, WHOLE, half_close=True) == (200, "")
        with connect(running.url) as connection:
            connection.sendall(WHOLE + WHOLE)
            connection.shutdown(socket.SHUT_WR)
            received = b"".join(iter(lambda: connection.recv(65536), b""))
        assert received.count(b"HTTP/1.1 200") == 2


def test_a_client_that_half_closes_and_reads_gets_a_stream_that_takes_longer_than_any_timeout() -> None:
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(STREAM) + STREAM
    with serve(*LIMITS, "--read-timeout", "0.5", "--tps", "8") as running, connect(running.url) as connection:
        connection.sendall(whole)
        connection.shutdown(socket.SHUT_WR)
        begun = time.monotonic()
        received = b"".join(iter(lambda: connection.recv(65536), b""))
        assert time.monotonic() - begun > 2  # the deadlines were checked
    assert received.endswith(b"data: [DONE]\n\n\r\n0\r\n\r\n")


def test_a_client_that_half_closes_and_does_not_read_is_disconnected() -> None:
    # The answer is larger than what the system buffers.
    schema = {"name": "x", "schema": {"type": "string", "minLength": 1500}}
    form = {"response_format": {"type": "json_schema", "json_schema": schema}, "n": 128}
    body = STREAM[:-1] + b"," + json.dumps(form).encode()[1:]
    whole = HEAD + b"Content-Length: %d\r\n\r\n" % len(body) + body
    with serve("--read-timeout", "0.5", "--max-connections", "1") as running, connect(running.url) as connection:
        connection.sendall(whole)
        assert select.select([connection], [], [], 20)[0]
        connection.shutdown(socket.SHUT_WR)
        assert send(running.url, HEALTH)[0] == 503
        deadline = time.monotonic() + 20
        while send(running.url, HEALTH)[0] != 200:
            assert time.monotonic() < deadline


def test_trailers_are_not_headers(served: Served) -> None:
    body = b"%x\r\n%s\r\n0\r\nX-Mock-Scope: other\r\n\r\n" % (len(GOOD), GOOD)
    assert send(served.url, CHUNKED, body) == (200, "")
    assert journal(served.url, 200)[0]["request"]["headers"].get("x-mock-scope") is None


def test_a_request_to_upgrade_is_answered_as_any_other(served: Served) -> None:
    upgrade = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAoAAAAAIAAAAA\r\n"
    assert send(served.url, HEAD + upgrade + b"Content-Length: %d\r\n\r\n" % len(GOOD), GOOD) == (200, "")


def test_headers_beyond_their_limit_get_431(hasty: Served) -> None:
    for head in (b"GET /" + b"a" * 5000 + b" HTTP/1.1\r\n\r\n", b"GET / HTTP/1.1\r\nA: " + b"a" * 5000):
        status, detail = send(hasty.url, head)
        assert (status, "4096 bytes" in detail) == (431, True)
        assert logged(hasty, detail)


def test_headers_that_do_not_end_get_408(hasty: Served) -> None:
    status, detail = send(hasty.url, b"GET / HTTP/1.1\r\nHo")
    assert (status, "after 0.5 s" in detail) == (408, True)
    assert logged(hasty, detail)


@pytest.mark.parametrize(
    "parts",
    [(HEAD + b"Content-Length: 10\r\n\r\nab",), (HEAD + b"Content-Length: 10\r\n\r\n",), (CHUNKED, b"2\r\nab\r\n")],
    ids=["half", "nothing", "chunks"],
)
def test_a_body_that_stops_arriving_gets_408(hasty: Served, parts: tuple[bytes, ...]) -> None:
    status, detail = send(hasty.url, *parts)
    assert (status, "for 0.5 s" in detail) == (408, True)
    assert logged(hasty, detail)
    assert journal(hasty.url, 408)


def test_a_body_that_drips_in_gets_408_after_its_time() -> None:
    with serve("--upload-timeout", "1") as running, connect(running.url) as connection:
        connection.sendall(CHUNKED)
        while not select.select([connection], [], [], 0.05)[0]:
            connection.sendall(b"1\r\n \r\n")
        status, body = read_reply(connection)
        assert (status, "not complete after 1 s" in body.decode()) == (408, True)
        assert logged(running, "not complete after 1 s")


def test_a_connection_is_used_again_after_each_kind_of_request(served: Served) -> None:
    with connect(served.url) as connection:
        for request in (HEALTH, WHOLE, HEALTH + HEALTH, CHUNKED + b"1\r\n \r\n0\r\n\r\n", HEALTH):
            connection.sendall(request)
            assert read_reply(connection)[0] in (200, 422)
        connection.sendall(HEALTH[:10])
        connection.sendall(HEALTH[10:])
        assert read_reply(connection)[0] == 200


def test_an_idle_connection_holds_no_request() -> None:
    """Else each full garbage collection delays everything, in proportion to the number of connections."""
    kept: list[Connection] = []

    async def exchange() -> None:
        """Answer one request at a connection."""
        loop = asyncio.get_running_loop()
        config = Config(create_app(engine()), log_config=None, lifespan="off", ws="none")
        settings = ConnectionSettings(ConnectionLimits(), 1000, lambda _: None)

        def connected() -> Connection:
            kept.append(Connection(settings, config, ServerState(), app_state={}))
            return kept[0]

        server = await loop.create_server(connected, "127.0.0.1", 0)
        reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
        writer.write(HEALTH)
        await reader.readuntil(b"}")
        assert [vars(kept[0])[name] for name in ("cycle", "scope", "parser", "timeout_keep_alive_task")] == [None] * 4
        writer.close()
        await writer.wait_closed()
        server.close()
        await server.wait_closed()

    asyncio.run(exchange())


@pytest.mark.parametrize("sent", [b"", HEALTH], ids=["at once", "after a request"])
def test_an_idle_connection_is_closed(hasty: Served, sent: bytes) -> None:
    with connect(hasty.url) as connection:
        if sent:
            connection.sendall(sent)
            assert read_reply(connection)[0] == 200
        assert connection.recv(1) == b""


def test_a_reply_that_takes_longer_than_any_timeout_is_not_cut() -> None:
    with serve(*LIMITS, "--ttft", "2.5") as running:
        assert send(running.url, WHOLE) == (200, "")


def test_a_client_beyond_the_limit_of_connections_gets_503_and_a_free_place_is_used() -> None:
    with serve("--max-connections", "5") as running, ExitStack() as stack:
        clients = open_connections(running.url, 5, stack)
        for client in clients:
            client.sendall(HEALTH)
            assert read_reply(client)[0] == 200
        with connect(running.url) as beyond:
            status, body = read_reply(beyond)
        assert (status, "accepts 5" in json.loads(body)["detail"]) == (503, True)
        clients[0].sendall(HEALTH)
        assert read_reply(clients[0])[0] == 200
        for client in clients[1:]:
            client.close()
        deadline = time.monotonic() + 20
        while send(running.url, HEALTH)[0] != 200:
            assert time.monotonic() < deadline
        assert len(journal(running.url, 503)) >= 1
        assert logged(running, "accepts 5")


def seconds_of_cpu(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="changes the limit of a running process")
def test_a_process_without_file_descriptors_does_not_spin_and_recovers() -> None:
    command = [sys.executable, "-m", "agent_contract", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert found
        limit = len(list(Path(f"/proc/{process.pid}/fd").iterdir())) + 2
        before = resource.prlimit(process.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, (limit, before[1]))
        with ExitStack() as stack:
            open_connections(found[0], 20, stack)
            cpu, start = seconds_of_cpu(process.pid), time.monotonic()
            with pytest.raises(subprocess.TimeoutExpired):
                process.wait(1)
            assert seconds_of_cpu(process.pid) - cpu < 0.5 * (time.monotonic() - start)
            assert any("Too many open files: new connections are closed" in line for line in process.stdout)
        resource.prlimit(process.pid, resource.RLIMIT_NOFILE, before)
        deadline = time.monotonic() + 20
        while True:
            with closing(connect(found[0])) as connection:
                connection.sendall(HEALTH)
                try:
                    if read_reply(connection)[0] == 200:
                        break
                except (OSError, IndexError):
                    assert time.monotonic() < deadline
        process.terminate()


def test_a_host_name_is_answered_if_it_is_allowed() -> None:
    with serve("--allow-host", "Mock.Example") as running:
        found = {
            host: httpx.get(f"{running.url}/__mock__/requests", headers={"host": host}).status_code
            for host in ("mock.example", "evil.example")
        }
        assert httpx.head(f"{running.url}/__mock__/health").status_code == 200
    assert found == {"mock.example": 200, "evil.example": 403}


@pytest.mark.parametrize("options", [(), ("--workers", "2")], ids=["alone", "workers"])
def test_sighup_is_a_line_and_the_server_goes_on(options: tuple[str, ...], tmp_path: Path) -> None:
    store = ("--store", f"sqlite:///{tmp_path / 'state.db'}")
    command = [sys.executable, "-m", "agent_contract", "serve", "--port", "0", *options, *(store if options else ())]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        found = re.search(r"http://[\d.:]+", process.stdout.readline())
        assert found
        httpx.get(f"{found[0]}/__mock__/health")
        process.send_signal(signal.SIGHUP)
        assert any("SIGHUP is ignored" in line for line in process.stdout)
        assert httpx.get(f"{found[0]}/__mock__/health").status_code == 200
        process.terminate()
        assert process.wait(20) == 0
