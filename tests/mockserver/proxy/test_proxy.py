"""The proxy between a client and a deployment: what passes, what is checked, and what is refused."""

from __future__ import annotations

import gzip
import json
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent_contract.messages import Reply
from mockserver.adapters.threaded_server import MockServer
from mockserver.cli.proxy import proxy as proxy_command
from mockserver.proxy.upstream import Upstream, UpstreamUrlError
from tests.mockserver.proxy.support.running_proxy import RunningProxy, running, wait_until
from tests.mockserver.proxy.support.scripted_upstream import LIMIT, Asked, ScriptedUpstream, scripted
from tests.mockserver.support.chat_client import engine, request
from tests.mockserver.support.raw import connect, read_reply

JSON = {"content-type": "application/json"}
HELLO = {"messages": [{"role": "user", "content": "Hello!"}]}
GOOD = engine().reply(request(HELLO))
EVENTS = [event.encode() for event in engine().reply(request({**HELLO, "stream": True})).body]  # type: ignore[union-attr]
BAD = json.loads(GOOD.content()) | {"choices": "none"}
BAD_EVENT = b'data: {"id": 1}\n\n'
OK = Reply(200, JSON, GOOD.content())


def always(reply: Reply) -> Callable[[Asked], None]:
    return lambda asked: asked.reply(reply)


def streams(*events: bytes) -> Callable[[Asked], None]:
    def answer(asked: Asked) -> None:
        asked.stream()
        asked.chunk(*events, b"")

    return answer


@contextmanager
def proxied(
    answer: Callable[[Asked], None], folder: Path, **settings: Any
) -> Iterator[tuple[RunningProxy, ScriptedUpstream]]:
    with scripted(answer) as upstream, running(upstream.url, folder, **settings) as proxy:
        yield proxy, upstream


def post(proxy: RunningProxy, body: Any = HELLO, **headers: str) -> httpx.Response:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return httpx.post(proxy.chat, json=body, headers=named, timeout=LIMIT, trust_env=False)


def test_the_answer_of_the_deployment_is_that_of_the_proxy(tmp_path: Path) -> None:
    with MockServer(engine()) as mock, running(mock.url, tmp_path) as proxy:
        assert httpx.get(f"{proxy.url}/api/v1/agents").content == httpx.get(f"{mock.url}/api/v1/agents").content
        assert post(proxy).json()["object"] == "chat.completion"


def test_a_stream_passes_before_it_is_whole(tmp_path: Path) -> None:
    read = threading.Event()

    def answer(asked: Asked) -> None:
        asked.stream()
        asked.chunk(EVENTS[0])
        assert read.wait(LIMIT)
        asked.chunk(*EVENTS[1:], b"")

    with proxied(answer, tmp_path) as (proxy, _), httpx.stream("POST", proxy.chat, json=HELLO) as stream:
        pieces = stream.iter_raw()
        assert next(pieces) == EVENTS[0]
        read.set()
        assert b"".join(pieces) == b"".join(EVENTS[1:])


def test_the_callers_key_passes_and_control_headers_do_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login someone password else", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with proxied(always(OK), tmp_path / "r") as (proxy, upstream):
        post(proxy, authorization="Bearer caller-key-1", X_Mock_Scope="a", X_Contract_Enforce="none", X_Mine="1")
        post(proxy, Connection="X-Hop", X_Hop="1", TE="trailers", Proxy_Authorization="Basic eDp5")
        first, second = (asked.headers for asked in upstream.asked)
    assert (first["authorization"], first["x-mine"]) == ("Bearer caller-key-1", "1")
    assert first["host"] == upstream.url.removeprefix("http://")
    assert "authorization" not in second
    assert not {"x-mock-scope", "x-contract-enforce"} & first.keys()
    assert not {"x-hop", "te", "proxy-authorization", "connection"} & second.keys()


def test_a_cookie_of_one_caller_is_not_sent_for_another(tmp_path: Path) -> None:
    with proxied(always(Reply(200, {**JSON, "set-cookie": "sid=1"}, b"{}")), tmp_path) as (proxy, upstream):
        assert post(proxy).cookies["sid"] == "1"
        post(proxy)
        assert "cookie" not in upstream.asked[1].headers


def test_a_redirect_is_passed_on_and_not_followed(tmp_path: Path) -> None:
    moved = Reply(307, {"location": "http://127.0.0.1:9/elsewhere"}, b"")
    with proxied(always(moved), tmp_path) as (proxy, upstream):
        reply = post(proxy)
        assert (reply.status_code, reply.headers["location"]) == (307, "http://127.0.0.1:9/elsewhere")
        assert len(upstream.asked) == 1


@pytest.mark.parametrize(
    "target", ["http://127.0.0.1:9/x", "//127.0.0.1:9/x", "/x?url=http://127.0.0.1:9", "/%2e%2e/x"]
)
def test_every_target_leads_to_the_fixed_upstream(tmp_path: Path, target: str) -> None:
    with proxied(always(OK), tmp_path) as (proxy, upstream), connect(proxy.url) as client:
        client.sendall(f"GET {target} HTTP/1.1\r\nHost: 127.0.0.1:9\r\nX-Forwarded-Host: 127.0.0.1:9\r\n\r\n".encode())
        assert read_reply(client)[0] == 200
    assert upstream.asked[0].headers["host"] == upstream.url.removeprefix("http://")
    assert upstream.asked[0].line.split()[1] == target.removeprefix("http://127.0.0.1:9")


def test_a_tunnel_is_refused(tmp_path: Path) -> None:
    with proxied(always(OK), tmp_path) as (proxy, upstream), connect(proxy.url) as client:
        client.sendall(b"CONNECT 127.0.0.1:9 HTTP/1.1\r\nHost: 127.0.0.1:9\r\n\r\n")
        assert read_reply(client)[0] == 400
    assert upstream.asked == []


def test_a_path_in_the_upstreams_url_is_put_before_that_of_the_request(tmp_path: Path) -> None:
    with scripted(always(OK)) as upstream, running(f"{upstream.url}/base/", tmp_path) as proxy:
        httpx.get(f"{proxy.url}/a%2Fb?c=%20d")
        assert upstream.asked[0].line == "GET /base/a%2Fb?c=%20d HTTP/1.1"


@pytest.mark.parametrize(
    "url", ["ftp://x", "http://", "x.example", "http://u:p@x", "http://x?a=b", "http://x:y", "http://[x", "http://ä"]
)
def test_a_wrong_upstream_is_refused_with_an_example(url: str) -> None:
    with pytest.raises(UpstreamUrlError, match=r"Expected a URL such as https://agents\.example\.com"):
        Upstream(url)


def test_a_compressed_reply_passes_as_it_is_and_is_checked(tmp_path: Path) -> None:
    body = gzip.compress(json.dumps(BAD).encode())
    with proxied(always(Reply(200, {**JSON, "content-encoding": "gzip"}, body)), tmp_path) as (proxy, upstream):
        with httpx.stream("POST", proxy.chat, json=HELLO, headers={"accept-encoding": "br, gzip;q=0.9"}) as reply:
            assert b"".join(reply.iter_raw()) == body
        assert upstream.asked[0].headers["accept-encoding"] == "gzip;q=0.9"
        assert reply.headers["x-contract-violations"] == "reply/body/choices type"


@pytest.mark.parametrize(("status", "length"), [(204, "0"), (304, "5")])
def test_a_reply_without_a_body_passes(tmp_path: Path, status: int, length: str) -> None:
    def answer(asked: Asked) -> None:
        asked.send(f"HTTP/1.1 {status} X\r\nContent-Length: {length}\r\nX-Mine: 1\r\n\r\n".encode())

    with proxied(answer, tmp_path) as (proxy, _):
        assert (reply := post(proxy)).status_code == status
        assert reply.headers["x-mine"] == "1"


def test_head_passes(tmp_path: Path) -> None:
    with proxied(lambda asked: asked.send(b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\n"), tmp_path) as (proxy, _):
        assert httpx.head(proxy.chat).headers["content-length"] == "7"


# What breaks the contract


def test_a_request_that_breaks_the_contract_is_reported_and_passes(tmp_path: Path) -> None:
    with proxied(always(OK), tmp_path) as (proxy, _):
        reply = post(proxy, {**HELLO, "temperature": 3})
        assert reply.content == GOOD.content()
        assert reply.headers["x-contract-violations"] == "request/body/temperature maximum"
        entry = proxy.journal()[0]
    assert entry["clauses"] == ["chat.temperature-above-maximum"]
    assert [one["place"] for one in entry["violations"]] == ["request/body/temperature"]
    assert entry["hints"] == [
        "request/body/temperature maximum: expected 2, got 3 (chat.temperature-above-maximum)",
    ]


def test_a_reply_that_breaks_the_contract_is_reported_and_passes(tmp_path: Path) -> None:
    with proxied(always(Reply(200, JSON, json.dumps(BAD).encode())), tmp_path) as (proxy, _):
        reply = post(proxy)
        assert reply.json() == BAD
        assert reply.headers["x-contract-violations"] == "reply/body/choices type"
        assert [one["place"] for one in proxy.journal()[0]["violations"]] == ["reply/body/choices"]


def test_an_undocumented_status_is_in_the_header(tmp_path: Path) -> None:
    with proxied(always(Reply(418, JSON, b"{}")), tmp_path) as (proxy, _):
        assert post(proxy).headers["x-contract-violations"] == "reply/status responses"


def test_an_event_that_breaks_the_contract_is_in_the_journal(tmp_path: Path) -> None:
    with proxied(streams(EVENTS[0], BAD_EVENT, *EVENTS[1:]), tmp_path) as (proxy, _):
        assert "x-contract-violations" not in post(proxy).headers
        places = {one["place"].split("/data")[0] for one in proxy.journal()[0]["violations"]}
    assert places == {"reply/body/1"}


def test_a_correct_exchange_has_no_violations(tmp_path: Path) -> None:
    with proxied(streams(*EVENTS), tmp_path) as (proxy, _):
        assert "x-contract-violations" not in post(proxy, X_Mock_Scope="mine").headers
        entry = proxy.proxy.engine.requests("mine")[0]
        assert (entry["violations"], entry["hints"]) == ([], [])


def test_a_refused_request_does_not_reach_the_upstream(tmp_path: Path) -> None:
    with proxied(always(OK), tmp_path, enforce="requests") as (proxy, upstream):
        reply = post(proxy, {**HELLO, "temperature": 3})
        assert (reply.status_code, reply.json()["detail"][0]["loc"]) == (422, ["body", "temperature"])
        assert reply.headers["x-contract-violations"] == "request/body/temperature maximum"
        assert upstream.asked == []
        assert post(proxy).status_code == 200


def test_a_refused_reply_is_answered_with_502(tmp_path: Path) -> None:
    with proxied(always(Reply(200, JSON, json.dumps(BAD).encode())), tmp_path, enforce="replies") as (proxy, _):
        reply = post(proxy)
        assert reply.status_code == 502
        assert "reply/body/choices" in reply.headers["x-contract-violations"]
        assert "body/choices type" in reply.json()["detail"]


def test_a_refused_stream_ends_before_the_event_that_breaks_the_contract(tmp_path: Path) -> None:
    got: list[bytes] = []
    with proxied(streams(EVENTS[0], BAD_EVENT, *EVENTS[1:]), tmp_path, enforce="both") as (proxy, _):
        with pytest.raises(httpx.RemoteProtocolError), httpx.stream("POST", proxy.chat, json=HELLO) as reply:
            got.extend(reply.iter_raw())
        wait_until(proxy.journal)
        assert "before an event that breaks the contract" in proxy.journal()[0]["hints"][0]
    assert b"".join(got) == EVENTS[0]


def test_an_enforced_stream_passes_whole_events(tmp_path: Path) -> None:
    whole = b"".join(EVENTS)
    parts = [whole[start : start + 7] for start in range(0, len(whole), 7)]
    with proxied(streams(*parts), tmp_path, enforce="replies") as (proxy, _):
        assert post(proxy).content == whole


@pytest.mark.parametrize("setting", ["none", "requests", "replies", "both"])
@pytest.mark.parametrize(
    ("header", "request_status", "reply_status"),
    [("none", 200, 200), ("requests", 422, 200), ("replies", 502, 502), ("both", 422, 502)],
)
def test_a_header_decides_what_is_enforced_for_its_request(
    tmp_path: Path, setting: str, header: str, request_status: int, reply_status: int
) -> None:
    wrong = Reply(200, JSON, json.dumps(BAD).encode())
    with proxied(always(wrong), tmp_path, enforce=setting) as (proxy, _):
        assert post(proxy, {**HELLO, "temperature": 3}, X_Contract_Enforce=header).status_code == request_status
        assert post(proxy, X_Contract_Enforce=header).status_code == reply_status
        assert post(proxy, X_Contract_Enforce="some").status_code == 400


# Failures of the upstream and of the client


def test_an_upstream_that_does_not_run_is_answered_with_502(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    with running(f"http://127.0.0.1:{port}", tmp_path) as proxy:
        reply = post(proxy)
        assert reply.status_code == 502
        assert f"No connection to http://127.0.0.1:{port}" in reply.json()["detail"]
        assert proxy.journal()[0]["reply"]["status"] == 502


def test_an_upstream_that_breaks_off_breaks_the_reply_off(tmp_path: Path) -> None:
    def answer(asked: Asked) -> None:
        asked.stream()
        asked.chunk(EVENTS[0])
        asked.connection.shutdown(socket.SHUT_RDWR)

    with proxied(answer, tmp_path) as (proxy, _):
        with pytest.raises(httpx.RemoteProtocolError):
            post(proxy)
        wait_until(lambda: proxy.said)
        assert "is not recorded: The upstream broke off" in proxy.said[0]
        assert list(tmp_path.iterdir()) == []


def test_a_silent_upstream_is_cut_after_the_timeout_and_not_before(tmp_path: Path) -> None:
    released = threading.Event()

    def answer(asked: Asked) -> None:
        assert released.wait(LIMIT)
        asked.reply(OK)

    with scripted(answer) as upstream, running(upstream.url, tmp_path / "a") as patient:
        patient_reply: list[int] = []
        waiting = threading.Thread(target=lambda: patient_reply.append(post(patient).status_code))
        waiting.start()
        wait_until(lambda: upstream.asked)
        with running(upstream.url, tmp_path / "b", timeout=0.2) as hasty:
            reply = post(hasty)
        assert reply.status_code == 504
        assert reply.json()["detail"] == "The upstream sent nothing for 0.2 s. Set --timeout to wait longer."
        released.set()
        waiting.join(LIMIT)
    assert patient_reply == [200]


@pytest.mark.parametrize("is_stream", [False, True])
def test_no_limit_of_the_connection_cuts_a_client_that_waits_for_a_silent_model(
    tmp_path: Path, is_stream: bool
) -> None:
    released = threading.Event()

    def answer(asked: Asked) -> None:
        if is_stream:
            asked.stream()
            asked.chunk(EVENTS[0])
        assert released.wait(LIMIT)
        if is_stream:
            asked.chunk(*EVENTS[1:], b"")
        else:
            asked.reply(OK)

    with proxied(answer, tmp_path) as (proxy, upstream), ThreadPoolExecutor() as threads:
        waiting = threads.submit(post, proxy)
        wait_until(lambda: upstream.asked)
        with connect(proxy.url) as idle:
            wait_until(lambda: proxy.connections() == 2)
            proxy.pass_time(seconds=590)
            assert idle.recv(1) == b""
        released.set()
        assert waiting.result(LIMIT).content == (b"".join(EVENTS) if is_stream else OK.content())


def test_the_default_patience_is_ten_minutes() -> None:
    (patience,) = [one.default for one in proxy_command.params if one.name == "timeout"]
    assert patience == 600


def test_a_client_that_leaves_ends_the_request_to_the_upstream(tmp_path: Path) -> None:
    left = threading.Event()

    def answer(asked: Asked) -> None:
        if asked.is_left():
            left.set()

    with proxied(answer, tmp_path) as (proxy, _):
        with pytest.raises(httpx.ReadTimeout):
            httpx.post(proxy.chat, json=HELLO, timeout=0.1)
        assert left.wait(LIMIT)
        wait_until(proxy.journal)
        assert proxy.journal()[0]["reply"]["status"] == 499


def test_a_body_that_is_too_large_is_refused(tmp_path: Path) -> None:
    with proxied(always(OK), tmp_path, most_body=1000) as (proxy, upstream):
        assert post(proxy, {"messages": ["x" * 1000]}).status_code == 413
        assert upstream.asked == []


def test_the_control_interface_is_the_proxys_own(tmp_path: Path) -> None:
    with proxied(always(OK), tmp_path) as (proxy, upstream):
        post(proxy)
        assert httpx.get(f"{proxy.url}/__mock__/requests").json()["requests"][0]["reply"]["status"] == 200
        assert len(upstream.asked) == 1
