"""Faults that depend on earlier requests: quotas, a queue, tokens that expire; and windows of requests."""

from __future__ import annotations

import json
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from agent_contract.document.errors import ContractError
from agent_contract.messages import Reply
from mockserver.build import create_engine
from mockserver.stores import open_store
from tests.mockserver.support.chat_client import CONTRACT, NOW, UNKNOWN, ChatClient, engine, request, user
from tests.mockserver.support.scripting import TEST, with_faults

HELLO = {"messages": [user("Hello!")]}


def statuses(chat: ChatClient, count: int, **fields: Any) -> list[int]:
    return [chat.reply(**fields).status for _ in range(count)]


def limits(reply: Reply, what: str) -> list[str]:
    return [reply.headers[f"x-ratelimit-{part}-{what}"] for part in ("limit", "remaining", "reset")]


def test_a_quota_of_requests_begins_again_with_the_next_window() -> None:
    chat, clock = with_faults("quota:requests=2,window=60")
    first = chat.reply()
    assert (first.status, limits(first, "requests")) == (200, ["2", "1", "60s"])
    clock.now += 20
    assert statuses(chat, 1) == [200]
    refused = chat.reply()
    assert (refused.status, refused.headers["retry-after"]) == (429, "40")
    assert limits(refused, "requests") == ["2", "0", "40s"]
    clock.now += 40
    assert statuses(chat, 3) == [200, 200, 429]


@pytest.mark.parametrize("stream", [False, True])
def test_a_quota_of_tokens_counts_those_of_the_replies(stream: bool) -> None:
    chat, clock = with_faults("quota:tokens=30,window=60")
    first = chat.reply("one two three", stream=stream)
    left = int(limits(first, "tokens")[1])
    assert 0 <= left < 27
    assert "x-ratelimit-limit-requests" not in first.headers
    assert 429 in statuses(chat, 30, stream=stream)
    assert "30 tokens in 60 s" in json.loads(chat.reply().content())["detail"]
    clock.now += 60
    assert statuses(chat, 1) == [200]


def test_a_quota_counts_no_tokens_of_a_refused_request_and_none_of_another_agent() -> None:
    chat, _ = with_faults({"fault": "quota", "requests": 1, "agent": "demo"})
    assert chat.reply(temperature=3).status == 422
    assert [chat.reply(agent=one).status for one in ("demo-open", "demo", "demo", "demo-open")] == [200, 200, 429, 200]


def test_each_scope_has_a_quota_of_its_own() -> None:
    player = create_engine(CONTRACT)
    for scope in ("a", "b"):
        player.scripts.add(scope, {"faults": ["quota:requests=1"]}, TEST)
    assert [player.reply(request(HELLO, x_mock_scope=scope)).status for scope in ("a", "b", "a")] == [200, 200, 429]


def test_a_queue_delays_more_the_more_requests_wait_and_overflows() -> None:
    chat, clock = with_faults("queue:seconds=2,slots=2,length=2")
    replies = [chat.reply() for _ in range(5)]
    assert [one.delay for one in replies[:4]] == [2, 2, 4, 4]
    assert (replies[4].status, replies[4].headers["retry-after"]) == (503, "2")
    clock.now += 3
    assert chat.reply().delay == 3
    clock.now += 60
    assert chat.reply().delay == 2


def test_a_queue_without_length_refuses_what_it_cannot_answer_at_once() -> None:
    chat, _ = with_faults("queue:length=0")
    assert statuses(chat, 2) == [200, 503]


def test_a_token_expires_after_its_requests_and_a_new_one_is_accepted() -> None:
    player = engine()
    player.scripts.add("", {"faults": ["token-expired:requests=2"]}, TEST)
    tokens = ["Bearer old"] * 3 + ["Bearer new"]
    replies = [player.reply(request(HELLO, authorization=token)) for token in tokens]
    assert [one.status for one in replies] == [200, 200, 401, 200]
    assert 'error="invalid_token"' in replies[2].headers["www-authenticate"]


def test_a_token_expires_after_its_seconds() -> None:
    chat, clock = with_faults("token-expired:seconds=60")
    assert statuses(chat, 3) == [200, 200, 200]
    clock.now += 60
    assert statuses(chat, 1) == [401]


def test_a_quota_that_ended_by_its_ttl_refuses_nothing() -> None:
    chat, clock = with_faults("quota:requests=0,ttl=10")
    clock.now = NOW + 10
    assert statuses(chat, 1) == [200]


def test_processes_that_share_a_store_share_a_quota(tmp_path: Any) -> None:
    address = f"sqlite:///{tmp_path / 'state.db'}"
    players = [create_engine(CONTRACT, store=open_store(address)) for _ in range(2)]
    players[0].scripts.add("", {"faults": ["quota:requests=2"]}, TEST)
    assert [ChatClient(one).reply().status for one in (*players, *players)] == [200, 200, 429, 429]
    for player in players:
        player.close()


def test_a_session_that_is_ignored_is_neither_used_nor_extended() -> None:
    chat = ChatClient(engine())
    session = chat.answer("My name is Ada.", create_session=True)["session_id"]
    chat.engine.scripts.add("", {"faults": ["session-ignored"]}, TEST)
    answer = chat.answer("Hello!", store_in_session=session)
    assert "session_id" not in answer
    assert answer["usage"]["prompt_tokens"] == chat.answer("Hello!")["usage"]["prompt_tokens"]
    assert [one["faults"] for one in chat.engine.requests()[:2]] == [[], ["session-ignored"]]
    assert chat.reply(store_in_session=UNKNOWN).status == 200


def test_a_fault_happens_in_a_window_of_requests() -> None:
    chat, _ = with_faults("status-502:first=2,last=3")
    assert statuses(chat, 5) == [200, 502, 502, 200, 200]
    chat, _ = with_faults({"fault": 502, "first": 3})
    assert statuses(chat, 4) == [200, 200, 502, 502]


def test_a_window_counts_only_the_requests_that_the_fault_concerns() -> None:
    chat, _ = with_faults({"fault": 502, "first": 2, "agent": "demo"})
    assert [chat.reply(agent=one).status for one in ("demo-open", "demo", "demo-open", "demo")] == [200, 200, 200, 502]


def test_a_window_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(ContractError, match="the last request, 2, comes before the first, 3"):
        with_faults("status-502:first=3,last=2")


def test_a_cold_start_lasts_three_requests_or_as_long_as_its_ttl() -> None:
    assert statuses(with_faults("cold-start-502")[0], 5) == [502, 502, 502, 200, 200]
    chat, clock = with_faults("cold-start-502:ttl=30")
    assert statuses(chat, 5) == [502] * 5
    clock.now += 30
    assert statuses(chat, 1) == [200]


def test_retry_after_can_be_a_date() -> None:
    chat, _ = with_faults("status-503:retry_after_date=30")
    date = chat.reply().headers["retry-after"]
    assert date.endswith(" GMT")
    assert parsedate_to_datetime(date).timestamp() > NOW


def test_the_latency_of_a_normal_distribution_varies_with_each_request_and_repeats_with_the_seed() -> None:
    runs = []
    for seed in (1, 1, 2):
        chat, _ = with_faults("latency:seconds=10,deviation=2", seed=seed)
        runs.append([chat.reply().delay for _ in range(200)])
    assert runs[0] == runs[1] != runs[2]
    assert 9 < sum(runs[0]) / 200 < 11
    within = sum(8 < delay < 12 for delay in runs[0])
    assert 110 < within < 160  # 68 % are within one standard deviation


@pytest.mark.parametrize("fault", ["quota", "queue", "token-expired", "session-ignored"])
def test_a_fault_of_several_requests_cannot_be_that_of_one_answer(fault: str) -> None:
    with pytest.raises(ContractError, match="can't be the fault of one answer"):
        engine().scripts.add("", {"rules": [{"answer": {"fault": fault}}]}, TEST)


def test_the_deletion_of_an_agent_can_be_refused() -> None:
    chat, _ = with_faults("deletion-409")
    sent = request(None)
    path = "/api/v1/compatibility/openai/v1/agents/demo"
    assert chat.engine.reply(type(sent)("DELETE", path, (), {}, b"")).status == 409
    assert statuses(chat, 1) == [200]


def test_only_a_large_prompt_gets_an_empty_answer() -> None:
    chat, _ = with_faults("large-prompt-empty")
    assert chat.content("Hello!")
    assert chat.content("a word " * 11_000) == ""
