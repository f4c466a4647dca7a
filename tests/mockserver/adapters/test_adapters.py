"""The same requests through all four adapters, and the same replies, byte for byte."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
from collections.abc import Callable, Coroutine, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import quote

import httpx
import pytest
from werkzeug.middleware.lint import LintMiddleware
from werkzeug.test import Client, EnvironBuilder

from mockserver import MockServer, MockTransport
from mockserver.adapters.asgi import create_app as create_asgi_app
from mockserver.adapters.wsgi import create_app as create_wsgi_app
from mockserver.engine import Engine
from mockserver.generation.latency import Pace
from tests.mockserver.support.bad_input import GOOD, ODD, ROWS, UNREADABLE, Row
from tests.mockserver.support.chat_client import NOW, UNKNOWN, engine, path_of
from tests.mockserver.support.raw import HEAD, connect, exchange, read_reply

#: What a server adds by itself.
ADDED = {"date", "server", "connection", "transfer-encoding"}

Sender = Callable[[str, str, dict[str, str], bytes], httpx.Response]


class Adapter(NamedTuple):
    name: str
    opened: Callable[[Engine], Any]


@contextmanager
def through_wsgi(player: Engine) -> Iterator[Sender]:
    app = create_wsgi_app(player)
    linted = LintMiddleware(app)  # PEP 3333, checked on both sides: a fault is a warning, and so an error

    def send(method: str, path: str, sent: dict[str, str], body: bytes) -> httpx.Response:
        path, _, query = path.partition("?")
        environ = EnvironBuilder(
            path=path, method=method, headers=list(sent.items()), data=body or None, query_string=query
        )
        if "content-type" not in sent:
            environ.content_type = None
        # Of HEAD and 204 it asks for a length of zero, which RFC 9110 (8.6) forbids.
        with Client(app if method in ("HEAD", "OPTIONS") else linted).open(environ) as reply:
            headers = dict(reply.headers)  # reading the data adds its length
            found = httpx.Response(reply.status_code, headers=headers, stream=httpx.ByteStream(reply.data))
        found.read()
        return found

    yield send


@contextmanager
def through_asgi(player: Engine) -> Iterator[Sender]:
    app = create_asgi_app(player)

    def send(method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://mock", headers=[]) as client:
                return await client.request(method, path, headers=headers, content=body)

        return asyncio.run(ask())

    yield send


@contextmanager
def through_transport(player: Engine) -> Iterator[Sender]:
    with httpx.Client(transport=MockTransport(player), base_url="http://mock") as client:
        yield lambda method, path, headers, body: client.request(method, path, headers=headers, content=body)


@contextmanager
def through_async_transport(player: Engine) -> Iterator[Sender]:
    def send(method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with httpx.AsyncClient(transport=MockTransport(player), base_url="http://mock") as client:
                return await client.request(method, path, headers=headers, content=body)

        return asyncio.run(ask())

    yield send


@contextmanager
def through_thread(player: Engine) -> Iterator[Sender]:
    with MockServer(player) as mock, httpx.Client(base_url=mock.url, trust_env=False) as client:
        yield lambda method, path, headers, body: client.request(method, path, headers=headers, content=body)


ADAPTERS = [through_wsgi, through_asgi, through_transport, through_async_transport, through_thread]
JSON = {"content-type": "application/json"}

REQUESTS: dict[str, tuple[str, str, dict[str, str], bytes]] = {
    **{
        row.name: ("POST", path_of(), {"content-type": row.content_type} if row.content_type else {}, row.body)
        for row in ROWS
    },
    **{name: ("POST", path_of(), {"content-type": kind}, body) for name, (body, kind) in ODD.items()},
    "plain": ("POST", path_of(), JSON, GOOD),
    "stream": ("POST", path_of(), JSON, GOOD[:-1] + b',"stream":true,"n":2,"stream_options":{"include_usage":true}}'),
    "session": ("POST", path_of(), JSON, GOOD[:-1] + b',"create_session":true}'),
    "varied": ("POST", path_of(), JSON, GOOD[:-1] + b',"temperature":1}'),
    "unknown agent": ("POST", path_of(UNKNOWN), JSON, GOOD),
    "an agent beyond ASCII": ("POST", quote(path_of("agént ☃%2F")), JSON, GOOD),
    "health": ("GET", "/__mock__/health?a=b&c", {}, b""),
    "nowhere": ("DELETE", "/nowhere", {}, b""),
    "method": ("PATCH", path_of(), JSON, GOOD),
    "head": ("HEAD", path_of(), {}, b""),
    "preflight": ("OPTIONS", path_of(), {"origin": "http://a", "access-control-request-method": "POST"}, b""),
    "origin": ("POST", path_of(), {**JSON, "origin": "http://a"}, GOOD),
    "too large": ("POST", path_of(), JSON, b" " * (2 * 1024 * 1024 + 1)),
    "far too large": ("POST", path_of(), JSON, b" " * (20 * 1024 * 1024)),
}


def seen(reply: httpx.Response) -> tuple[int, dict[str, str], bytes]:
    headers = {name.lower(): value for name, value in reply.headers.items() if name.lower() not in ADDED}
    return reply.status_code, headers, reply.content


def play(adapter: Callable[[Engine], Any], names: list[str]) -> list[tuple[int, dict[str, str], bytes]]:
    with adapter(engine()) as send:
        return [seen(send(*REQUESTS[name])) for name in names]


@pytest.fixture(scope="module")
def expected() -> list[tuple[int, dict[str, str], bytes]]:
    return play(through_transport, list(REQUESTS))


@pytest.mark.parametrize("adapter", ADAPTERS, ids=lambda adapter: adapter.__name__)
def test_every_adapter_gives_the_same_bytes(
    adapter: Callable[[Engine], Any], expected: list[tuple[int, dict[str, str], bytes]]
) -> None:
    """All in one scope: ids, sessions and varying text are the same only if nothing was lost on the way."""
    for name, found, wanted in zip(REQUESTS, play(adapter, list(REQUESTS)), expected, strict=True):
        assert found == wanted, name


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_a_bad_body_is_refused_as_fastapi_refuses_it(row: Row) -> None:
    ((status, headers, body),) = play(through_wsgi, [row.name])
    assert (status, headers["content-type"]) == (row.status, "application/json")
    detail = json.loads(body)["detail"]
    if row.where is None:
        assert detail.startswith(UNREADABLE)
    else:
        assert [(fault["loc"], fault["type"]) for fault in detail] == [(row.where, row.kind)]
        assert all(fault["msg"] for fault in detail)


@pytest.mark.parametrize("name", ODD)
def test_an_odd_body_is_answered(name: str) -> None:
    ((status, _, body),) = play(through_wsgi, [name])
    assert status == 200, body


def test_statuses_are_those_that_were_meant(expected: list[tuple[int, dict[str, str], bytes]]) -> None:
    """Else four adapters might agree on nonsense."""
    found = {name: status for name, (status, _, _) in zip(REQUESTS, expected, strict=True)}
    assert {name: found[name] for name in list(REQUESTS)[len(ROWS) + len(ODD) :]} == {
        "plain": 200,
        "stream": 200,
        "session": 200,
        "varied": 200,
        "unknown agent": 404,
        "an agent beyond ASCII": 404,
        "health": 200,
        "nowhere": 404,
        "method": 405,
        "head": 405,
        "preflight": 204,
        "origin": 200,
        "too large": 413,
        "far too large": 413,
    }
    body = dict(zip(REQUESTS, expected, strict=True))["an agent beyond ASCII"][2]
    assert "agént ☃%2F" in json.loads(body)["detail"]


def test_a_wsgi_stream_is_freed_when_the_server_closes_it() -> None:
    """A client that leaves: the server calls close(), and no further event is waited for."""
    waited: list[float] = []
    app = create_wsgi_app(engine(pace=Pace(ttft=1, tps=1)), waited.append)
    body = GOOD[:-1] + b',"stream":true}'
    environ = EnvironBuilder(path=path_of(), method="POST", headers=list(JSON.items()), data=body).get_environ()
    stream = app(environ, lambda *_: lambda _: None)
    taken = [next(iter(stream)) for _ in range(3)]
    assert taken[0].startswith(b"data: {")
    before = len(waited)
    stream.close()  # type: ignore[attr-defined]
    assert list(stream) == []
    assert len(waited) == before


class Talk:
    """One ASGI request whose client disconnects after it has read some messages."""

    def __init__(self, body: bytes, leaves_after: int) -> None:
        self.sent: list[MutableMapping[str, Any]] = []
        self._messages: list[MutableMapping[str, Any]] = [{"type": "http.request", "body": body, "more_body": False}]
        self._leaves_after = leaves_after
        self._left = asyncio.Event()

    async def receive(self) -> MutableMapping[str, Any]:
        if self._messages:
            return self._messages.pop()
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def send(self, message: MutableMapping[str, Any]) -> None:
        self.sent.append(message)
        if len(self.sent) == self._leaves_after:
            self._left.set()


def scope(**fields: Any) -> dict[str, Any]:
    headers = [(b"content-type", b"application/json")]
    return {"type": "http", "method": "POST", "path": path_of(), "query_string": b"", "headers": headers, **fields}


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(asyncio.wait_for(work, 20))


@pytest.mark.parametrize("stream", [b"true", b"false"])
def test_an_asgi_client_that_leaves_ends_the_waiting(stream: bytes) -> None:
    """At a token in a hundred seconds the test would not end otherwise."""
    talk = Talk(GOOD[:-1] + b',"stream":' + stream + b"}", leaves_after=2)
    if stream == b"false":
        talk._left.set()

    pace = Pace(ttft=0 if stream == b"true" else 100, tps=0.01)

    async def ask() -> None:
        before = asyncio.all_tasks()
        await create_asgi_app(engine(pace=pace))(scope(), talk.receive, talk.send)
        assert asyncio.all_tasks() == before

    run(ask())
    assert len(talk.sent) <= 4


def test_an_asgi_client_that_leaves_before_its_body_is_read_gets_no_reply() -> None:
    talk = Talk(b"", 0)
    talk._messages = [{"type": "http.disconnect"}]
    run(create_asgi_app(engine())(scope(), talk.receive, talk.send))
    assert talk.sent == []


def test_a_stream_goes_out_event_by_event() -> None:
    talk = Talk(GOOD[:-1] + b',"stream":true,"max_tokens":3}', 0)
    run(create_asgi_app(engine())(scope(), talk.receive, talk.send))
    bodies = [message["body"] for message in talk.sent[1:]]
    assert [body.count(b"data: ") for body in bodies] == [1] * 6


def test_an_asgi_server_may_start_and_stop_the_application() -> None:
    talk = Talk(b"", 0)
    talk._messages = [{"type": "lifespan.shutdown"}, {"type": "lifespan.startup"}]
    run(create_asgi_app(engine())({"type": "lifespan"}, talk.receive, talk.send))
    assert [message["type"] for message in talk.sent] == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


def test_a_websocket_is_closed() -> None:
    talk = Talk(b"", 0)
    talk._messages = [{"type": "websocket.connect"}]
    run(create_asgi_app(engine())({"type": "websocket"}, talk.receive, talk.send))
    assert talk.sent == [{"type": "websocket.close"}]


def test_a_mock_server_has_a_url_and_stops_after_its_block() -> None:
    with MockServer() as mock:
        assert httpx.get(f"{mock.url}/__mock__/health").json()["status"] == "ok"
        reply = httpx.post(
            f"{mock.base_url('demo-open')}/chat/completions", json={"messages": [{"role": "system", "content": "x"}]}
        )
        assert reply.json()["created"] > NOW
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{mock.url}/__mock__/health")


def test_a_mock_server_stops_though_a_stream_is_open() -> None:
    """And no thread is left that waits for the next token, a hundred seconds away."""
    before = set(threading.enumerate())
    player = engine(pace=Pace(tps=0.01))
    with MockServer(player) as mock, httpx.Client() as client:
        url = f"{mock.base_url()}/chat/completions"
        with client.stream("POST", url, headers=JSON, content=GOOD[:-1] + b',"stream":true}') as reply:
            assert next(reply.iter_lines()).startswith("data: ")
            opened = set(threading.enumerate()) - before
    for thread in opened:
        thread.join(20)
    assert not [thread for thread in opened if thread.is_alive()]


def test_a_mock_server_reads_what_it_refuses_so_that_the_client_sees_why() -> None:
    """Also a client that reads nothing before it has sent everything."""
    body = b" " * (20 * 1024 * 1024)
    with MockServer() as mock:
        status, answer = exchange(mock.url, [HEAD + b"Content-Length: %d\r\n\r\n" % len(body), body])
    assert status == 413
    assert b"2097152" in answer


@pytest.mark.parametrize(
    ("body", "detail"),
    [
        (b"Content-Length: 10\r\n\r\nab", "body is incomplete"),
        (b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", "chunked encoding of the body is malformed"),
        (b"Transfer-Encoding: chunked\r\n\r\n5\r\nab", "chunked encoding of the body is malformed"),
        (b"Transfer-Encoding: chunked\r\n\r\n", "chunked encoding of the body is malformed"),
    ],
    ids=["length", "chunk size", "inside a chunk", "no chunk"],
)
def test_a_mock_server_answers_a_body_that_it_can_not_read(
    body: bytes, detail: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with MockServer() as mock:
        with connect(mock.url) as connection:
            connection.sendall(HEAD + body)
            connection.shutdown(socket.SHUT_WR)
            status, answer = read_reply(connection)
        assert (status, [entry["reply"]["status"] for entry in mock.engine.requests()]) == (400, [400])
    assert detail in json.loads(answer)["detail"]
    assert capfd.readouterr().err == ""


def test_a_mock_server_gives_up_a_body_that_stops_arriving(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("mockserver.adapters.threaded_server._TIMEOUT", 0.2)
    with MockServer() as mock:
        for kind in (b"Content-Length: 10\r\n\r\nab", b"Transfer-Encoding: chunked\r\n\r\n5\r\nab"):
            assert exchange(mock.url, [HEAD + kind])[0] == 408
        with connect(mock.url) as connection:
            connection.sendall(b"GET / HT")
            assert connection.recv(100) == b""


def test_a_mock_server_records_what_is_not_http(capfd: pytest.CaptureFixture[str]) -> None:
    with MockServer() as mock, connect(mock.url) as connection:
        connection.sendall(b"what is this?\r\n\r\n")
        assert b"400" in connection.recv(65536)
        assert [entry["reply"]["status"] for entry in mock.engine.requests()] == [400]
    assert capfd.readouterr().err == ""


def test_two_mock_servers_know_nothing_of_each_other() -> None:
    with MockServer() as one, MockServer() as other:
        url = "{}/chat/completions"
        body = {"messages": [{"role": "user", "content": "Hello!"}]}
        session = httpx.post(url.format(one.base_url()), json={**body, "create_session": True}).json()["session_id"]
        asked = {**body, "store_in_session": session}
        assert httpx.post(url.format(one.base_url()), json=asked).status_code == 200
        assert httpx.post(url.format(other.base_url()), json=asked).status_code == 404
