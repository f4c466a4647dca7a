"""Rules and faults work for any document: raw answers, faults and delays, by operation, headers and body."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_contract import ContractError
from mockserver.build import load_engine
from mockserver.engine import Engine
from tests.agent_contract.support.documents import write
from tests.mockserver.documented.support.played import document, getting, send, value

ORDER = {"requestBody": {"content": {"application/json": {}}}, "responses": {"201": {"description": "ordered"}}}
DOCUMENT = document({"/pets": getting({"application/json": {"example": []}}), "/orders": {"post": ORDER}})
SOLD_OUT = {"raw": {"status": 409, "body": {"reason": "sold out"}}}


def playing(folder: Path, *rules: Any, faults: tuple[str, ...] = (), **scenario: Any) -> Engine:
    """Return an engine that plays the document with rules and faults."""
    spec = write(folder, yaml.safe_dump(DOCUMENT))
    script = write(folder, yaml.safe_dump({"rules": list(rules), **scenario}), "scenario.yaml")
    return load_engine(spec, scenario=script, faults=faults)


def test_a_rule_answers_by_operation_and_body(tmp_path: Path) -> None:
    when = {"operation": "POST /orders", "body": {"$.items[*].sku": "x"}}
    engine = playing(tmp_path, {"name": "none left", "when": when, "answer": SOLD_OUT})

    refused = send(engine, "POST", "/orders", {"items": [{"sku": "x"}]})

    assert (refused.reply.status, value(refused)) == (409, {"reason": "sold out"})
    assert refused.rule == "none left"
    assert send(engine, "POST", "/orders", {"items": [{"sku": "y"}]}).reply.status == 201
    assert send(engine, "GET", "/pets").reply.status == 200


def test_a_rule_answers_by_headers_and_then_no_more(tmp_path: Path) -> None:
    rule = {"when": {"headers": {"X-Tenant": "a"}}, "answer": {"fault": "status-503"}, "times": 1}
    engine = playing(tmp_path, rule)

    statuses = [send(engine, "GET", "/pets", headers={"X-Tenant": tenant}).reply.status for tenant in "baa"]

    assert statuses == [200, 503, 200]


def test_a_strict_scenario_refuses_what_no_rule_matches(tmp_path: Path) -> None:
    engine = playing(tmp_path, {"when": {"operation": "read"}, "answer": {"delay": 2}}, strict=True)

    assert send(engine, "GET", "/pets").reply.delay == 2
    assert b"No rule matches." in send(engine, "POST", "/orders", {}).reply.content()


def test_an_answer_of_an_agent_is_refused_with_a_remedy(tmp_path: Path) -> None:
    with pytest.raises(ContractError, match="write a raw answer, a fault or a delay"):
        playing(tmp_path, {"answer": "Hello!"})


def test_a_fault_happens_and_is_in_the_journal(tmp_path: Path) -> None:
    engine = playing(tmp_path, faults=("status-503:times=1,operation=read",))

    assert [send(engine, "GET", "/pets").reply.status for _ in range(2)] == [503, 200]
    assert send(engine, "GET", "/pets", headers={"X-Mock-Fault": "status-429"}).reply.status == 429
    assert [entry["faults"] for entry in engine.requests()] == [["status-429"], [], ["status-503"]]
