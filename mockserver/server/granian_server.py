"""Runs the ASGI application on granian, in this process, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from granian.constants import Interfaces
from granian.net import SocketHolder  # type: ignore[attr-defined]  # not in its __all__
from granian.server.embed import Server

from mockserver.adapters.disconnect import App, Receive, Scope, Send

_BACKLOG = 1024
_GRACE = 0.2  # seconds that replies on their way have to end
_PATIENCE = 1.0  # seconds until the server is left behind
_THREADS = 32  # that wait for a store at once: with one that hangs, so many clients learn of it at a time


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens at host and port; 0 takes a free port. Raises OSError when there is none."""
    family, _, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
    listening = socket.socket(family, socket.SOCK_STREAM)
    try:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind(address)
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def run(app: App, listening: socket.socket, on_start: Callable[[], None], lifeline: int | None = None) -> None:
    """Serve `app` on a listening socket until SIGINT or SIGTERM; open replies are cut off within a second of it.

    With a `lifeline`, until SIGTERM or until that file descriptor is at its end.
    """
    asyncio.run(_run(app, listening, on_start, lifeline))


async def _run(app: App, listening: socket.socket, on_start: Callable[[], None], lifeline: int | None) -> None:
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(_THREADS))
    busy: set[asyncio.Task[Any]] = set()

    async def counted(scope: Scope, receive: Receive, send: Send) -> None:
        task = asyncio.current_task()
        assert task
        busy.add(task)
        try:
            await app(scope, receive, send)
        finally:
            busy.discard(task)

    host, port = listening.getsockname()[:2]
    server = _Server(listening, counted, address=host, port=port, interface=Interfaces.ASGINL, log_enabled=False)
    serving = loop.create_task(server.serve())

    def stop() -> None:
        if lifeline is not None:
            loop.remove_reader(lifeline)
        server.stop()  # type: ignore[no-untyped-call]
        loop.call_later(_GRACE, lambda: [task.cancel() for task in busy])
        loop.call_later(_PATIENCE, serving.cancel)

    if lifeline is not None:
        loop.add_reader(lifeline, stop)
    for number in (signal.SIGTERM,) if lifeline is not None else (signal.SIGINT, signal.SIGTERM):
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    on_start()
    with contextlib.suppress(asyncio.CancelledError):
        await serving


class _Server(Server):
    """Granian's embedded server on a socket that is bound already, so that its port is known and no one else's."""

    def __init__(self, listening: socket.socket, app: App, **options: Any) -> None:
        super().__init__(app, **options)
        self._listening = listening

    def _init_shared_socket(self) -> None:
        self._ssp = None
        self._shd: Any = SocketHolder(self._listening.fileno(), False, _BACKLOG)  # type: ignore[call-arg]
