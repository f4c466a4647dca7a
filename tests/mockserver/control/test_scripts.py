"""Rules and faults over the control interface, in a scope."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_contract.messages import Reply, Request
from mockserver.core.scripts import MOST_FAULTS
from tests.mockserver.support.chat_client import ChatClient, engine, request, user
from tests.mockserver.support.control_client import Control, send

HELLO = {"messages": [user("Hello!")]}


def ids(reply: Reply) -> list[str]:
    found: list[str] = json.loads(reply.content())["ids"]
    return found


def test_rules_are_added_listed_with_their_uses_and_removed() -> None:
    player = engine()
    assert ids(send(player, "POST", "/rules", {"answer": "one", "times": 1})) == ["rule-1"]
    assert ids(send(player, "POST", "/rules", {"rules": [{"answer": "two"}], "strict": True})) == ["rule-2"]
    player.reply(request(HELLO, x_mock_scope="mine"))
    control = Control(player, "mine")
    listed = control.get("/rules")
    assert listed["strict"] is True
    assert [(one["id"], one["uses"]) for one in listed["rules"]] == [("rule-1", 1), ("rule-2", 0)]
    assert control.status("DELETE", "/rules") == 204
    assert control.get("/rules") == {"strict": False, "rules": []}


def test_faults_are_added_listed_and_removed() -> None:
    player = engine()
    assert ids(send(player, "POST", "/faults", {"faults": ["502:times=1", 429]})) == ["fault-1", "fault-2"]
    assert [player.reply(request(HELLO, x_mock_scope="mine")).status for _ in range(2)] == [502, 429]
    control = Control(player, "mine")
    assert [(one["fault"]["fault"], one["uses"]) for one in control.get("/faults")["faults"]] == [
        ("status-502", 1),
        ("status-429", 1),
    ]
    assert control.status("DELETE", "/faults") == 204
    assert player.reply(request(HELLO, x_mock_scope="mine")).status == 200


def test_removing_rules_keeps_faults() -> None:
    player = engine()
    send(player, "POST", "/rules", {"answer": "one"})
    send(player, "POST", "/faults", "502")
    Control(player, "mine").status("DELETE", "/rules")
    assert player.reply(request(HELLO, x_mock_scope="mine")).status == 502


def test_a_reset_removes_rules_and_faults() -> None:
    player = engine()
    send(player, "POST", "/faults", "502")
    Control(player, "mine").status("POST", "/reset")
    assert player.reply(request(HELLO, x_mock_scope="mine")).status == 200


@pytest.mark.parametrize(
    ("path", "body"), [("/rules", {"wen": {}}), ("/faults", {"fault": "cutt"}), ("/rules", {"rules": 1})]
)
def test_an_invalid_body_is_refused_and_changes_nothing(path: str, body: Any) -> None:
    player = engine()
    reply = send(player, "POST", path, body)
    assert reply.status == 400
    assert "body:" in json.loads(reply.content())["detail"]
    assert Control(player, "mine").get("/rules")["rules"] == []


def test_a_scope_has_a_maximum_of_faults() -> None:
    player = engine()
    send(player, "POST", "/faults", {"faults": ["502"] * MOST_FAULTS})
    assert send(player, "POST", "/faults", "502").status == 413


def test_the_schema_of_scenarios_is_served() -> None:
    assert "rule" in Control(engine()).get("/scenario.schema.json")["$defs"]


def test_a_path_names_the_scope_of_a_client_that_sends_no_headers() -> None:
    player = engine()
    send(player, "POST", "/rules", {"answer": "scripted"}, scope="test-7")
    sent = request(HELLO)
    scoped = Request("POST", f"/__mock__/scope/test-7{sent.path}", (), sent.headers, sent.body)
    assert player.handle(scoped).rule == "rule-1"
    assert player.handle(sent).rule == ""
    assert [one["request"]["path"] for one in player.requests("test-7")] == [sent.path]


def test_the_control_interface_of_a_scope_is_at_its_path_too() -> None:
    player = engine()
    ChatClient(player).reply()
    reply = player.reply(Request("GET", "/__mock__/scope/empty/__mock__/requests"))
    assert json.loads(reply.content())["requests"] == []


@pytest.mark.parametrize("path", ["/__mock__/scope//x", "/__mock__/scope/a/__mock__/scope/b/x"])
def test_a_path_without_a_valid_scope_is_refused(path: str) -> None:
    assert engine().reply(Request("GET", path)).status in (400, 404)
