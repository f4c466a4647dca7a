"""The clock of a scope over the control interface, and what follows it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.engine import Engine
from mockserver.generation.latency import Pace
from mockserver.generation.waits import TimedReply, waits_of
from mockserver.resources.agents import by_address, configured_agent
from tests.mockserver.support.chat_client import CONTRACT, NOW, ChatClient, Clock, engine, request, user
from tests.mockserver.support.control_client import Control, send

HELLO = {"messages": [user("Hello!")]}
AGENT = configured_agent("a61e2f90-3c5b-4d17-8e4a-1f0b7c92d501", "demo", session_max_ttl=60)


def chat(player: Engine, scope: str = "mine", **fields: Any) -> Any:
    reply = player.reply(request({**HELLO, **fields}, x_mock_scope=scope))
    return json.loads(reply.content()) | {"status": reply.status}


def test_the_clock_is_moved_on_in_its_scope_alone() -> None:
    player = engine()
    assert Control(player, "mine").get("/clock") == {"now": NOW, "mode": "running"}
    assert json.loads(send(player, "POST", "/clock", {"advance": 3600}).content())["now"] == NOW + 3600
    assert chat(player)["created"] == NOW + 3600
    assert chat(player, "other")["created"] == NOW
    assert player.requests("mine")[0]["time"] == NOW + 3600


def test_a_mode_is_set_before_the_clock_is_moved() -> None:
    player = engine()
    changed = json.loads(send(player, "POST", "/clock", {"advance": 1, "mode": "frozen"}).content())
    assert changed == {"now": NOW + 1, "mode": "frozen"}


def test_a_reset_gives_real_time_back() -> None:
    player = engine()
    send(player, "POST", "/clock", {"advance": 3600, "mode": "frozen"})
    assert Control(player, "mine").status("POST", "/reset") == 204
    assert Control(player, "mine").get("/clock") == {"now": NOW, "mode": "running"}


@pytest.mark.parametrize("body", [{"advance": -1}, {"mode": "fast"}, {"advanc": 1}, [], {"advance": 1e12}])
def test_an_invalid_change_is_refused(body: Any) -> None:
    player = engine()
    assert send(player, "POST", "/clock", body).status == 422
    assert Control(player, "mine").get("/clock")["now"] == NOW


def test_a_session_expires_by_the_clock_of_its_scope() -> None:
    player = engine(Config(agents=by_address([AGENT])))
    session = chat(player, create_session=True)["session_id"]
    send(player, "POST", "/clock", {"advance": 59})
    assert chat(player, store_in_session=session)["status"] == 200
    send(player, "POST", "/clock", {"advance": 61})
    assert chat(player, store_in_session=session)["status"] == 404


def test_a_session_that_a_clock_has_ended_is_not_listed() -> None:
    player = engine(Config(agents=by_address([AGENT])))
    session, control = chat(player, create_session=True)["session_id"], Control(player, "mine")
    send(player, "POST", "/clock", {"advance": 60})
    assert [one["session"] for one in control.get("/sessions")["sessions"]] == [session]
    send(player, "POST", "/clock", {"advance": 1})
    kept = chat(player, create_session=True)["session_id"]
    assert [one["session"] for one in control.get("/sessions")["sessions"]] == [kept]
    assert [control.status(method, f"/sessions/{session}") for method in ("GET", "DELETE")] == [404, 404]
    assert control.get("/scopes")["scopes"][1]["sessions"] == 1


def test_a_session_does_not_expire_while_its_clock_stands_still() -> None:
    clock = Clock()
    player = create_engine(CONTRACT, Config(agents=by_address([AGENT])), clock=clock)
    send(player, "POST", "/clock", {"mode": "frozen"})
    session = chat(player, create_session=True)["session_id"]
    clock.now += 3600
    assert chat(player, store_in_session=session)["status"] == 200
    assert Control(player, "mine").get(f"/sessions/{session}")["session"] == session


def test_a_fault_expires_by_the_clock_of_its_scope() -> None:
    player = engine()
    send(player, "POST", "/clock", {"advance": 100})
    send(player, "POST", "/faults", {"fault": 502, "ttl": 60})
    assert chat(player)["status"] == 502
    send(player, "POST", "/clock", {"advance": 60})
    assert chat(player)["status"] == 200


def test_a_stream_follows_the_clock_of_its_scope() -> None:
    player = engine(pace=Pace(ttft=10, tps=0.1))
    send(player, "POST", "/clock", {"mode": "skipping"})
    reply = player.reply(request({**HELLO, "stream": True}, x_mock_scope="mine"))
    assert isinstance(reply, TimedReply)
    assert not isinstance(reply.body, bytes)
    waits, slept = waits_of(reply), list[float]()
    for seconds in (reply.delay, *(event.delay for event in reply.body)):
        waits.wait(seconds, slept.append)
    assert slept == []
    total = reply.delay + sum(event.delay for event in reply.body)
    assert total > 10
    assert Control(player, "mine").get("/clock")["now"] == pytest.approx(NOW + total)


def test_without_a_clock_replies_wait_in_real_time() -> None:
    player = engine(pace=Pace(ttft=10))
    assert not isinstance(ChatClient(player).reply(), TimedReply)
    slept: list[float] = []
    waits_of(ChatClient(player).reply()).wait(10, slept.append)
    assert slept == [10]
