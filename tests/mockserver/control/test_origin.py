"""The hosts and origins that the control interface accepts."""

from __future__ import annotations

import pytest

from agent_contract.messages import Request
from mockserver.config import Config
from mockserver.control.origin import foreign
from mockserver.engine import Engine
from tests.mockserver.support.chat_client import engine, path_of


def asked(**headers: str) -> Request:
    return Request("GET", "/__mock__/requests", (), headers)


def status(player: Engine, method: str, path: str, **headers: str) -> int:
    return player.reply(Request(method, path, (), headers)).status


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:8000",
        "localhost",
        "LOCALHOST:1",
        "a.localhost:80",
        "[::1]:8000",
        "10.1.2.3",
        "mock:8000",
        "localhost.",
    ],
)
def test_it_answers_at_addresses_and_names_that_no_site_has(host: str) -> None:
    assert foreign(asked(host=host)) is None


@pytest.mark.parametrize(
    "host",
    ["evil.example", "evil.example:8000", "127.0.0.1.evil.example", "localhost.evil.example", "1.2.3", ""],
)
def test_it_does_not_answer_at_other_names(host: str) -> None:
    assert "--allow-host" in str(foreign(asked(host=host)))


def test_a_name_can_be_allowed() -> None:
    assert foreign(asked(host="Mock.Example:8000"), ("mock.example",)) is None
    assert foreign(asked(host="evil.example"), ("mock.example",))
    assert foreign(asked(host="evil.example", origin="http://evil.example"), ("*",)) is None


def test_a_request_without_a_host_does_not_come_from_a_browser() -> None:
    assert foreign(asked()) is None


@pytest.mark.parametrize("origin", ["http://localhost:8000", "https://LOCALHOST:8000"])
def test_pages_of_its_own_origin_are_answered(origin: str) -> None:
    assert foreign(asked(host="localhost:8000", origin=origin)) is None


@pytest.mark.parametrize("origin", ["http://evil.example", "http://localhost:3000", "null", "", "http://["])
def test_pages_of_another_origin_are_not(origin: str) -> None:
    assert "pages of other origins" in str(foreign(asked(host="localhost:8000", origin=origin)))
    assert "pages of other origins" in str(foreign(asked(origin=origin)))


def test_pages_of_an_allowed_host_are_answered() -> None:
    assert foreign(asked(host="127.0.0.1:8000", origin="https://app.example:3000"), ("app.example",)) is None


def test_a_foreign_request_reads_nothing_and_resets_nothing() -> None:
    player = engine()
    player.reply(Request("POST", path_of()))
    assert status(player, "GET", "/__mock__/requests", host="evil.example") == 403
    assert status(player, "POST", "/__mock__/reset", origin="http://evil.example", host="127.0.0.1:8000") == 403
    assert len(player.requests()) == 1
    assert (
        status(engine(Config(allowed_hosts=("evil.example",))), "GET", "/__mock__/requests", host="evil.example") == 200
    )


@pytest.mark.parametrize("path", ["/__mock__/health", "/__mock__/ready"])
def test_health_and_readiness_answer_everyone(path: str) -> None:
    assert status(engine(), "GET", path, host="mock.example", origin="http://evil.example") == 200


@pytest.mark.parametrize("path", ["/__mock__/health", "/__mock__/ready", "/__mock__/requests"])
def test_head_is_answered_as_get_is_without_a_body(path: str) -> None:
    player = engine()
    whole, head = (player.reply(Request(method, path)) for method in ("GET", "HEAD"))
    assert (head.status, head.headers, head.body) == (whole.status, whole.headers, b"")


def test_a_refusal_of_a_foreign_origin_names_no_clause() -> None:
    exchange = engine().handle(asked(host="evil.example"))
    assert (exchange.reply.status, exchange.clauses) == (403, ())
