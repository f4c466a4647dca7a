"""Streams of news over ASGI and over a socket: sent as they come, and ended with the client."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from agent_contract.messages import Event
from mockserver.adapters.asgi import create_app
from mockserver.adapters.threaded_server import MockServer
from mockserver.control import live
from mockserver.core.live_reply import LiveReply
from tests.mockserver.support.chat_client import engine, path_of

HELLO = {"messages": [{"role": "user", "content": "Hello!"}]}


class Script:
    """A feed of given answers, which notes when it is closed."""

    interval = 0.0

    def __init__(self, *answers: tuple[Event, ...] | None) -> None:
        self.answers, self.closed = list(answers), 0

    def next(self) -> tuple[Event, ...] | None:
        return self.answers.pop(0) if self.answers else ()

    def close(self) -> None:
        self.closed += 1


class Player:
    """Answers everything with one reply."""

    def __init__(self, reply: LiveReply) -> None:
        self._reply, self._engine = reply, engine()
        self.limits, self.blocking, self.effort = self._engine.limits, False, self._engine.effort

    def reply(self, _: Any) -> LiveReply:
        return self._reply

    def record(self, _: Any) -> None:
        """Record nothing."""


async def play(feed: Script, *, leaves: bool) -> list[bytes]:
    """Return what is sent; a client that leaves does so after the first event."""
    sent, left = list[bytes](), asyncio.Event()
    received = iter([{"type": "http.request", "body": b""}])

    async def receive() -> Any:
        if message := next(received, None):
            return message
        await left.wait()
        return {"type": "http.disconnect"}

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))
        if leaves and message.get("body"):
            left.set()

    scope = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
    app = create_app(Player(LiveReply(200, {}, (), feed=feed)))  # type: ignore[arg-type]
    await asyncio.wait_for(app(scope, receive, send), 30)
    return sent


def test_events_are_sent_until_the_feed_ends() -> None:
    feed = Script((Event(b"1", "open"),), (), (Event(b"2"), Event(b"3")), None)
    sent = asyncio.run(play(feed, leaves=False))
    assert b"".join(sent) == b"event: open\ndata: 1\n\ndata: 2\n\ndata: 3\n\n"
    assert feed.closed == 1


def test_a_client_that_leaves_ends_its_stream() -> None:
    feed = Script((Event(b"1"),))
    assert asyncio.run(play(feed, leaves=True))[1] == b"data: 1\n\n"
    assert feed.closed == 1


def test_open_streams_delay_no_other_request() -> None:
    with (
        MockServer(engine()) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
        client.stream("GET", "/__mock__/events") as first,
        client.stream("GET", "/__mock__/events") as second,
    ):
        lines = [first.iter_lines(), second.iter_lines()]
        assert [next(one) for one in lines] == ["event: open", "event: open"]
        assert client.post(path_of(), json=HELLO).status_code == 200
        for one in lines:
            assert "event: requests" in iter(one)


def test_a_stream_beyond_the_limit_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live, "MOST_STREAMS", 1)
    with (
        MockServer(engine()) as server,
        httpx.Client(base_url=server.url, timeout=30) as client,
        client.stream("GET", "/__mock__/events") as first,
    ):
        assert next(first.iter_lines()) == "event: open"
        assert client.get("/__mock__/events").text.startswith("event: full")
