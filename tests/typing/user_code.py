"""What users write, as in README and docs: mypy and pyright read it with all strictness, and it is never run."""

from __future__ import annotations

from typing import Any, assert_type

import httpx
import httpx2

from agent_contract import Clause, Contract, Exchange, Reply, Request, load_contract, parse_events
from mockserver import (
    Engine,
    Httpx2Transport,
    MockServer,
    MockTransport,
    Pace,
    load_engine,
    load_exchange,
    load_exchanges,
)


def serve_from_a_thread() -> None:
    with MockServer() as mock:
        assert_type(mock, MockServer)
        assert_type(mock.url, str)
        assert_type(mock.base_url("demo-open"), str)
        assert_type(mock.engine, Engine)
    MockServer(load_engine("openapi.yaml", "agents.yaml"), host="::1", port=8000)


def answer_httpx_without_a_port() -> None:
    mock = MockTransport()
    with httpx.Client(transport=mock, base_url="http://mock") as client:
        assert_type(client.get("/agents"), httpx.Response)
    assert_type(mock.engine.requests(), list[dict[str, Any]])


async def answer_httpx_and_httpx2_in_asyncio() -> None:
    async with httpx.AsyncClient(transport=MockTransport(load_engine(pace=Pace(ttft=0.5, tps=20)))) as client:
        assert_type(await client.get("/agents"), httpx.Response)
    async with httpx2.AsyncClient(transport=Httpx2Transport()) as client2:
        assert_type(await client2.get("/agents"), httpx2.Response)


def read_fixtures() -> None:
    assert_type(load_exchange("hello"), Exchange)
    assert_type(load_exchange("stream", "tests/fixtures").reply.content(), bytes)
    assert_type(load_exchanges("session-extended"), tuple[Exchange, ...])


def configure_an_engine() -> None:
    engine = load_engine(tokens=["secret"], seed=7, store="sqlite:///state.db", api_version="9.0", control=False)
    assert_type(engine, Engine)
    assert_type(engine.reply(Request("GET", "/")), Reply)
    assert_type(engine.handle(Request("GET", "/")), Exchange)
    assert_type(engine.contract, Contract)
    engine.reset()
    engine.close()


def read_the_contract() -> None:
    contract = load_contract("openapi.yaml")
    assert_type(contract, Contract)
    assert_type(contract.clauses, tuple[Clause, ...])
    for clause in contract.clauses:
        assert_type((clause.id, clause.sentence, clause.grade), tuple[str, str, str])
        assert_type(clause.fails_a_run, bool)
    assert_type([event.data for event in parse_events(b"data: [DONE]\n\n")], list[bytes])
