"""The stream of new requests."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from werkzeug.test import Client

from agent_contract.messages import Request
from mockserver.adapters.wsgi import create_app
from mockserver.control import live
from mockserver.core.live_reply import Feed, LiveReply
from mockserver.engine import Engine
from tests.mockserver.support.chat_client import engine, request
from tests.mockserver.support.control_client import Control


def opened(player: Engine, scope: str = "", **query: str) -> Feed:
    headers = {"x-mock-scope": scope} if scope else {}
    reply = player.reply(Request("GET", "/__mock__/events", tuple(query.items()), headers))
    assert isinstance(reply, LiveReply)
    assert reply.feed is not None
    return reply.feed


def news(feed: Feed) -> Iterator[tuple[str, Any]]:
    for event in feed.next() or ():
        yield event.name, json.loads(event.data)


def ask(player: Engine, text: str = "Hello!", **headers: str) -> None:
    player.reply(request({"messages": [{"role": "user", "content": text}]}, **headers))


def test_a_stream_begins_with_the_newest_number_and_continues_with_new_requests() -> None:
    player = engine()
    ask(player)
    feed = opened(player)

    assert list(news(feed)) == [("open", {"latest": 1})]
    assert list(news(feed)) == []
    ask(player, "Second")
    ask(player, "Third")
    ((name, data),) = news(feed)
    assert (name, [row["said"] for row in data["requests"]]) == ("requests", ["Third", "Second"])
    assert list(news(feed)) == []


def test_a_stream_continues_after_the_number_that_the_client_names() -> None:
    player = engine()
    for text in ("First", "Second"):
        ask(player, text)
    feed = opened(player, after="1")
    list(news(feed))

    ((_, data),) = news(feed)
    assert [row["number"] for row in data["requests"]] == [2]


def test_a_stream_shows_its_own_scope_or_all_of_them() -> None:
    player = engine()
    ask(player, x_mock_scope="mine")
    mine, everything = opened(player, "mine"), opened(player, all="true")
    list(news(mine)), list(news(everything))
    for scope in ("mine", "other"):
        ask(player, scope, x_mock_scope=scope)

    assert [[row["said"] for row in data["requests"]] for _, data in news(mine)] == [["mine"]]
    assert sorted(data["scope"] for _, data in news(everything)) == ["mine", "other"]


def test_a_reset_is_reported() -> None:
    player = engine()
    ask(player)
    feed = opened(player)
    list(news(feed))
    Control(player).reply("POST", "/reset")

    assert list(news(feed)) == [("reset", {"scope": None})]


def test_of_many_requests_the_newest_are_sent_after_a_gap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "_MOST_ROWS", 2)
    player = engine()
    feed = opened(player)
    list(news(feed))
    for number in range(4):
        ask(player, str(number))

    (gap, _), (_, data) = news(feed)
    assert gap == "gap"
    assert [row["said"] for row in data["requests"]] == ["3", "2"]


def test_streams_are_limited_in_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_STREAMS", 1)
    player = engine()
    first, second = opened(player), opened(player)

    assert [name for name, _ in news(first)] == ["open"]
    assert [name for name, _ in news(second)] == ["full"]
    assert second.next() is None
    first.close()
    assert [name for name, _ in news(opened(player))] == ["open"]


def test_a_quiet_stream_sends_a_ping_and_a_long_one_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    feed = opened(engine())
    list(news(feed))
    monkeypatch.setattr(live, "_PING", -1.0)
    assert [name for name, _ in news(feed)] == ["ping"]
    monkeypatch.setattr(live, "_MOST_SECONDS", -1.0)
    assert feed.next() is None


def test_a_server_of_one_thread_sends_what_exists_and_ends() -> None:
    """A stream that waited would block every other request."""
    player = engine()
    reply = Client(create_app(player)).get("/__mock__/events", environ_overrides={"wsgi.multithread": False})

    assert reply.get_data() == b'event: open\ndata: {"latest":0}\n\n'
