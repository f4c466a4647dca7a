"""Tokens that are bound to scopes: teams share a mock, and see and reset their own scopes alone."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from agent_contract.messages import Reply, Request
from mockserver.config import Config, ConfigError, load_config
from mockserver.core.live_reply import LiveReply
from mockserver.core.tenants import Tenant
from mockserver.engine import Engine
from tests.mockserver.support.chat_client import engine, path_of

OPERATOR, RED, BLUE = "token-of-the-operator", "token-of-red", "token-of-blue"
HELLO = {"messages": [{"role": "user", "content": "Hello!"}]}
TENANTS = (Tenant(RED, "red"), Tenant(BLUE, "blue"))


@pytest.fixture
def mock() -> Engine:
    return engine(replace(Config(), tokens=(OPERATOR,), tenants=TENANTS))


def ask(mock: Engine, token: str, scope: str = "", method: str = "POST", path: str = "", **query: str) -> Reply:
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    headers |= {"x-mock-scope": scope} if scope else {}
    body = json.dumps(HELLO).encode() if not path else b""
    return mock.reply(Request(method, path or path_of(), tuple(query.items()), headers, body))


def listed(mock: Engine, token: str, path: str, scope: str = "") -> Any:
    return json.loads(ask(mock, token, scope, "GET", f"/__mock__{path}").content())


def test_a_request_without_a_scope_uses_the_tenant_s_own(mock: Engine) -> None:
    assert ask(mock, RED).status == 200
    assert len(mock.requests("red")) == 1
    assert mock.requests() == []
    assert [one["scope"] for one in listed(mock, RED, "/summaries")["requests"]] == ["red"]


@pytest.mark.parametrize("scope", ["red", "red-1", "red.ci", "red 2"])
def test_a_tenant_names_scopes_that_begin_with_its_own(mock: Engine, scope: str) -> None:
    assert ask(mock, RED, scope).status == 200
    assert len(mock.requests(scope)) == 1


@pytest.mark.parametrize("scope", ["blue", "blue-1", "reddish", "r", "Red"])
@pytest.mark.parametrize("path", ["", "/__mock__/requests", "/__mock__/sessions", "/__mock__/events"])
def test_a_tenant_can_not_use_another_scope(mock: Engine, scope: str, path: str) -> None:
    ask(mock, OPERATOR, scope)
    reply = ask(mock, RED, scope, "GET" if path else "POST", path)
    assert reply.status == 403
    assert b"This token is for the scope red and those that begin with red-." in reply.content()
    assert len(mock.requests(scope)) == 1


def test_a_scope_in_the_address_is_no_way_around(mock: Engine) -> None:
    assert ask(mock, RED, "", "GET", "/__mock__/scope/blue/__mock__/requests").status == 403
    assert ask(mock, RED, "", "GET", "/__mock__/scope/red-7/__mock__/requests").status == 200


def test_a_tenant_lists_its_own_scopes_page_by_page(mock: Engine) -> None:
    for scope in ("blue-1", "red-1", "red-2", "reddish"):
        ask(mock, OPERATOR, scope)
    names, after = list[str](), dict[str, str]()
    while True:
        headers = {"authorization": f"Bearer {RED}"}
        reply = mock.reply(Request("GET", "/__mock__/scopes", (("limit", "1"), *after.items()), headers))
        page = json.loads(reply.content())
        names += [one["name"] for one in page["scopes"]]
        if page["next"] is None:
            break
        after = {"after": page["next"]}
    assert names == ["red", "red-1", "red-2"]


def test_a_tenant_resets_its_scope_and_only_the_operator_all(mock: Engine) -> None:
    ask(mock, RED)
    ask(mock, BLUE)
    assert ask(mock, RED, "", "POST", "/__mock__/reset", all="true").status == 403
    assert (len(mock.requests("red")), len(mock.requests("blue"))) == (1, 1)
    assert ask(mock, RED, "", "POST", "/__mock__/reset").status == 204
    assert (len(mock.requests("red")), len(mock.requests("blue"))) == (0, 1)
    assert ask(mock, OPERATOR, "", "POST", "/__mock__/reset", all="true").status == 204
    assert mock.requests("blue") == []


def test_the_news_of_a_tenant_are_of_its_own_scopes(mock: Engine) -> None:
    reply = ask(mock, RED, "", "GET", "/__mock__/events", all="true")
    assert isinstance(reply, LiveReply)
    assert reply.feed is not None
    reply.feed.next()
    for token, scope in ((RED, "red-1"), (BLUE, "blue-1"), (OPERATOR, "")):
        ask(mock, token, scope)
    events = reply.feed.next() or ()
    assert [json.loads(event.data)["scope"] for event in events] == ["red-1"]


def test_another_token_and_none_are_refused(mock: Engine) -> None:
    assert ask(mock, "another").status == 401
    assert mock.reply(Request("GET", "/__mock__/requests")).status == 401
    assert mock.reply(Request("GET", "/__mock__/health")).status == 200


def test_tokens_of_tenants_are_not_in_the_journal(mock: Engine) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": f"My token is {BLUE}."}]}).encode()
    headers = {"content-type": "application/json", "authorization": f"Bearer {RED}"}
    mock.reply(Request("POST", path_of(), (), headers, body))
    assert BLUE not in json.dumps(mock.requests("red"))


def test_tenants_are_read_from_the_configuration(tmp_path: Path) -> None:
    file = tmp_path / "mock.yaml"
    file.write_text("tenants:\n  - {token: a, scopes: red}\n  - {token: b, scopes: reddish}\n")
    assert load_config(file).tenants == (Tenant("a", "red"), Tenant("b", "reddish"))


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("tokens: [a]\ntenants: [{token: a, scopes: red}]", "the token is used before"),
        ("tenants: [{token: a, scopes: red}, {token: b, scopes: red-1}]", '"red-1" and "red" have scopes in common'),
        ("tenants: [{token: a, scopes: red/}]", "tenants.0.scopes"),
        ("tenants: [{token: a}]", '"scopes" is a required property'),
    ],
)
def test_tenants_that_overlap_are_refused(text: str, problem: str, tmp_path: Path) -> None:
    file = tmp_path / "mock.yaml"
    file.write_text(text)
    with pytest.raises(ConfigError) as raised:
        load_config(file)
    assert problem in "\n".join(map(str, raised.value.problems))
