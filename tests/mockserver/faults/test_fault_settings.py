"""Faults: how they are set, how often they happen, for whom and for how long."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_contract.document.checked_file import Source
from agent_contract.document.errors import ContractError
from agent_contract.messages import Request
from mockserver.build import create_engine, load_engine
from mockserver.config import Config
from mockserver.faults.catalogue import KINDS
from mockserver.faults.fault import read_fault
from tests.mockserver.support.chat_client import CONTRACT, NOW, OPERATION, UNKNOWN, ChatClient, engine, request, user
from tests.mockserver.support.scripting import with_faults

HELLO = {"messages": [user("Hello!")]}


def statuses(chat: ChatClient, count: int, **fields: Any) -> list[int]:
    return [chat.reply(**fields).status for _ in range(count)]


def test_a_fault_happens_as_often_as_it_is_set() -> None:
    chat, _ = with_faults("status-502:times=2")
    assert statuses(chat, 3) == [502, 502, 200]


def test_faults_follow_each_other() -> None:
    chat, _ = with_faults("429:times=1", "503:times=1")
    assert statuses(chat, 3) == [429, 503, 200]


def test_a_fault_ends_after_its_ttl() -> None:
    chat, clock = with_faults("status-502:ttl=10")
    assert statuses(chat, 1) == [502]
    clock.now = NOW + 10
    assert statuses(chat, 1) == [200]


@pytest.mark.parametrize("agent", ["demo", "a61e2f90-3c5b-4d17-8e4a-1f0b7c92d501"])
def test_a_fault_can_be_for_one_agent(agent: str) -> None:
    chat, _ = with_faults({"fault": 502, "agent": agent})
    assert [chat.reply(agent=one).status for one in ("demo", "demo-open")] == [502, 200]


def test_a_fault_can_be_for_one_operation() -> None:
    chat, _ = with_faults({"fault": 502, "operation": "listModels"})
    assert statuses(chat, 1) == [200]
    assert chat.engine.reply(Request("GET", "/api/v1/compatibility/openai/v1/models")).status == 502


def test_a_probability_is_drawn_from_the_seed() -> None:
    runs = [statuses(with_faults("status-502:probability=0.5", seed=seed)[0], 40) for seed in (1, 1, 2)]
    assert runs[0] == runs[1] != runs[2]
    assert 8 < runs[0].count(502) < 32


def test_a_fault_hides_no_refusal() -> None:
    chat, _ = with_faults("status-502:times=1")
    assert chat.reply(temperature=3).status == 422
    assert statuses(chat, 2) == [502, 200]


def test_nothing_is_stored_if_a_fault_replaces_the_answer() -> None:
    chat, _ = with_faults("status-502:times=1")
    chat.reply(create_session=True)
    found = json.loads(chat.engine.reply(Request("GET", "/__mock__/sessions")).content())
    assert found["sessions"] == []


def test_a_stream_ends_with_an_error_event_after_some_events() -> None:
    chat, _ = with_faults({"fault": "error-event", "after": 2, "message": "Overloaded.", "code": "busy"})
    events = chat.reply(stream=True).body
    assert not isinstance(events, bytes)
    assert len(events) == 3
    error = {"message": "Overloaded.", "type": "server_error", "code": "busy"}
    assert json.loads(events[-1].data) == {"error": error}


def test_a_header_sets_a_fault_for_one_request() -> None:
    player = engine()
    replies = [player.reply(request(HELLO, x_mock_fault=value)) for value in ("502", "status-429:retry_after=3")]
    assert [one.status for one in replies] == [502, 429]
    assert replies[1].headers["retry-after"] == "3"
    assert player.reply(request(HELLO)).status == 200


def test_an_invalid_header_is_refused_with_a_suggestion() -> None:
    reply = engine().reply(request(HELLO, x_mock_fault="cutt"))
    assert reply.status == 400
    assert 'did you mean "cut"?' in json.loads(reply.content())["detail"]


def test_the_exchange_of_an_invalid_header_has_the_operation_that_it_reached() -> None:
    assert engine().handle(request(HELLO, x_mock_fault="cutt")).operation == OPERATION.id


def test_the_usage_that_a_fault_adds_to_a_stream_adds_up() -> None:
    chat, _ = with_faults("usage-without-choices")
    (chunk,) = (one for one in chat.chunks() if not one["choices"])
    usage = chunk["usage"]
    assert usage["prompt_tokens"] + usage["completion_tokens"] == usage["total_tokens"]


def test_the_header_does_nothing_without_the_control_interface() -> None:
    player = create_engine(CONTRACT, Config(control=False))
    assert player.reply(request(HELLO, x_mock_fault="502")).status == 200


def test_the_journal_names_the_faults_and_keeps_a_503() -> None:
    chat, _ = with_faults("status-503:times=1", "latency")
    chat.reply()
    chat.reply()
    assert [one["faults"] for one in chat.engine.requests()] == [["latency"], ["status-503"]]


def test_faults_of_the_start_apply_to_every_scope_and_count_in_each() -> None:
    player = load_engine(faults=["status-502:times=1"])
    sent = [request(HELLO, x_mock_scope=scope) for scope in ("a", "a", "b")]
    assert [player.reply(one).status for one in sent] == [502, 200, 502]


def test_a_forgotten_session_is_a_404_for_requests_that_name_one() -> None:
    chat, _ = with_faults("session-forgotten")
    session = chat.answer(create_session=True)["session_id"]
    assert chat.reply(store_in_session=session).status == 404


def test_only_the_unusual_creation_of_an_agent_fails() -> None:
    chat, _ = with_faults("agent-creation-500")
    headers, path = {"content-type": "application/json"}, "/api/v1/compatibility/openai/v1/agents"
    unusual: list[dict[str, Any]] = [{"tools": []}, {"session_max_length": 10_000}]
    bodies = [{"model": "m"}, *({"model": "m", "index_id": UNKNOWN, **fields} for fields in ({}, *unusual))]
    assert [
        chat.engine.reply(Request("POST", path, (), headers, json.dumps(one).encode())).status for one in bodies
    ] == [
        201,
        201,
        500,
        500,
    ]


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        ("statsu-429", 'test: the value: "statsu-429" is not a fault; did you mean "status-429"?'),
        ("429:tmes=1", 'tmes is not a parameter of status-429; did you mean "times"?'),
        ("429:times=x", "times of status-429 is 'x'; send a number"),
        ("429:times=0", "times of status-429 is '0'; send a number from 1 to"),
        ("cut:after", '"after" is not key=value; write cut:times=1'),
        ({"fault": "429", "should_retry": "yes"}, "send true or false"),
        ({"fault": "429", "retry_after": "a\nb"}, "send printable ASCII"),
        ({"fault": "latency", "seconds": float("inf")}, "send a number"),
        ({"fault": "latency", "probability": 2}, "send a number from 0 to 1"),
        ({}, '"None" is not a fault'),
    ],
)
def test_an_invalid_fault_is_refused_with_a_remedy(value: Any, problem: str) -> None:
    with pytest.raises(ContractError) as refused:
        read_fault(value, Source("test"))
    assert problem in str(refused.value)


@pytest.mark.parametrize("name", KINDS)
def test_every_fault_leaves_the_server_without_an_error_of_its_own(name: str) -> None:
    chat, _ = with_faults(name)
    tools = [{"type": "function", "function": {"name": "f"}}]
    for fields in ({}, {"stream": True}, {"agent": "demo-tools", "tools": tools, "stream": True}):
        reply = chat.reply(**fields)
        assert b"Internal error of the mock" not in reply.content()
    assert chat.engine.reply(Request("GET", "/api/v1/compatibility/openai/v1/models")).status
