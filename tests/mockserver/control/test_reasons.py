"""Why one request got its answer: clauses, remedies, the rule that answered or came nearest."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_contract.messages import Request
from mockserver.engine import Engine
from tests.mockserver.support.api_client import ApiClient
from tests.mockserver.support.chat_client import engine
from tests.mockserver.support.control_client import Control, send


@pytest.fixture
def player() -> Engine:
    return engine()


def explained(player: Engine, number: int = 1, scope: str = "") -> Any:
    return Control(player, scope).get(f"/requests/{number}/explanation")


def chat(player: Engine, text: str, agent: str = "demo", **fields: Any) -> Any:
    return ApiClient(player, "mine").chat(agent, text, **fields)


def test_a_refusal_names_clause_reason_and_remedy(player: Engine) -> None:
    ApiClient(player).status("POST", "/assistants/demo/chat/completions", {"messages": []})
    found = explained(player)

    assert found["verdict"] == "refused"
    assert (found["clauses"][0]["id"], found["clauses"][0]["grade"]) == ("chat.messages-empty", "core")
    assert "refused" in found["clauses"][0]["sentence"]
    assert found["violations"][0]["remedy"] == "send at least 1 items"


def test_without_rules_the_answer_is_computed(player: Engine) -> None:
    chat(player, "Hello!")
    assert explained(player, 1, "mine")["reason"].startswith("The scope has no rules")


def test_the_rule_that_answered_is_named_with_its_place(player: Engine) -> None:
    send(player, "POST", "/rules", {"rules": [{"when": {"user": "Bye!"}}, {"name": "hi", "answer": "Hi."}]})
    chat(player, "Hello!")
    found = explained(player, 1, "mine")

    assert found["reason"] == 'Rule 2 of this scope ("hi") answered.'
    assert found["rule"]["rule"] == {"name": "hi", "answer": "Hi."}
    assert Control(player, "mine").status("DELETE", f"/rules/{found['rule']['id']}") == 204
    assert explained(player, 1, "mine")["reason"] == 'The rule "hi", which was removed since, answered.'


@pytest.mark.parametrize(
    ("when", "condition", "got"),
    [
        ({"agent": "demo", "user_contains": "heron"}, "user_contains", "'Hello!'"),
        ({"user": "Hello!", "model": "other"}, "model", "''"),
        ({"user": "Hello!", "stream": True}, "stream", "False"),
        ({"user": "Hello!", "turn": 3}, "turn", "2"),
    ],
)
def test_the_nearest_rule_is_named_with_what_differs(
    player: Engine, when: dict[str, Any], condition: str, got: str
) -> None:
    session = chat(player, "First", create_session=True)["session_id"]
    send(player, "POST", "/rules", {"rules": [{"when": {"agent": "other"}}, {"name": "near", "when": when}]})
    chat(player, "Hello!", store_in_session=session)
    found = explained(player, 2, "mine")

    assert (found["nearest"]["name"], found["nearest"]["failed"]["condition"]) == ("near", condition)
    assert found["nearest"]["failed"]["got"] == got
    assert found["reason"].startswith('No rule matched. Rule 2 of this scope ("near") comes nearest')


def test_a_rule_that_was_added_later_is_recognized(player: Engine) -> None:
    chat(player, "Hello!")
    send(player, "POST", "/rules", {"answer": "Hi."})
    assert "matches now" in explained(player, 1, "mine")["reason"]


def test_a_fault_is_the_reason_for_its_reply(player: Engine) -> None:
    send(player, "POST", "/faults", {"fault": "status-502"})
    path = "/api/v1/compatibility/openai/v1/assistants/demo/chat/completions"
    body = json.dumps({"messages": [{"role": "user", "content": "Hi"}]}).encode()
    headers = {"content-type": "application/json", "x-mock-scope": "mine"}
    player.reply(Request("POST", path, (), headers, body))
    assert explained(player, 1, "mine")["reason"] == "The fault status-502 made the reply."


@pytest.mark.parametrize("body", [b"", b"[]", b'{"messages":["x"]}', b'{"messages":[{"role":1}]}', b"{"])
def test_any_body_is_explained(player: Engine, body: bytes) -> None:
    send(player, "POST", "/rules", {"when": {"user": "x"}, "answer": "Hi."}, scope="mine")
    headers = {"content-type": "application/json", "x-mock-scope": "mine"}
    player.reply(Request("POST", "/api/v1/compatibility/openai/v1/assistants/demo/chat/completions", (), headers, body))
    assert explained(player, 1, "mine")["verdict"] == "refused"
    assert Control(player, "mine").get("/summaries")["requests"][0]["said"] == ""
    assert Control(player, "mine").status("GET", "/explanation") == 200
