"""State that outlives processes and is shared by them: kills, crowds, and a Redis that goes and comes back."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from threading import Thread

import httpx
import pytest

from mockserver.adapters.asgi import create_app
from mockserver.adapters.httpx_transport import MockTransport
from mockserver.build import load_engine
from mockserver.stores import open_store
from mockserver.stores.sqlite import SQLiteStore
from tests.mockserver.support.chat_client import ChatClient, engine, path_of, user
from tests.mockserver.support.crowd import Crowd, in_order, kept
from tests.mockserver.support.redis_server import RedisServer
from tests.support.serving import serve

KILLS = 100


@pytest.fixture(params=["sqlite", "redis"])
def shared(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty store that processes may share."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'state.db'}"
    url: str = request.getfixturevalue("redis").url
    return url


def test_no_acknowledged_turn_is_lost_when_writers_are_killed_a_hundred_times(tmp_path: Path) -> None:
    file = f"sqlite:///{tmp_path / 'state.db'}"
    command = [sys.executable, "-m", "tests.mockserver.support.killed", file, str(KILLS), "0"]
    result = json.loads(subprocess.check_output(command, cwd=Path(__file__).parents[3]))
    print(f"{KILLS} kills, {result['acknowledged']} acknowledged turns")
    assert result["wrong"] == []
    assert result["failed"] == 0
    assert result["acknowledged"] > KILLS


def test_200_clients_extend_20_sessions_through_4_workers_and_every_turn_is_kept_once(shared: str) -> None:
    with serve("--store", shared, "--workers", "4", "--log-level", "error") as served:
        crowd = Crowd(served.url)
        crowd.extend(sessions=20, clients=200, more=lambda turns: turns < 3)
    turns = len(crowd.acknowledged)
    print(f"{turns} turns in {crowd.seconds:.1f} s: {turns / crowd.seconds:.0f} a second")
    assert crowd.statuses == {200: 620}
    with closing(open_store(shared)) as store:
        for session in crowd.sessions:
            assert kept(store, session) == in_order(crowd, session)
            assert len(in_order(crowd, session)) == 30


def test_a_redis_that_is_killed_and_started_again_is_answered_with_503_meanwhile_and_loses_nothing(
    redis: RedisServer,
) -> None:
    with serve("--store", redis.url, "--workers", "2", "--log-level", "error") as served:
        crowd = Crowd(served.url)

        def trouble() -> None:
            while len(crowd.acknowledged) < 50:
                redis.command("PING")
            redis.stop(kill=True)
            while crowd.statuses[503] < 50:
                pass
            redis.start()

        troubled = Thread(target=trouble)
        troubled.start()
        after: list[int] = []

        def more(_: int) -> bool:
            if not troubled.is_alive():
                after.append(len(crowd.acknowledged))
            return not after or len(crowd.acknowledged) < after[0] + 100

        crowd.extend(sessions=5, clients=20, more=more)
        troubled.join()
    assert set(crowd.statuses) == {200, 503}
    assert crowd.retry_after == {"1"}
    with closing(open_store(redis.url)) as store:
        for session in crowd.sessions:
            there = kept(store, session)
            acknowledged = in_order(crowd, session)
            # A turn that was answered with 503 may have been kept; none is kept twice.
            assert len(set(there)) == len(there)
            assert [text for text in there if text in set(acknowledged)] == acknowledged


@pytest.mark.parametrize("kind", ["asgi", "transport"])
def test_a_client_does_not_wait_for_the_store_of_another(tmp_path: Path, kind: str) -> None:
    """One request waits for a file that is locked; the event loop answers another meanwhile."""
    file = tmp_path / "state.db"
    with closing(load_engine(store=f"sqlite:///{file}")) as waiting, closing(sqlite3.connect(file)) as other:
        ChatClient(waiting).answer()  # ids are drawn
        transport = MockTransport(waiting) if kind == "transport" else httpx.ASGITransport(create_app(waiting))

        async def talk() -> int:
            async with httpx.AsyncClient(transport=transport, base_url="http://mock") as client:
                other.execute("BEGIN IMMEDIATE")
                body = {"messages": [user("Hello!")], "create_session": True}
                turn = asyncio.create_task(client.post(path_of(), json=body))
                assert (await client.get("/__mock__/health")).status_code == 200
                assert not turn.done()
                other.execute("ROLLBACK")
                return (await turn).status_code

        assert asyncio.run(talk()) == 200


def test_a_session_outlives_the_server_and_no_id_is_given_twice(shared: str) -> None:
    with closing(load_engine(store=shared)) as first:
        one = ChatClient(first).answer("The password is heron.", create_session=True)
    with closing(load_engine(store=shared)) as second:
        ask = ChatClient(second)
        other = ask.answer("Hello!", create_session=True)
        again = ask.answer("And now?", store_in_session=one["session_id"])
    assert again["usage"]["prompt_tokens"] > one["usage"]["prompt_tokens"]
    assert len({one["session_id"], other["session_id"]}) == 2
    assert len({one["id"], other["id"], again["id"]}) == 3


def test_the_first_server_of_a_store_gives_the_bytes_of_its_seed(shared: str) -> None:
    with closing(load_engine(store=shared, seed=5)) as kept_there:
        there = ChatClient(kept_there).answer(create_session=True)
    assert there["session_id"] == ChatClient(load_engine(seed=5)).answer(create_session=True)["session_id"]


def test_of_more_sessions_than_max_sessions_the_ones_unused_longest_go(shared: str) -> None:
    with closing(load_engine(store=shared, max_sessions=2)) as bounded:
        ask = ChatClient(bounded)
        first, second, third = (ask.answer(create_session=True)["session_id"] for _ in range(3))
        assert [ask.reply(store_in_session=one).status for one in (first, second, third)] == [404, 200, 200]


def test_an_unavailable_store_gives_a_503_with_the_reason_and_retry_after(tmp_path: Path) -> None:
    store = SQLiteStore(tmp_path / "state.db")
    ask = ChatClient(engine(store=store))
    store.close()
    reply = ask.reply(create_session=True)
    assert reply.status == 503
    assert reply.headers["retry-after"] == "1"
    assert "state.db" in json.loads(reply.content())["detail"]
