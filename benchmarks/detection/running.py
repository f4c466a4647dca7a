"""Runs a deployment on a port of this machine, in a thread of its own."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from granian.constants import Interfaces
from granian.server.embed import Server as Granian

from benchmarks.detection.certificates import certificates
from benchmarks.detection.hooks import Asgi
from benchmarks.detection.reference_server import ServerHooks, Tally, create_app

#: How long a server may take to start or to stop, in seconds.
PATIENCE = 10.0


@contextmanager
def running(hooks: ServerHooks, tally: Tally | None = None) -> Iterator[str]:
    """Serve a deployment; yield its root URL, and stop it at the end. `tally` counts what it is asked for.

    One that speaks TLS is certified by the authority of `certificates`.
    """
    app = create_app(hooks, tally)
    with SERVERS[hooks.server](app, hooks) as url:
        yield url


@contextmanager
def by_uvicorn(app: Asgi, hooks: ServerHooks) -> Iterator[str]:
    """Serve an application by uvicorn, over HTTP/1.1."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    config = uvicorn.Config(
        app, log_level="critical", lifespan="off", timeout_graceful_shutdown=1, date_header=hooks.dated
    )
    server = uvicorn.Server(config)
    with in_a_thread(lambda: server.run(sockets=[listener])) as thread:
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(PATIENCE)
            listener.close()


@contextmanager
def by_granian(app: Asgi, hooks: ServerHooks) -> Iterator[str]:
    """Serve an application by granian over TLS, by HTTP/2 if the client offers it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    loop = asyncio.new_event_loop()
    started: list[Granian] = []

    async def serve() -> None:
        cert, key = certificates().certificate, certificates().key
        interface = Interfaces.ASGINL
        server = Granian(app, port=port, interface=interface, log_enabled=False, ssl_cert=cert, ssl_key=key)
        started.append(server)
        await server.serve()

    with in_a_thread(lambda: loop.run_until_complete(serve())) as thread:
        try:
            wait_for(port)
            yield f"https://127.0.0.1:{port}"
        finally:
            loop.call_soon_threadsafe(started[0].stop)
            thread.join(PATIENCE)
            loop.close()


SERVERS = {"uvicorn": by_uvicorn, "granian": by_granian}


@contextmanager
def in_a_thread(run: Callable[[], None]) -> Iterator[threading.Thread]:
    """Run a function in a thread for as long as the block lasts."""
    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    yield thread


def wait_for(port: int) -> None:
    """Return when something listens on a port; raise TimeoutError when nothing does in time."""
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        with socket.socket() as client:
            if client.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.02)
    raise TimeoutError(f"no server listens on port {port} after {PATIENCE:g} s")
