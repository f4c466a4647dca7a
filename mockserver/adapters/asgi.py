"""The mock as an ASGI application, for `agent-contract serve` and any other ASGI server."""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from threading import Lock
from urllib.parse import parse_qsl

from agent_contract.messages import Reply, Request, with_encoded_slash
from mockserver.adapters.disconnect import DRAINED, App, Receive, Scope, Send, answer_non_http, cancel_on_disconnect
from mockserver.core.live_reply import Feed, LiveReply
from mockserver.core.player import Effort, Player
from mockserver.faults.broken_reply import BrokenReply, Ending
from mockserver.generation.waits import waits_of
from mockserver.stores import compute_turn, count_wait, limited_wait

#: Number of threads for each effort: how many requests can wait for a store, or for their turn to compute, at once.
_THREADS = {Effort.WAITS: 64, Effort.COMPUTES: 256, Effort.HEAVY: 256}
#: Number of threads that look for the events of live streams.
_LIVE_THREADS = 4
#: Maximum number of requests that one thread answers together; the first of them waits for the last.
_MOST_GROUPED = 32
#: Seconds after which a stream without delays, or one that is late, yields to other connections.
_SLICE = 0.002
#: Bytes after which late events are not sent with the ones before.
_PIECE = 16 * 1024

#: The server's function that ends the connection of a request, in the `state` of its scope.
END_CONNECTION = "agent_contract.end_connection"
End = Callable[[Ending], None]


def create_app(engine: Player) -> App:
    """Return an application that serves `engine`; it drops the reply of a client that disconnects."""

    lanes: dict[Effort, _Lane | _GroupLane] = {effort: _lane(engine, effort) for effort in _THREADS}
    lanes[Effort.GROUPED] = _GroupLane(engine)
    live_threads = ThreadPoolExecutor(_LIVE_THREADS, "live")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await answer_non_http(scope["type"], receive, send)
        body = await read_body(receive, engine.limits.largest_body)
        if body is None:
            return None
        request = request_of(scope, body)
        lane = lanes.get(engine.effort(request))
        reply = engine.reply(request) if lane is None else await lane.reply(request)
        if isinstance(reply, LiveReply) and reply.feed:
            return await cancel_on_disconnect(_live(reply, reply.feed, live_threads, send), receive)
        if isinstance(reply, BrokenReply):
            return await send_broken(reply, scope, receive, send)
        is_delayed = reply.delay or (not isinstance(reply.body, bytes) and any(event.delay for event in reply.body))
        return await (cancel_on_disconnect(send_reply(reply, send), receive) if is_delayed else send_reply(reply, send))

    return app


@dataclass(frozen=True, slots=True)
class _Lane:
    """Threads for requests of one effort. With a `turn`, one of them computes at a time.

    Each thread that computes delays the event loop by up to a millisecond, whenever the loop goes on.
    """

    player: Player
    threads: ThreadPoolExecutor
    turn: Lock | None

    async def reply(self, request: Request) -> Reply:
        loop, begun = asyncio.get_running_loop(), time.monotonic()
        return await loop.run_in_executor(self.threads, self._reply, request, begun)

    def _reply(self, request: Request, begun: float) -> Reply:
        with limited_wait():
            count_wait(time.monotonic() - begun)
            with compute_turn(self.turn) if self.turn else nullcontext():
                return self.player.reply(request)


def _lane(player: Player, effort: Effort) -> _Lane:
    threads = ThreadPoolExecutor(_THREADS[effort], effort.value)
    return _Lane(player, threads, None if effort is Effort.WAITS else Lock())


@dataclass(frozen=True, slots=True)
class _Waiting:
    """A request that waits for its reply, since a time."""

    request: Request
    reply: asyncio.Future[Reply]
    begun: float


class _GroupLane:
    """A thread that answers requests together: all that have arrived since it began to answer the ones before."""

    def __init__(self, player: Player) -> None:
        self._player = player
        self._thread = ThreadPoolExecutor(1, Effort.GROUPED.value)
        self._waiting: deque[_Waiting] = deque()
        self._is_busy = False

    async def reply(self, request: Request) -> Reply:
        loop = asyncio.get_running_loop()
        waiting = _Waiting(request, loop.create_future(), time.monotonic())
        self._waiting.append(waiting)
        if not self._is_busy:
            self._is_busy = True
            loop.call_soon(self._begin, loop)  # after the requests that have arrived with it
        return await waiting.reply

    def _begin(self, loop: asyncio.AbstractEventLoop) -> None:
        group = [self._waiting.popleft() for _ in range(min(_MOST_GROUPED, len(self._waiting)))]
        self._is_busy = bool(group)
        if group:
            answering = loop.run_in_executor(self._thread, self._answer, group)
            answering.add_done_callback(partial(self._deliver, loop, group))

    def _answer(self, group: Sequence[_Waiting]) -> Sequence[Reply]:
        with limited_wait():
            count_wait(time.monotonic() - group[0].begun)
            return self._player.replies([one.request for one in group])

    def _deliver(
        self, loop: asyncio.AbstractEventLoop, group: Sequence[_Waiting], answered: asyncio.Future[Sequence[Reply]]
    ) -> None:
        error = answered.exception()
        for place, one in enumerate(group):
            if one.reply.done():  # its client has disconnected
                continue
            if error is None:
                one.reply.set_result(answered.result()[place])
            else:
                one.reply.set_exception(error)
        self._begin(loop)


def request_of(scope: Scope, body: bytes) -> Request:
    """Return the request of an ASGI scope."""
    query = tuple(parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True))
    headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if scope.get("scheme") == "https":  # the first page shows the address that the client used
        headers.setdefault("x-forwarded-proto", "https")
    raw_path = with_encoded_slash(scope.get("raw_path") or b"")
    return Request(scope["method"], scope["path"], query, headers, body, raw_path)


async def read_body(receive: Receive, limit: int) -> bytes | None:
    """Return the body, or its beginning if it has more than `limit` bytes; None if the client has disconnected."""
    parts, size, more = [], 0, True
    while more and size <= DRAINED * limit:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        if size <= limit:
            parts.append(message.get("body", b""))
        size, more = size + len(message.get("body", b"")), message.get("more_body", False)
    return b"".join(parts)


async def _live(reply: LiveReply, feed: Feed, threads: ThreadPoolExecutor, send: Send) -> None:
    """Send the events of a feed when it has some, until it ends."""
    loop = asyncio.get_running_loop()
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    try:
        while (events := await loop.run_in_executor(threads, feed.next)) is not None:
            for event in events:
                await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
            await asyncio.sleep(feed.interval)
    finally:
        feed.close()
    await send({"type": "http.response.body", "body": b""})


async def send_broken(reply: BrokenReply, scope: Scope, receive: Receive, send: Send) -> None:
    """Send a broken reply, and end its connection; without a function that ends it, `ConnectionAbortedError` does."""
    end: End | None = scope.get("state", {}).get(END_CONNECTION)
    await cancel_on_disconnect(_broken(reply, send, end), receive)
    if end is None:
        raise ConnectionAbortedError(f"A fault: the connection is {reply.ending.value}.")  # servers drop it


async def _broken(reply: BrokenReply, send: Send, end: End | None) -> None:
    await send_beginning(reply, send)
    if end is not None:
        end(reply.ending)
        await asyncio.Event().wait()  # until it is cancelled, because the client is disconnected


async def send_beginning(reply: BrokenReply, send: Send) -> None:
    """Send what a broken reply has, until it is time to end the connection."""
    waits = waits_of(reply)
    await waits.wait_async(reply.delay, asyncio.sleep)
    if reply.has_head:
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        for event in () if isinstance(reply.body, bytes) else reply.body:
            await waits.wait_async(event.delay, asyncio.sleep)
            await send({"type": "http.response.body", "body": event.encode(), "more_body": True})
    if reply.ending is Ending.STALL:
        await waits.wait_async(reply.seconds, asyncio.sleep)


async def send_reply(reply: Reply, send: Send) -> None:
    """Send a reply, after its delays."""
    waits = waits_of(reply)
    if reply.delay:
        await waits.wait_async(reply.delay, asyncio.sleep)
    else:  # other requests that have arrived are answered in the same turn of the loop, which takes less time for all
        await asyncio.sleep(0)
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in reply.headers.items()]
    await send({"type": "http.response.start", "status": reply.status, "headers": headers})
    if isinstance(reply.body, bytes):
        return await send({"type": "http.response.body", "body": reply.body})
    begun, ready = time.perf_counter(), b""
    for event in reply.body:
        is_late = event.delay and waits.has_passed(event.delay)
        if ready and not (is_late and len(ready) < _PIECE):
            await send({"type": "http.response.body", "body": ready, "more_body": True})
            ready = b""
        if event.delay:
            await waits.wait_async(event.delay, asyncio.sleep)
        if event.delay and not is_late:
            begun = time.perf_counter()
        elif time.perf_counter() - begun > _SLICE:
            await asyncio.sleep(0)
            begun = time.perf_counter()
        ready += event.encode()  # sent with the next one if that is late already
    return await send({"type": "http.response.body", "body": ready})
