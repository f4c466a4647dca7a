"""The engine: the order of its checks, its journal entries, and its replies without an operation."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, NoReturn

import pytest

from agent_contract import check_reply
from agent_contract.messages import Exchange, Reply, Request
from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.core.limits import Limits
from mockserver.core.player import Effort
from mockserver.stores import MemoryStore, StoreUnavailable
from tests.mockserver.support.chat_client import (
    CONTRACT,
    OPERATION,
    UNKNOWN,
    ChatClient,
    details,
    engine,
    path_of,
    request,
)

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello!"}]}
LOCKED = Config(tokens=("one", "two"), limits=Limits(body=2000))


def detail(reply: Reply) -> str:
    assert isinstance(reply.body, bytes)
    text: str = json.loads(reply.body)["detail"]
    return text


#: Each request has the fault of its line and of every one below it: that of its line must count.
WORST: list[tuple[int, dict[str, Any]]] = [
    (404, {"path": "/nowhere"}),
    (405, {"method": "PUT"}),
    (401, {"token": "wrong"}),
    (413, {"body": b" " * 2001}),
    (400, {"body": b'"\xff"'}),
    (422, {"fields": {"temperature": 3}}),
    (404, {"agent": UNKNOWN}),
    (400, {"fields": {"model": "x"}}),
    (400, {"fields": {"messages": [{"role": "narrator", "content": "x"}]}}),
    (404, {"fields": {"store_in_session": UNKNOWN}}),
    (400, {"fields": {"n": 1000}}),
]


def faulty(faults: list[dict[str, Any]]) -> Request:
    fields, settings = dict(HELLO), dict[str, Any]()
    for fault in reversed(faults):
        settings |= fault
        fields |= fault.get("fields", {})
    body = settings.get("body") or json.dumps(fields).encode()
    sent = request(body, settings.get("agent", "demo"), authorization=f"Bearer {settings.get('token', 'one')}")
    return replace(sent, method=settings.get("method", "POST"), path=settings.get("path", sent.path))


@pytest.mark.parametrize("place", range(len(WORST)))
def test_of_several_faults_the_first_in_order_counts(place: int) -> None:
    player = engine(LOCKED)
    alone = player.reply(faulty([WORST[place][1]]))
    together = player.reply(faulty([fault for _, fault in WORST[place:]]))
    assert together.status == alone.status == WORST[place][0]
    assert detail(together) == detail(alone)


def test_a_request_without_fault_is_answered() -> None:
    assert engine(LOCKED).reply(faulty([])).status == 200


def test_an_unknown_path_is_not_found() -> None:
    for path in ("/api", path_of() + "/", path_of("a/b"), "//" + path_of(), ""):
        assert engine().reply(Request("POST", path)).status == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS", "BREW"])
def test_another_method_gets_the_allowed_ones(method: str) -> None:
    reply = engine().reply(Request(method, path_of()))
    assert (reply.status, reply.headers["allow"]) == (405, "POST")
    if method != "HEAD":
        assert check_reply(OPERATION, reply) == ()


def test_a_head_gets_the_headers_alone() -> None:
    reply = engine().reply(Request("HEAD", path_of()))
    assert reply.body == b""
    assert int(reply.headers["content-length"]) > 0


@pytest.mark.parametrize("sent", ["Bearer one", "bearer two", "BEARER  one "])
def test_a_token_that_is_known_lets_in(sent: str) -> None:
    assert engine(LOCKED).reply(request(HELLO, authorization=sent)).status == 200


@pytest.mark.parametrize(
    "sent", ["", "Bearer", "Bearer ", "one", "Basic one", "Bearer three", "Bearer on", "Bearer é", "Bearer \ud800"]
)
def test_any_other_authorization_is_refused_with_an_explanation(sent: str) -> None:
    reply = engine(LOCKED).reply(request(HELLO, authorization=sent))
    assert (reply.status, reply.headers["www-authenticate"]) == (401, "Bearer")
    assert check_reply(OPERATION, reply) == ()


def test_no_authorization_is_refused() -> None:
    assert engine(LOCKED).reply(request(HELLO)).status == 401


def test_without_tokens_any_authorization_will_do() -> None:
    assert engine().reply(request(HELLO, authorization="Bearer x")).status == 200


def test_a_body_of_the_largest_size_is_taken_and_one_byte_more_is_not() -> None:
    body = json.dumps(HELLO).encode()
    player = engine(LOCKED)
    assert player.reply(request(body.ljust(2000), authorization="Bearer one")).status == 200
    reply = player.reply(request(body.ljust(2001), authorization="Bearer one"))
    assert reply.status == 413
    assert "2000" in detail(reply)


def test_several_faults_are_named_at_once() -> None:
    body = {"messages": [], "n": 0, "temperature": 3, "stream": "true", "store_in_session": "x"}
    reply = engine().reply(request(body))
    assert sorted(details(reply)) == sorted(
        [
            (["body", "messages"], "too_short"),
            (["body", "n"], "greater_than_equal"),
            (["body", "temperature"], "less_than_equal"),
            (["body", "stream"], "bool_type"),
            (["body", "store_in_session"], "uuid_parsing"),
        ]
    )


def journal_of(sent: Request, config: Config | None = None) -> Exchange:
    told: list[Exchange] = []
    player = create_engine(CONTRACT, config or Config(), listener=told.append)
    reply = player.reply(sent)
    (exchange,) = told
    assert (exchange.request, exchange.reply) == (sent, reply)
    return exchange


@pytest.mark.parametrize(
    ("fields", "clause"),
    [
        ({"model": "x"}, "chat.model-unexpected"),
        ({"messages": [{"role": "system", "content": "x"}]}, "chat.role-system"),
        ({"messages": [{"role": "narrator", "content": "x"}]}, "chat.role-unknown"),
        ({"store_in_session": UNKNOWN}, "chat.session-unknown-status"),
        ({"n": 1000}, "chat.n-bound"),
        ({"n": 0}, "chat.n-below-minimum"),
        ({"temperature": 3}, "chat.temperature-above-maximum"),
        ({"messages": []}, "chat.messages-empty"),
    ],
)
def test_the_journal_knows_the_clause_that_a_refusal_rests_on(fields: dict[str, Any], clause: str) -> None:
    exchange = journal_of(request({**HELLO, **fields}))
    assert exchange.clauses == (clause,)
    assert exchange.operation == OPERATION.id
    assert CONTRACT.clause(clause)
    assert exchange.violations[0].pointer.startswith("#/")


@pytest.mark.parametrize(
    ("sent", "clause"),
    [
        (request(HELLO, UNKNOWN), "chat.agent-unknown"),
        (Request("GET", path_of()), "chat.method-refused"),
        (request(b" " * 3000, authorization="Bearer one"), "chat.body-too-large"),
        (request(HELLO), "chat.token-missing"),
        (request(HELLO, authorization="Bearer x"), "chat.token-wrong"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_the_journal_knows_the_clause_of_every_other_refusal(sent: Request, clause: str) -> None:
    config = LOCKED if "chat.token" in clause or "large" in clause else None
    assert journal_of(sent, config).clauses == (clause,)


def test_the_journal_contains_successful_exchanges() -> None:
    exchange = journal_of(request(HELLO))
    assert (exchange.operation, exchange.clauses, exchange.violations) == (OPERATION.id, (), ())


def test_health_names_the_served_document_and_needs_no_token() -> None:
    reply = engine(LOCKED).reply(Request("GET", "/__mock__/health", (), {}, b""))
    assert isinstance(reply.body, bytes)
    health = json.loads(reply.body)
    assert health == {"status": "ok", "title": "Agent API", "version": CONTRACT.version, "contract": CONTRACT.digest}


def test_the_mocks_own_paths_are_not_found_or_not_allowed_as_others_are() -> None:
    assert engine().reply(Request("GET", "/__mock__/nothing")).status == 404
    reply = engine().reply(Request("POST", "/__mock__/health"))
    assert (reply.status, reply.headers["allow"]) == (405, "GET")


def test_a_page_from_anywhere_may_ask() -> None:
    asked = {
        "origin": "https://page.example",
        "access-control-request-method": "POST",
        "access-control-request-headers": "authorization,content-type",
    }
    reply = engine(LOCKED).reply(Request("OPTIONS", path_of(), (), asked))
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"
    assert reply.headers["access-control-allow-methods"] == "POST"
    assert reply.headers["access-control-allow-headers"] == "authorization,content-type"


def test_a_page_may_read_what_it_asked_for_refusals_too() -> None:
    for sent in (
        request(HELLO, origin="null"),
        request(b"", origin="null"),
        Request("GET", "/x", (), {"origin": "null"}),
    ):
        assert engine().reply(sent).headers["access-control-allow-origin"] == "*"


def test_whom_no_page_asks_for_gets_no_such_headers() -> None:
    assert not [name for name in engine().reply(request(HELLO)).headers if name.startswith("access-control")]


def test_a_preflight_for_an_unknown_path_is_not_found() -> None:
    asked = {"origin": "https://page.example", "access-control-request-method": "POST"}
    assert engine().reply(Request("OPTIONS", "/nowhere", (), asked)).status == 404


def test_what_a_path_holds_is_never_quoted_at_length() -> None:
    status, text = ChatClient().refusal(agent="x" * 5000)
    assert status == 404
    assert len(text) < 300


def test_health_is_answered_without_a_thread_and_without_the_store() -> None:
    class Unreachable(MemoryStore):
        blocking = True

        def get(self, key: str) -> NoReturn:
            raise AssertionError(key)

    player = engine(store=Unreachable())
    health = Request("GET", "/__mock__/health", (), {}, b"")
    assert player.effort(health) is Effort.LITTLE
    assert player.effort(Request("GET", "/__mock__/ready", (), {}, b"")) is Effort.WAITS
    assert player.reply(health).status == 200


@pytest.mark.parametrize(
    ("body", "effort"),
    [
        (b'{"messages":[]}', Effort.LITTLE),
        (b'{"tools":[{"function":{"parameters":{}}}]}', Effort.COMPUTES),
        (b'{"response_format":{"type":"json_schema"}}', Effort.COMPUTES),
        (b'{"response_format":{"type":"json\\u005fschema"}}', Effort.COMPUTES),
        (b'{"n":128}', Effort.COMPUTES),
        (b'{"store_in_session":"1"}', Effort.LITTLE),
        (b" " * 70_000, Effort.HEAVY),
    ],
)
def test_what_a_request_may_take_is_known_before_it_is_read(body: bytes, effort: Effort) -> None:
    assert engine().effort(request(body)) is effort


def test_the_control_interface_and_pages_may_take_long() -> None:
    player = engine()
    paths = ("/__mock__/requests", "/__mock__/sessions", *player.pages)
    assert {player.effort(Request("GET", path, (), {}, b"")) for path in paths} == {Effort.HEAVY}


class UnreachableStore(MemoryStore):
    """A store that does not answer."""

    def get(self, key: str) -> NoReturn:
        raise StoreUnavailable("The store does not answer: start it again.", 7)


def test_a_store_that_does_not_answer_is_a_503_of_no_clause() -> None:
    exchange = engine(store=UnreachableStore()).handle(request({**HELLO, "store_in_session": UNKNOWN}))
    assert (exchange.reply.status, exchange.reply.headers["retry-after"], exchange.clauses) == (503, "7", ())
