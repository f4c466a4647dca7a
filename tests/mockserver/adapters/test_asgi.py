"""The ASGI application: what runs in a thread, how many compute at once, and that a long stream lets others go on."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from threading import Barrier, Lock
from typing import Any

import pytest

from agent_contract.messages import Event, Exchange, Reply, Request
from mockserver.adapters.asgi import create_app, send_reply
from mockserver.core.limits import Limits
from mockserver.core.player import Effort
from mockserver.generation.waits import RealTime, TimedReply
from mockserver.stores.circuit_breaker import CircuitBreaker

SCOPE = {"type": "http", "method": "GET", "path": "/", "query_string": b"", "headers": []}
#: Seconds until a barrier that not all threads have reached is broken.
LIMIT = 20


@dataclass
class Stub:
    """A player whose replies are made by a function."""

    make: Callable[[], Reply]
    effort_of_all: Effort = Effort.LITTLE
    limits: Limits = field(default_factory=Limits)
    blocking: bool = False
    groups: list[int] = field(default_factory=list)

    def effort(self, request: Request) -> Effort:
        return self.effort_of_all

    def reply(self, request: Request) -> Reply:
        return self.make()

    def replies(self, requests: Sequence[Request]) -> Sequence[Reply]:
        self.groups.append(len(requests))
        return [self.make() for _ in requests]

    def record(self, exchange: Exchange) -> None:
        """Record nothing."""


async def ask(app: Any, statuses: list[int]) -> None:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(SCOPE, receive, send)


def statuses_of(player: Stub, count: int) -> list[int]:
    """Return the statuses of `count` requests at once."""

    async def all_at_once() -> list[int]:
        app, statuses = create_app(player), list[int]()
        await asyncio.gather(*(ask(app, statuses) for _ in range(count)))
        return statuses

    return asyncio.run(all_at_once())


def test_64_requests_can_wait_for_a_store_at_once() -> None:
    together = Barrier(64, timeout=LIMIT)

    def make() -> Reply:
        together.wait()
        return Reply(200, {}, b"")

    assert statuses_of(Stub(make, Effort.WAITS), 64) == [200] * 64


def test_requests_to_a_store_that_groups_writes_are_answered_together() -> None:
    player = Stub(lambda: Reply(200, {}, b""), Effort.GROUPED)
    assert statuses_of(player, 40) == [200] * 40
    assert player.groups == [32, 8]


def test_a_group_is_answered_although_one_of_its_clients_disconnects() -> None:
    arrived, go_on = Barrier(2, timeout=LIMIT), Barrier(2, timeout=LIMIT)

    def make() -> Reply:
        if len(player.groups) == 1:
            arrived.wait()
            go_on.wait()
        return Reply(200, {}, b"")

    player = Stub(make, Effort.GROUPED)

    async def one_leaves() -> list[int]:
        app, statuses = create_app(player), list[int]()
        leaving = asyncio.create_task(ask(app, []))
        await asyncio.to_thread(arrived.wait)
        leaving.cancel()
        staying = [asyncio.create_task(ask(app, statuses)) for _ in range(2)]
        await asyncio.sleep(0)
        await asyncio.to_thread(go_on.wait)
        await asyncio.gather(*staying)
        return statuses

    assert asyncio.run(one_leaves()) == [200, 200]
    assert player.groups == [1, 2]


def test_an_error_of_a_group_is_the_error_of_each_request() -> None:
    def make() -> Reply:
        raise ValueError("broken")

    async def all_at_once() -> list[object]:
        app = create_app(Stub(make, Effort.GROUPED))
        return await asyncio.gather(*(ask(app, []) for _ in range(2)), return_exceptions=True)

    assert [str(error) for error in asyncio.run(all_at_once())] == ["broken", "broken"]


@pytest.mark.parametrize("effort", [Effort.COMPUTES, Effort.HEAVY])
def test_requests_compute_one_at_a_time(effort: Effort) -> None:
    computing = Lock()

    def make() -> Reply:
        alone = computing.acquire(blocking=False)
        sum(range(100_000))
        if alone:
            computing.release()
        return Reply(200 if alone else 500, {}, b"")

    assert statuses_of(Stub(make, effort), 40) == [200] * 40


def test_requests_that_compute_wait_for_the_store_at_once() -> None:
    together, store = Barrier(64, timeout=LIMIT), CircuitBreaker("redis://slow")

    def make() -> Reply:
        with store.call():
            together.wait()
        return Reply(200, {}, b"")

    assert statuses_of(Stub(make, Effort.COMPUTES), 64) == [200] * 64


@pytest.mark.parametrize("delay", [0.0, 1e-9], ids=["without delays", "late"])
def test_a_long_stream_that_does_not_wait_lets_others_go_on(delay: float) -> None:
    events = (Event(b"x" * 100, "", delay),) * 100_000

    async def discard(_: Any) -> None:
        """Send nothing."""

    async def ticks() -> int:
        """Return how often another task ran before the stream ended."""
        stream = asyncio.create_task(send_reply(Reply(200, {}, events), discard))
        count = 0
        while not stream.done():
            await asyncio.sleep(0)
            count += 1
        return count

    assert asyncio.run(ticks()) > 5


def pieces_of(reply: Reply) -> list[bytes]:
    """Return the pieces in which the body of a reply is sent."""
    pieces = list[bytes]()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.body":
            pieces.append(message["body"])

    asyncio.run(send_reply(reply, send))
    return pieces


def test_an_event_is_sent_when_its_delay_has_passed_and_late_ones_together() -> None:
    events = tuple(Event(text, "", 1e-6) for text in (b"a", b"b", b"c"))
    on_time = TimedReply(200, {}, events, 0.0, RealTime(lambda: 0.0))
    late = TimedReply(200, {}, events, 0.0, RealTime(count(0, 10).__next__))
    assert pieces_of(on_time) == [b"data: a\n\n", b"data: b\n\n", b"data: c\n\n"]
    assert pieces_of(late) == [b"data: a\n\ndata: b\n\ndata: c\n\n"]
