"""Requests are sent once, within a budget, and patiently; the curl that is shown sends the same bytes."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from threading import Event

import pytest

from agent_contract.base_url import Target
from contract_tests.deployment.budget import Budget
from contract_tests.deployment.client import LONGEST_WAIT, DeploymentClient, RunEnded
from contract_tests.verdict import NotPassed
from contract_tests.wire.exchange import TOKEN_VARIABLE, Exchange
from tests.contract_tests.support.servers import Answer, serving

PATH = "/agents/{agent_id}/chat"
JSON = {"content-type": "application/json"}


class Server:
    """The answers of a server, and the requests that it got."""

    def __init__(self) -> None:
        self.bodies: list[bytes] = []
        self.answers: list[Answer] = []
        self.url = ""
        self.before: Callable[[], object] = lambda: None
        self.clients: list[DeploymentClient] = []

    def answer(self, path: str, body: bytes) -> Answer:
        self.bodies.append(body)
        self.before()
        return self.answers.pop(0) if self.answers else (200, JSON, b'{"path": "%s"}' % path.encode())

    def client(self, most: int = 9, token: str = "") -> DeploymentClient:
        client = DeploymentClient(Target(self.url, (("agent_id", "a"),)), PATH, token, Budget(most), 5.0)
        self.clients.append(client)
        return client


@pytest.fixture
def server() -> Iterator[Server]:
    found = Server()
    with serving(found.answer) as url:
        found.url = url
        yield found
        for client in found.clients:
            client.close()


def test_the_same_request_is_sent_once(server: Server) -> None:
    client = server.client()
    assert client.chat({"n": 1}) is client.chat({"n": 1})
    assert client.chat({"n": 1}) is not client.chat({"n": 1}, again=1)
    assert client.chat({"n": 1}, parameters={"agent_id": "b"}).json() == {"path": "/agents/b/chat"}
    assert server.bodies == [b'{"n": 1}'] * 3
    assert client.budget.sent == 3


def test_no_request_is_sent_beyond_the_budget(server: Server) -> None:
    client = server.client(most=1)
    client.chat({"n": 1})
    with pytest.raises(NotPassed, match="all 1 requests were used"):
        client.chat({"n": 2})
    assert len(server.bodies) == 1


@pytest.mark.parametrize("after", ["2", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_server_that_asks_to_wait_is_asked_again(server: Server, after: str) -> None:
    """A date that has passed asks for no pause."""
    waits: list[float] = []
    client = server.client()
    client.budget.limiter.wait = waits.append
    server.answers = [(429, {"retry-after": after}, b""), (503, {"retry-after": after}, b"")]
    assert client.chat({}).status == 200
    assert waits == [2.0 if after == "2" else 0.0] * 2
    assert client.budget.sent == 3


def test_a_server_that_keeps_asking_to_wait_is_not_judged_by_it(server: Server) -> None:
    client = server.client()
    client.budget.limiter.wait = lambda seconds: None
    server.answers = [(429, {"retry-after": "1"}, b"")] * 3
    with pytest.raises(NotPassed, match="429 and asks to wait"):
        client.chat({})


def test_a_connection_that_is_closed_is_told_apart_from_a_server_that_is_gone(server: Server) -> None:
    client = server.client()
    server.answers = [None, None]
    exchange = client.chat({"n": 1})
    assert exchange.status == 0
    assert exchange.described().startswith("no reply: ")
    client.alive = lambda: "it no longer answers"
    server.answers = [None, None]
    with pytest.raises(RunEnded, match="no longer answers"):
        client.chat({"n": 2})


def test_a_connection_that_is_lost_once_is_asked_again(server: Server) -> None:
    client = server.client()
    server.answers = [None]
    assert client.chat({"n": 1}).status == 200
    assert server.bodies == [b'{"n": 1}'] * 2
    assert client.budget.sent == 2


def test_a_reply_that_does_not_come_is_waited_for_once(server: Server) -> None:
    """A second wait would take as long again."""
    client = server.client()
    client.timeout = 0.05
    ended = Event()
    server.before = lambda: ended.wait(20)
    try:
        exchange = client.chat({"n": 1})
    finally:
        ended.set()
    assert (exchange.status, exchange.failure) == (0, "not finished within 0.05 s")
    assert client.budget.sent == 1


def test_a_token_that_becomes_invalid_ends_the_run(server: Server) -> None:
    client = server.client(token="secret")
    client.alive = lambda: "the token is no longer taken"
    server.answers = [(401, {}, b""), (401, {}, b"")]
    assert client.chat({}, headers={"authorization": None}).status == 401
    with pytest.raises(RunEnded, match="no longer taken"):
        client.chat({})


def test_the_token_stands_nowhere_in_what_is_kept(server: Server) -> None:
    client = server.client(token="secret")
    server.answers = [(200, {"x": "secret"}, b'{"token": "secret"}')]
    exchange = client.chat({})
    assert exchange.request.headers["authorization"] == f"Bearer ${TOKEN_VARIABLE}"
    assert "secret" not in exchange.curl()


@pytest.mark.parametrize(
    "body",
    [
        b'{"content": "it\'s \\"quoted\\" $HOME `ls` \\\\ %d"}',
        '{"content": "Grüße 👋"}'.encode(),
        b"\xff\x00\r\n\t'%\\end",
        b"[" * 10_000,
        b" " * 5000,
        b"@file",
        b"",
    ],
)
def test_curl_sends_the_same_bytes(server: Server, body: bytes) -> None:
    exchange: Exchange = server.client().chat(body, headers={"content-type": "application/json"})
    subprocess.run(["bash", "-c", exchange.curl()], check=True, capture_output=True)
    assert server.bodies == [body, body]


def test_curl_takes_the_token_from_its_variable(server: Server) -> None:
    exchange = server.client(token="secret").chat({"n": 1})
    assert f'"authorization: Bearer ${TOKEN_VARIABLE}"' in exchange.curl()
    assert "secret" not in exchange.curl()


@pytest.mark.parametrize(
    "after",
    [
        *("", "soon", "-1", "1.5", "١", "9" * 400, "Mon, 99 Abc 99999 99:99:99 GMT", "Thu, 01 Jan 1970 00:00:00 -9999"),
        *("Fri, 31 Dec 9999 23:59:59 GMT", "Thu, 01 Jan 1970 00:00:00", "Mon, 01 Jan 0001 00:00:00 +2359"),
    ],
)
def test_an_absurd_time_to_wait_is_bounded(server: Server, after: str) -> None:
    pauses: list[float] = []
    client = server.client()
    client.budget.limiter.wait = pauses.append
    server.answers = [(503, {"retry-after": after}, b"")]
    client.chat({"messages": []})
    assert all(0 <= pause <= LONGEST_WAIT for pause in pauses)


@pytest.mark.parametrize("body", [b'{"a": NaN}', b"[Infinity]", b"[-Infinity]", b"[" * 100_000, b'"\xff"', b""])
def test_json_that_other_languages_cannot_read_is_refused(server: Server, body: bytes) -> None:
    server.answers = [(200, JSON, body)]
    assert server.client().chat({"messages": []}).json() is None
