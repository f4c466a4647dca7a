"""Faults and rules in the proxy: one catalogue for mock, replay and proxy."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import httpx
import pytest

from agent_contract.document.errors import ContractError
from agent_contract.messages import Exchange, Reply
from mockserver.faults.catalogue import KINDS
from mockserver.proxy.run import ProxySettings, RecordMode, proxy_engine
from mockserver.recording.recording_folder import read_recordings, write_recording
from mockserver.recording.replay import Replay
from mockserver.recording.request_key import Ignored
from tests.mockserver.proxy.support.running_proxy import RunningProxy, running, wait_until
from tests.mockserver.proxy.support.scripted_upstream import LIMIT, Asked, ScriptedUpstream, scripted
from tests.mockserver.support.chat_client import engine, request, user

JSON = {"content-type": "application/json"}
HELLO: dict[str, Any] = {"messages": [user("Hello!")]}
PLAIN = engine().reply(request(HELLO))
EVENTS = [event.encode() for event in engine().reply(request({**HELLO, "stream": True})).body]  # type: ignore[union-attr]


def answer(asked: Asked) -> None:
    """Answer as a deployment does: with a stream if the request asks for one."""
    if b'"stream": true' in asked.body or b'"stream":true' in asked.body:
        asked.stream()
        asked.chunk(*EVENTS, b"")
    else:
        asked.reply(Reply(200, JSON, PLAIN.content()))


@contextmanager
def proxied(folder: Path, *faults: str, **settings: Any) -> Iterator[tuple[RunningProxy, ScriptedUpstream]]:
    with scripted(answer) as upstream, running(upstream.url, folder, faults=faults, **settings) as proxy:
        yield proxy, upstream


def post(proxy: RunningProxy, fault: str = "", **fields: Any) -> httpx.Response:
    headers = {"x-mock-fault": fault} if fault else {}
    return httpx.post(proxy.chat, json={**HELLO, **fields}, headers=headers, timeout=LIMIT, trust_env=False)


def set_faults(proxy: RunningProxy, *faults: Any) -> httpx.Response:
    return httpx.post(f"{proxy.url}/__mock__/faults", json={"faults": list(faults)}, timeout=LIMIT)


def cut_stream(proxy: RunningProxy, fault: str = "") -> bytes:
    """Return what came of a stream whose connection ends too soon."""
    got: list[bytes] = []
    headers = {"x-mock-fault": fault} if fault else {}
    body = {**HELLO, "stream": True}
    with pytest.raises(httpx.TransportError), httpx.stream("POST", proxy.chat, json=body, headers=headers) as reply:
        got.extend(reply.iter_raw())
    return b"".join(got)


def test_a_fault_of_the_command_line_answers_instead_of_the_upstream(tmp_path: Path) -> None:
    with proxied(tmp_path, "status-429:times=2,retry_after=7") as (proxy, upstream):
        replies = [post(proxy) for _ in range(3)]
        assert [reply.status_code for reply in replies] == [429, 429, 200]
        assert replies[0].headers["retry-after"] == "7"
        assert len(upstream.asked) == 1
        assert [entry["faults"] for entry in proxy.journal()] == [[], ["status-429"], ["status-429"]]


def test_a_fault_of_the_header_is_for_one_request_and_the_header_is_not_forwarded(tmp_path: Path) -> None:
    with proxied(tmp_path) as (proxy, upstream):
        assert post(proxy, "null-content").json()["choices"][0]["message"]["content"] is None
        assert post(proxy).content == PLAIN.content()
        assert all("x-mock-fault" not in asked.headers for asked in upstream.asked)


def test_a_fault_of_the_control_interface_is_for_its_scope(tmp_path: Path) -> None:
    with proxied(tmp_path) as (proxy, _):
        assert set_faults(proxy, {"fault": "502", "times": 1}).status_code == 200
        assert [post(proxy).status_code for _ in range(2)] == [502, 200]


def test_a_stream_is_cut_after_the_events_that_the_fault_names(tmp_path: Path) -> None:
    with proxied(tmp_path, "cut:after=2,times=1") as (proxy, _):
        assert cut_stream(proxy) == b"".join(EVENTS[:2])
        assert post(proxy, stream=True).content == b"".join(EVENTS)


def test_a_stream_passes_at_once_when_its_fault_is_used_up(tmp_path: Path) -> None:
    read = threading.Event()

    def slow(asked: Asked) -> None:
        asked.stream()
        asked.chunk(EVENTS[0])
        if len(upstream.asked) > 1:
            assert read.wait(LIMIT)
        asked.chunk(*EVENTS[1:], b"")

    with scripted(slow) as upstream, running(upstream.url, tmp_path, faults=("no-done:times=1",)) as proxy:
        assert b"[DONE]" not in post(proxy, stream=True).content
        with httpx.stream("POST", proxy.chat, json={**HELLO, "stream": True}) as reply:
            pieces = reply.iter_raw()
            assert next(pieces) == EVENTS[0]
            read.set()
            assert b"".join(pieces) == b"".join(EVENTS[1:])


def test_a_connection_that_a_fault_resets_has_no_reply(tmp_path: Path) -> None:
    with proxied(tmp_path) as (proxy, _):
        with pytest.raises(httpx.TransportError):
            post(proxy, "reset-before-headers")
        assert post(proxy).status_code == 200


def test_a_session_that_a_fault_ignores_is_not_sent_to_the_upstream(tmp_path: Path) -> None:
    session = "00000000-0000-4000-8000-000000000001"
    with proxied(tmp_path) as (proxy, upstream):
        post(proxy, "session-ignored", store_in_session=session)
        assert "store_in_session" not in json.loads(upstream.asked[0].body)


def test_a_quota_counts_requests_and_its_headers_are_in_the_replies(tmp_path: Path) -> None:
    with proxied(tmp_path, "quota:requests=1,window=1000") as (proxy, upstream):
        first, second = post(proxy), post(proxy)
        assert (first.status_code, first.headers["x-ratelimit-remaining-requests"]) == (200, "0")
        assert first.content == PLAIN.content()
        assert (second.status_code, len(upstream.asked)) == (429, 1)


def test_an_exchange_with_a_fault_is_not_recorded(tmp_path: Path) -> None:
    with proxied(tmp_path, "null-content:times=1") as (proxy, _):
        post(proxy)
        post(proxy)
        assert len(proxy.recordings(1)) == 1
        wait_until(lambda: len(proxy.journal()) == 2)
    assert [path.name for path in tmp_path.glob("*.json")] == ["0002-createAssistantChatCompletion.json"]


@pytest.mark.parametrize("name", KINDS)
def test_every_fault_of_the_catalogue_can_be_set(tmp_path: Path, name: str) -> None:
    assert proxy_engine(faults=(name,)).scripts.base.faults[0].name == name


@pytest.mark.parametrize("fault", ["nothing", "cut:after=x", "cut:other=1"])
def test_a_wrong_header_is_explained(tmp_path: Path, fault: str) -> None:
    with proxied(tmp_path) as (proxy, upstream):
        reply = post(proxy, fault)
        assert (reply.status_code, "X-Mock-Fault" in reply.json()["detail"]) == (400, True)
        assert upstream.asked == []


# Rules


def set_rules(proxy: RunningProxy, *rules: Any) -> httpx.Response:
    return httpx.post(f"{proxy.url}/__mock__/rules", json={"rules": list(rules)}, timeout=LIMIT)


def test_a_rule_decides_which_requests_have_a_fault(tmp_path: Path) -> None:
    with proxied(tmp_path) as (proxy, _):
        for wanted, fault in (("busy", "503"), ("empty", "null-content")):
            rule = {"name": wanted, "when": {"user_contains": wanted}, "answer": {"fault": fault}}
            assert set_rules(proxy, rule).status_code == 200
        assert post(proxy, messages=[user("Are you busy?")]).status_code == 503
        assert post(proxy, messages=[user("empty")]).json()["choices"][0]["message"]["content"] is None
        assert post(proxy).content == PLAIN.content()
        assert [entry["rule"] for entry in proxy.journal()] == [None, "empty", "busy"]


def test_a_rule_answers_with_a_raw_reply(tmp_path: Path) -> None:
    with proxied(tmp_path) as (proxy, upstream):
        raw = {"status": 418, "headers": {"x-mine": "1"}, "body": "tea"}
        set_rules(proxy, {"answer": {"raw": raw}, "off_contract": True, "times": 1})
        reply = post(proxy)
        assert (reply.status_code, reply.headers["x-mine"], reply.text) == (418, "1", "tea")
        assert upstream.asked == []


def test_a_rule_whose_answer_must_be_computed_is_refused(tmp_path: Path) -> None:
    with proxied(tmp_path) as (proxy, _):
        reply = set_rules(proxy, {"name": "greeting", "answer": "Hello!"})
        assert reply.status_code == 400
        assert "greeting has an answer that must be computed: a proxy computes no answers" in reply.json()["detail"]
        assert "let the answer have only raw, fault, delay or delays" in reply.json()["detail"]


@pytest.mark.parametrize(
    ("rules", "problem"),
    [
        ("rules: [{when: {stream: true}, answer: {fault: 503}}]", ""),
        ("rules: [{answer: Hello!}]", "an answer that must be computed"),
        ("rules: [{answer: {finish_reason: length}}]", "an answer that must be computed"),
        ("strict: true", "use --record-mode none"),
    ],
)
def test_a_scenario_file_may_have_what_works_in_a_proxy(tmp_path: Path, rules: str, problem: str) -> None:
    file = tmp_path / "rules.yaml"
    file.write_text(rules, encoding="utf-8")
    with pytest.raises(ContractError, match=problem) if problem else nullcontext():
        assert len(proxy_engine(scenario=file).scripts.base.rules) == 1


# Replay in the proxy


@contextmanager
def replaying(folder: Path, mode: RecordMode) -> Iterator[tuple[RunningProxy, ScriptedUpstream]]:
    write_recording(folder, 1, Exchange(request(HELLO), PLAIN, "chat"))
    replay = Replay(read_recordings(folder), Ignored(), engine().redaction, strict=True)
    with proxied(folder, settings=ProxySettings(folder=folder, mode=mode, replay=replay)) as pair:
        yield pair


def test_a_replayed_answer_has_the_faults_too(tmp_path: Path) -> None:
    with replaying(tmp_path, RecordMode.NEW_EPISODES) as (proxy, upstream):
        assert post(proxy, "status-503").status_code == 503
        with pytest.raises(httpx.TransportError):
            post(proxy, "reset-before-headers")
        assert post(proxy, "nothing").status_code == 400
        assert upstream.asked == []


def test_what_a_replay_can_not_do_is_refused_at_the_start() -> None:
    with pytest.raises(ContractError, match="session-ignored does not work in a replay"):
        proxy_engine(faults=("session-ignored",), replays=True)
