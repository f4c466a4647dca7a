"""An exchange ends within its bound of seconds, bytes, lines and values, whatever the server sends."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from benchmarks.hostile_servers import SERVERS, serving
from contract_tests.deployment.bounded_http import (
    EVIDENCE,
    MOST_LINES,
    MOST_VALUES,
    ExchangeLimits,
    RawReply,
    bounded_client,
    send_within,
)

JSON = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"
EVENTS = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"


def received(url: str, bound: ExchangeLimits) -> RawReply:
    with bounded_client() as client:
        return send_within(client, "GET", url, {}, b"", bound)


@contextmanager
def sending(reply: bytes) -> Iterator[str]:
    """Serve the same bytes once, and close the connection; yield the URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(reply)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    with listener:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join(10)


def answered(head: bytes, body: bytes, bound: ExchangeLimits | None = None) -> RawReply:
    with sending(head + b"content-length: %d\r\n\r\n" % len(body) + body) as url:
        return received(url, bound or ExchangeLimits(10))


@pytest.mark.parametrize("name", SERVERS)
def test_an_exchange_with_a_hostile_server_ends(name: str) -> None:
    with serving(SERVERS[name]) as url:
        begun = time.thread_time()
        got = received(url, ExchangeLimits(0.5, largest=50_000))
    assert time.thread_time() - begun < 5
    assert got.failure
    assert len(got.body) <= EVIDENCE


@pytest.mark.parametrize(
    "reply", [b"content-length: 10\r\n\r\nshort", b"transfer-encoding: chunked\r\n\r\n5\r\nshort\r\n"]
)
def test_a_body_that_is_cut_off_is_a_failure_and_kept(reply: bytes) -> None:
    with sending(JSON + reply) as url:
        got = received(url, ExchangeLimits(10))
    assert got.status == 200
    assert got.body == b"short"
    assert "RemoteProtocolError" in got.failure


def test_a_body_in_chunks_of_one_byte_is_joined() -> None:
    with sending(JSON + b"transfer-encoding: chunked\r\n\r\n" + b"1\r\nx\r\n" * 500 + b"0\r\n\r\n") as url:
        got = received(url, ExchangeLimits(10))
    assert got.failure == ""
    assert got.body == b"x" * 500


def test_a_stream_has_a_bound_on_its_lines() -> None:
    assert answered(EVENTS, b"\n" * MOST_LINES).failure == ""
    assert answered(EVENTS, b"\r\n" * MOST_LINES).failure.endswith(" lines")
    assert answered(JSON, b"\n" * (MOST_LINES + 1)).failure == ""


def test_a_body_has_a_bound_on_its_values() -> None:
    assert answered(JSON, b"," * MOST_VALUES).failure == ""
    got = answered(JSON, b"{}," * MOST_VALUES)
    assert got.failure.endswith(" values")
    assert len(got.body) == EVIDENCE


def test_without_time_left_nothing_is_sent() -> None:
    clock = iter((0.0, *range(5, 100))).__next__
    got = received("http://127.0.0.1:9", ExchangeLimits(1.0, clock=clock))
    assert got.failure == "not finished within 1 s"
    assert not got.lost


def test_a_resolver_that_does_not_answer_ends_with_the_exchange(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_, **__: ended.wait() and [])
    got = received("http://deployment.invalid/", ExchangeLimits(0.2))
    ended.set()
    assert "the name deployment.invalid was not resolved within 0." in got.failure


def test_a_name_that_can_not_be_resolved_is_a_failure() -> None:
    assert "ConnectError" in received(f"http://{'a' * 64}.invalid/", ExchangeLimits(10)).failure


def test_the_addresses_of_a_name_are_tried_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> list[tuple[object, ...]]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (ip, 0)) for ip in ("127.0.0.2", "127.0.0.1")]

    with sending(JSON + b"content-length: 2\r\n\r\n{}") as url:
        real = socket.getaddrinfo
        monkeypatch.setattr(
            socket, "getaddrinfo", lambda host, *rest, **more: (resolve if host == "two" else real)(host, *rest, **more)
        )
        got = received(url.replace("127.0.0.1", "two"), ExchangeLimits(10))
    assert got.body == b"{}"
