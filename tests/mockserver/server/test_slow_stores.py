"""A server whose store is slow, locked or full: every client gets its answer in time, and probes are answered."""

from __future__ import annotations

import json
import resource
import socket
import sqlite3
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

from tests.mockserver.support.bad_input import GOOD
from tests.mockserver.support.held_proxy import held_proxy
from tests.mockserver.support.processes import process_at
from tests.mockserver.support.raw import HEAD, connect, read_reply
from tests.mockserver.support.redis_server import RedisServer
from tests.support.serving import serve

#: Seconds within which a request is answered, whatever its store does (docs/state.md).
BOUND = 5.0
#: Seconds within which a probe is answered that does not wait for a store.
AT_ONCE = 1.0
WHOLE = HEAD + b"Content-Length: %d\r\n\r\n" % len(GOOD) + GOOD
PROBES = [(method, path) for method in ("GET", "HEAD") for path in ("/__mock__/health", "/__mock__/ready")]


def probe(url: str, method: str, path: str) -> tuple[int, str, float]:
    """Return the status, the detail and the seconds of the answer to a request without a body."""
    with connect(url) as connection:
        begun = time.monotonic()
        connection.sendall(f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
        head, _, body = b"".join(iter(lambda: connection.recv(65536), b"")).partition(b"\r\n\r\n")
        detail = json.loads(body).get("detail", "") if body else ""
        return int(head.split()[1]), detail, time.monotonic() - begun


@contextmanager
def waiting_clients(url: str, count: int) -> Iterator[list[socket.socket]]:
    """Yield connections that have sent a chat, at the same time."""
    with ExitStack() as stack:
        clients = [stack.enter_context(connect(url)) for _ in range(count)]
        for client in clients:
            client.sendall(WHOLE)
        yield clients


def test_64_clients_of_a_redis_that_does_not_answer_get_503_in_time_and_health_waits_for_none(
    redis: RedisServer,
) -> None:
    with held_proxy(redis.port) as proxy, serve("--store", f"redis://127.0.0.1:{proxy.port}/0") as served:
        proxy.hold()
        begun = time.monotonic()
        with waiting_clients(served.url, 64) as clients:
            healths = [probe(served.url, method, "/__mock__/health") for method in ("GET", "HEAD")]
            assert [status for status, _, _ in healths] == [200, 200]
            assert max(seconds for _, _, seconds in healths) < AT_ONCE
            assert Counter(read_reply(client)[0] for client in clients) == {503: 64}
        assert time.monotonic() - begun < BOUND
        status, why, seconds = probe(served.url, "GET", "/__mock__/ready")
        assert (status, "Redis is overloaded or stopped" in why, seconds < BOUND) == (503, True, True)
        proxy.release()
        eventually_ready(served.url)


@pytest.mark.parametrize("count", [16, 64])
def test_clients_of_a_locked_file_get_503_in_time_and_health_waits_for_none(tmp_path: Path, count: int) -> None:
    file = tmp_path / "state.db"
    with (
        serve("--store", f"sqlite:///{file}") as served,
        closing(sqlite3.connect(file, isolation_level=None)) as other,
    ):
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        with waiting_clients(served.url, count) as clients:
            status, _, seconds = probe(served.url, "GET", "/__mock__/health")
            assert (status, seconds < AT_ONCE) == (200, True)
            assert Counter(read_reply(client)[0] for client in clients) == {503: count}
        assert time.monotonic() - begun < BOUND
        status, why, _ = probe(served.url, "GET", "/__mock__/ready")
        assert (status, "Another process holds the write lock" in why) == (503, True)
        other.execute("ROLLBACK")
        eventually_ready(served.url)


@pytest.mark.skipif(not hasattr(resource, "prlimit"), reason="changes the limit of a running process")
def test_a_server_whose_disk_is_full_is_not_ready_until_there_is_room(tmp_path: Path) -> None:
    file = tmp_path / "state.db"
    with process_at("--store", f"sqlite:///{file}") as (process, url):
        assert probe(url, "GET", "/__mock__/ready")[0] == 200
        before = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
        size = file.with_name("state.db-wal").stat().st_size
        # Writes beyond this size fail, as they do on a full disk. Python ignores the signal that comes with it.
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (size, before[1]))
        status, why, _ = probe(url, "GET", "/__mock__/ready")
        assert (status, str(file) in why, "disk is full" in why) == (503, True, True)
        assert probe(url, "HEAD", "/__mock__/ready")[0] == 503
        assert probe(url, "GET", "/__mock__/health")[0] == 200
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, before)
        assert probe(url, "GET", "/__mock__/ready")[0] == 200


@pytest.mark.parametrize("store", ["memory", "sqlite"])
def test_probes_are_answered_at_once_while_64_requests_wait(store: str, tmp_path: Path) -> None:
    address = "memory" if store == "memory" else f"sqlite:///{tmp_path / 'state.db'}"
    with serve("--ttft", "2", "--store", address) as served, waiting_clients(served.url, 64) as clients:
        found = [probe(served.url, *one) for one in PROBES]
        assert [status for status, _, _ in found] == [200] * 4
        assert max(seconds for _, _, seconds in found) < AT_ONCE
        assert {read_reply(client)[0] for client in clients} == {200}


def eventually_ready(url: str) -> None:
    """Return when the server is ready; fail if that takes too long."""
    deadline = time.monotonic() + 20
    while probe(url, "GET", "/__mock__/ready")[0] != 200:
        assert time.monotonic() < deadline
