"""What `serve --metrics` counts, as Prometheus reads it."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from agent_contract.messages import Reply, Request
from mockserver.build import create_engine, load_engine
from mockserver.engine import Engine
from mockserver.recording.metrics import CONTENT_TYPE, Metrics, create_metrics
from mockserver.server.access_log import LoggedEngine, RequestLog
from mockserver.stores import MemoryStore, StoreUnavailable
from tests.mockserver.support.chat_client import CONTRACT, request, user

PATH = "/__mock__/metrics"
CHAT = "createAssistantChatCompletion"


@pytest.fixture
def metrics() -> Metrics:
    return create_metrics()


@pytest.fixture
def engine(metrics: Metrics) -> Engine:
    return load_engine(metrics=metrics)


@pytest.fixture
def served(engine: Engine) -> Iterator[LoggedEngine]:
    log = RequestLog("error", io.StringIO())
    yield LoggedEngine(engine, log)
    log.close()


def chat(**headers: str) -> Request:
    return request({"messages": [user("Hello!")]}, **headers)


def new_session(**headers: str) -> Request:
    return request({"messages": [user("Hello!")], "create_session": True}, **headers)


def exposed(player: Engine | LoggedEngine) -> Reply:
    return player.reply(Request("GET", PATH))


def values(player: Engine | LoggedEngine, name: str) -> dict[str, float]:
    """Return the samples of a metric, by the values of their labels."""
    families = text_string_to_metric_families(exposed(player).content().decode())
    samples = (sample for family in families for sample in family.samples if sample.name == name)
    return {" ".join(sample.labels.values()): sample.value for sample in samples}


def test_requests_are_counted_by_operation_and_status(served: LoggedEngine) -> None:
    for one in (chat(), chat(), request({"messages": []}), Request("GET", "/nowhere")):
        served.reply(one)
    assert values(served, "agent_mock_requests_total") == {f"{CHAT} 200": 2, f"{CHAT} 422": 1, "none 404": 1}


def test_refusals_are_counted_by_clause_and_faults_by_name(served: LoggedEngine) -> None:
    served.reply(request({"messages": []}))
    served.reply(chat(x_mock_fault="status-429"))
    assert values(served, "agent_mock_refusals_total") == {"chat.messages-empty": 1, "none": 1}
    assert values(served, "agent_mock_faults_total") == {"status-429": 1}


def test_the_latency_of_a_reply_includes_its_simulated_delay(served: LoggedEngine) -> None:
    served.reply(chat(x_mock_fault="latency:seconds=20"))
    assert values(served, "agent_mock_reply_seconds_count") == {CHAT: 1}
    assert 20 <= values(served, "agent_mock_reply_seconds_sum")[CHAT] < 25


def test_an_unavailable_store_is_counted_and_a_fault_that_looks_like_it_is_not(metrics: Metrics) -> None:
    class Gone(MemoryStore):
        def put(self, *_: Any, **__: Any) -> int:
            raise StoreUnavailable("The store is gone.")

    player = create_engine(CONTRACT, store=Gone(), metrics=metrics)
    log = RequestLog("error", io.StringIO())
    served = LoggedEngine(player, log)
    statuses = [served.reply(one).status for one in (chat(x_mock_fault="status-503"), new_session())]
    log.close()
    assert statuses == [503, 503]
    assert values(served, "agent_mock_store_errors_total") == {"": 1}


def test_the_sessions_of_all_scopes_are_counted(served: LoggedEngine) -> None:
    for scope in ("a", "b"):
        served.reply(new_session(x_mock_scope=scope))
    assert values(served, "agent_mock_sessions") == {"": 2}


def test_open_connections_and_replies_are_shown(metrics: Metrics, served: LoggedEngine) -> None:
    metrics.set_open(7, 3)
    assert values(served, "agent_mock_connections") == {"": 7}
    assert values(served, "agent_mock_open_replies") == {"": 3}


def test_requests_to_the_control_interface_are_not_counted(served: LoggedEngine) -> None:
    exposed(served)
    assert values(served, "agent_mock_requests_total") == {}


def test_the_content_type_is_that_of_the_text_format(served: LoggedEngine) -> None:
    assert exposed(served).headers["content-type"] == CONTENT_TYPE


def test_without_metrics_the_answer_names_the_option() -> None:
    reply = exposed(load_engine())
    assert reply.status == 404
    assert b"--metrics" in reply.content()


def test_metrics_need_the_control_token() -> None:
    assert exposed(load_engine(metrics=create_metrics(), control_tokens=["secret"])).status == 401
