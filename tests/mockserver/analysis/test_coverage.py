"""Contract coverage: what it counts agrees with exchanges that were labelled by hand."""

from __future__ import annotations

import orjson
import pytest

from agent_contract.messages import JSON_TYPE, Exchange, Request
from mockserver.analysis.clause_conditions import CONDITIONAL
from mockserver.analysis.coverage import Coverage, coverage_from, parts_of
from mockserver.analysis.coverage_report import as_html, as_json, as_text
from mockserver.analysis.observation import Observation, from_entry, from_exchange
from mockserver.build import create_engine, own_contract
from mockserver.config import Config
from mockserver.engine import Engine
from mockserver.fixtures.play import play_all
from tests.mockserver.analysis.support.conversations import Conversation
from tests.mockserver.analysis.support.labels import OPERATIONS, Labelled, expected, labelled_exchanges

API = "/api/v1/compatibility/openai/v1"
CONTRACT = own_contract()
ROWS = labelled_exchanges()
#: The kinds of labels, and the dimensions that they are about.
KINDS = {
    "clause": "clauses",
    "sent": "request fields",
    "reply": "reply fields",
    "event": "event kinds",
    "finish": "finish reasons",
    "fault": "faults",
}


@pytest.fixture(scope="module")
def engine() -> Engine:
    return create_engine(CONTRACT)


@pytest.fixture(scope="module")
def session(engine: Engine) -> str:
    body = orjson.dumps({"messages": [{"role": "user", "content": "Hello!"}], "create_session": True})
    path = API + OPERATIONS["chat"][2]
    exchange = engine.handle(Request("POST", path, (), JSON_TYPE, body))
    return str(orjson.loads(exchange.reply.content())["session_id"])


def played(row: Labelled, engine: Engine, session: str) -> Exchange:
    _, method, path = OPERATIONS[row.operation]
    fields = {name: session if value == "SESSION" else value for name, value in row.request.items()}
    query = tuple((name[1:], str(fields.pop(name))) for name in [*fields] if name.startswith("?"))
    headers = {**JSON_TYPE, **({"x-mock-fault": str(fields.pop("X-Mock-Fault"))} if "X-Mock-Fault" in fields else {})}
    return engine.handle(Request(method, API + path, query, headers, orjson.dumps(fields) if method == "POST" else b""))


def test_there_are_200_labelled_exchanges_and_all_differ() -> None:
    assert len(ROWS) == 200
    assert len({(row.operation, orjson.dumps(row.request)) for row in ROWS}) == 200


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"line {row.line}")
def test_an_exchange_shows_what_a_reader_saw(row: Labelled, engine: Engine, session: str) -> None:
    exchange = played(row, engine, session)
    assert exchange.reply.status == row.status
    found = parts_of(from_exchange(exchange), CONTRACT)
    name = OPERATIONS[row.operation][0]
    applicable = {clause.id for clause in CONTRACT.clauses if name in clause.operations}
    wanted = expected(row.words)
    wanted["clause"] &= applicable
    assert {kind: sorted(found[dimension]) for kind, dimension in KINDS.items()} == {
        kind: sorted(names) for kind, names in wanted.items()
    }
    assert found["operations"] == {name}
    assert found["statuses"] == {f"{name} {row.status}"}


def recorded(engine: Engine) -> list[Observation]:
    return [from_entry(entry) for entry in engine.requests()]


def test_a_journal_shows_what_the_exchanges_show(engine: Engine, session: str) -> None:
    """The journal keeps 8 KiB of a stream, the beginning and the end."""
    engine.reset()
    exchanges = [played(row, engine, session) for row in ROWS if "SESSION" not in row.request.values()]
    direct = [parts_of(from_exchange(exchange), CONTRACT) for exchange in exchanges]
    assert [parts_of(seen, CONTRACT) for seen in reversed(recorded(engine))] == direct


def test_every_clause_with_a_condition_is_in_the_contract() -> None:
    assert CONDITIONAL - {clause.id for clause in CONTRACT.clauses} == set()


def test_each_clause_that_is_counted_can_be_met() -> None:
    """All examples of the contract together, and the labelled exchanges, leave none out."""
    engine = create_engine(CONTRACT)
    played_examples = [exchange for one in play_all(CONTRACT, 0, 0, CONTRACT.examples) for exchange in one.exchanges]
    guarded = create_engine(CONTRACT, Config(tokens=("secret",)))
    refused = guarded.handle(Request("POST", API + OPERATIONS["chat"][2], (), JSON_TYPE, b"{}"))
    coverage = Coverage()
    for exchange in (*played_examples, refused, *(played(row, engine, "") for row in ROWS)):
        coverage.add(from_exchange(exchange), CONTRACT)
    assert coverage.never(CONTRACT)["clauses"] == []
    assert set(coverage.met["clauses"]) <= set(coverage.possible(CONTRACT)["clauses"])


def coverage_of(chat: Conversation) -> Coverage:
    coverage = Coverage()
    for seen in chat.observations():
        coverage.add(seen, CONTRACT)
    return coverage


def test_what_a_client_never_met_is_listed() -> None:
    chat = Conversation()
    chat.send("Hello!")
    chat.send("Hello!", stream=True)
    never = coverage_of(chat).never(CONTRACT)
    assert never["finish reasons"] == ["length", "tool_calls", "content_filter"]
    assert never["event kinds"] == ["tool call", "usage", "error"]
    assert "chat.session-unknown" in never["clauses"]
    assert "store_in_session" in never["request fields"]
    chat.send("Hello!", stream=True, stream_options={"include_usage": True}, max_tokens=1)
    chat.send("Hello!", store_in_session="00000000-0000-4000-8000-0000000000fe")
    never = coverage_of(chat).never(CONTRACT)
    assert never["finish reasons"] == ["tool_calls", "content_filter"]
    assert never["event kinds"] == ["tool call", "error"]
    assert "chat.session-unknown" not in never["clauses"]


def test_reports_of_merged_parts_equal_that_of_the_whole() -> None:
    one, other, both = Conversation(), Conversation(), Conversation()
    for chat in (one, both):
        chat.send("Hello!")
    for chat in (other, both):
        chat.send("Hello!", stream=True)
    merged = coverage_from(orjson.loads(as_json(coverage_of(one), CONTRACT)))
    merged.merge(coverage_of(other))
    assert as_json(merged, CONTRACT) == as_json(coverage_of(both), CONTRACT)
    assert as_text(merged, CONTRACT).startswith("contract coverage of 2 exchanges, 1 of them recorded incompletely:")
    assert '<tr class="never"><td>chat.session-unknown: ' in as_html(merged, CONTRACT)


def test_a_run_without_a_request_has_no_coverage() -> None:
    assert as_text(Coverage(), CONTRACT) == "contract coverage: no request"
