"""Scopes and journals on every store, shared by several engines and several processes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from agent_contract.messages import Request
from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.core.keys import registered
from mockserver.core.limits import Limits
from mockserver.stores import Entry, MemoryStore, Store, StoreUnavailable
from mockserver.stores.sqlite import SQLiteStore
from tests.mockserver.support.api_client import COMPLETER, ApiClient
from tests.mockserver.support.chat_client import CONTRACT, Clock, engine, path_of, user
from tests.mockserver.support.control_client import Control
from tests.mockserver.support.store_kinds import KINDS, opened
from tests.support.serving import serve


@pytest.fixture(params=KINDS)
def stores(request: pytest.FixtureRequest) -> Iterator[tuple[Store, Store]]:
    """Two ways to one store, as two processes have them; the one in memory has no second."""
    with opened(request.param) as open_one:
        first = open_one()
        second = first if request.param == "memory" else open_one()
        yield first, second
        for store in {id(first): first, id(second): second}.values():
            store.close()


def test_engines_that_share_a_store_share_scopes_and_journals(stores: tuple[Store, Store]) -> None:
    one, other = (engine(store=store) for store in stores)
    session = ApiClient(one, "w").chat("demo", create_session=True)["session_id"]
    ApiClient(other, "w").chat("demo", store_in_session=session)

    assert Control(one, "w").numbers(session=session) == Control(other, "w").numbers() == [2, 1]
    assert Control(one).numbers() == []
    (_, scope) = Control(other).get("/scopes")["scopes"]
    assert (scope["name"], scope["sessions"], scope["requests"]) == ("w", 1, 2)


def test_the_limit_of_scopes_holds_for_all_engines_that_share_a_store(stores: tuple[Store, Store]) -> None:
    clock, config = Clock(), Config(limits=Limits(scopes=2))
    one, other = (create_engine(CONTRACT, config, clock=clock, store=store) for store in stores)
    for player, name in ((one, "a"), (other, "b"), (one, "c"), (other, "b"), (one, "d")):
        clock.now += 10
        ApiClient(player, name).chat("demo", create_session=True)

    assert [scope["name"] for scope in Control(one).get("/scopes")["scopes"]] == [None, "b", "d"]
    assert Control(other, "c").get("/sessions")["sessions"] == Control(other, "c").numbers() == []


def test_what_one_engine_resets_is_gone_for_all(stores: tuple[Store, Store]) -> None:
    one, other = (engine(store=store) for store in stores)
    for name in ("", "w", "w2"):
        ApiClient(one, name).chat("demo", create_session=True)
    Control(other, "w").reply("POST", "/reset")

    assert Control(one, "w").get("/sessions")["sessions"] == []
    assert len(Control(one, "w2").get("/sessions")["sessions"]) == len(Control(one).get("/sessions")["sessions"]) == 1
    other.reset()
    assert [scope["requests"] for scope in Control(one).get("/scopes")["scopes"]] == [0]


def test_the_use_of_a_scope_is_written_once_a_second(stores: tuple[Store, Store]) -> None:
    clock = Clock()
    caller = ApiClient(create_engine(CONTRACT, clock=clock, store=stores[0]), "w")
    versions = []
    for seconds in (0, 0.5, 0.4, 0.2):
        clock.now += seconds
        caller.chat("demo")
        found = stores[1].get(registered("w"))
        assert found
        versions.append(found.version)

    assert versions[0] == versions[1] == versions[2] < versions[3]


def test_pages_of_scopes_follow_one_another(stores: tuple[Store, Store]) -> None:
    player = engine(store=stores[0])
    names = ["a b", "a%20b", "a/b", "ab", "b"]
    for name in names:
        ApiClient(player, name).chat("demo")
    found, page = [], Control(player).get("/scopes", limit="2")
    found += page["scopes"]
    while page["next"]:
        page = Control(player).get("/scopes", limit="2", after=page["next"])
        found += page["scopes"]

    assert found[0]["name"] is None
    assert sorted(scope["name"] for scope in found[1:]) == sorted(names)


def test_a_reset_spares_scopes_whose_names_begin_with_the_same_letters() -> None:
    player = engine()
    for name in ("a", "ab", "a/b"):
        ApiClient(player, name).chat("demo", create_session=True)
    Control(player, "a").reply("POST", "/reset")

    assert [scope["name"] for scope in Control(player).get("/scopes")["scopes"]] == [None, "a/b", "ab"]


def test_unauthenticated_requests_create_no_scope() -> None:
    player = engine(Config(tokens=("the-token",)))
    for path in (path_of(), "/nowhere"):
        player.reply(Request("POST", path, (), {"x-mock-scope": "w", "authorization": "Bearer wrong"}))
    looker = Control(player, token="the-token")

    assert [scope["name"] for scope in looker.get("/scopes")["scopes"]] == [None]
    assert [one["reply"]["status"] for one in looker.get("/requests")["requests"]] == [404, 401]


def test_without_its_store_the_mock_answers_503_and_still_refuses_bad_requests(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "state.db")
    player = engine(store=store)
    store.close()
    looker = Control(player)

    assert looker.get("/health")["status"] == "ok"
    for path in ("/ready", "/sessions", "/requests", "/scopes", "/sessions/x"):
        reply = looker.reply("GET", path)
        assert (reply.status, reply.headers["retry-after"]) == (503, "1"), path
        assert "state.db" in json.loads(reply.content())["detail"]
    assert ApiClient(player, "w").status("POST", "/assistants/demo/chat/completions", {"messages": []}) == 422
    body = {"messages": [user("Hello!")], "create_session": True}
    assert ApiClient(player, "w").status("POST", "/assistants/demo/chat/completions", body) == 503


def test_workers_share_scopes_and_journals(tmp_path: Path) -> None:
    turns = 40
    with serve("--store", f"sqlite:///{tmp_path / 'state.db'}", "--workers", "2", "--log-level", "error") as served:

        def ask(number: int) -> int:
            headers = {"x-mock-scope": f"scope-{number % 2}"}
            # A connection of its own for each, so that either worker gets some.
            return httpx.post(served.url + path_of(), headers=headers, json={"messages": [user("Hello!")]}).status_code

        with ThreadPoolExecutor(8) as threads:
            assert set(threads.map(ask, range(turns))) == {200}
        listed = httpx.get(f"{served.url}/__mock__/scopes").json()["scopes"]
        kept = httpx.get(f"{served.url}/__mock__/requests?limit=1000", headers={"x-mock-scope": "scope-1"}).json()

    assert {scope["name"]: scope["requests"] for scope in listed} == {None: 0, "scope-0": 20, "scope-1": 20}
    assert [one["number"] for one in kept["requests"]] == list(range(20, 0, -1))


def test_requests_are_read_from_the_engine_without_http() -> None:
    player = engine(replace(Config(), control=False))
    ApiClient(player, "w").chat("demo")

    assert player.requests() == []
    assert [one["request"]["json"]["messages"] for one in player.requests("w")] == [[user("Hello!")]]
    player.reset()
    assert player.requests("w") == []


class SlowlyGoneStore(MemoryStore):
    """A store that can't be reached, which each time takes long to be seen."""

    waits = 0

    def append(self, log: str, entry: Entry, keep: int) -> int:
        self.waits += 1
        raise StoreUnavailable("The store is gone.")


def test_a_request_waits_only_once_for_an_unavailable_store() -> None:
    store = SlowlyGoneStore()
    body = {"messages": [user("Hello!")]}

    assert ApiClient(engine(store=store)).status("POST", "/assistants/demo/chat/completions", body) == 503
    assert store.waits == 1


def test_agents_count_towards_the_bytes_of_the_store_and_the_oldest_scope_makes_room() -> None:
    store = MemoryStore(size=75_000)
    player = engine(replace(Config(), limits=Limits(journal=0)), store=store)
    large = {"model": COMPLETER, "instructions": "x" * 30_000}
    first = ApiClient(player, "first").post("/agents", large)["id"]
    ApiClient(player, "second").post("/agents", large)
    ApiClient(player, "third").post("/agents", large)

    assert ApiClient(player, "first").status("GET", f"/agents/{first}") == 404
    assert [ApiClient(player, name).status("POST", "/agents", large) for name in ("second", "second")] == [201, 413]
    _, _, why = ApiClient(player, "second").refusal("POST", "/agents", large)
    assert "75000 bytes (limits.store)" in why
