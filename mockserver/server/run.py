"""Serves an engine at a listening socket, in this process or in several."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from threading import Thread

from agent_contract.messages import Exchange
from mockserver.adapters.asgi import create_app
from mockserver.adapters.disconnect import DRAINED
from mockserver.build import with_store
from mockserver.engine import Engine
from mockserver.server.access_log import LoggedEngine, RequestLog
from mockserver.server.connection import ConnectionSettings
from mockserver.server.http_server import run
from mockserver.server.served import Served
from mockserver.server.settings import ServerSettings
from mockserver.server.systemd import notify_ready
from mockserver.server.workers import run_workers
from mockserver.stores import open_store


def serve_in_this_process(
    engine: Served, listening: socket.socket, settings: ServerSettings, lifeline: int | None = None
) -> None:
    """Serve `engine` until the process is stopped; print the banner, then a line for each request."""
    with closing(engine), closing(RequestLog(settings.log_level)) as log:

        def begin() -> None:
            if settings.banner:
                log.say(settings.banner)
            notify_ready()

        logged = LoggedEngine(engine, log)
        connections = ConnectionSettings(settings.limits, (DRAINED + 1) * engine.limits.largest_body, _recorder(logged))
        run(
            create_app(logged),
            listening,
            connections,
            log.say,
            begin,
            lifeline,
            observe=engine.metrics.set_open if engine.metrics else None,
            tls=settings.tls,
            drain_seconds=settings.drain_seconds,
        )


def _recorder(engine: LoggedEngine) -> Callable[[Exchange], None]:
    """Return a function that records an exchange, in a thread if the journal may wait for the store."""
    if not engine.blocking:
        return engine.record
    thread = ThreadPoolExecutor(1)

    def record(exchange: Exchange) -> None:
        thread.submit(engine.record, exchange)

    return record


def serve_in_processes(
    workers: int, engine: Engine, store: str, listening: socket.socket, settings: ServerSettings
) -> None:
    """Serve `engine` in several processes, each with its own connection to the store at `store`.

    Raises `WorkersFailed` if no process stays alive.
    """
    engine.close()  # a connection must not be used by two processes

    def work(lifeline: int) -> None:
        bounds = engine.limits
        # Don't check the store: a worker that starts while it is unavailable answers 503, as the other workers do.
        opened = open_store(store, items=bounds.sessions, size=bounds.store, check=False)
        serve_in_this_process(with_store(engine, opened), listening, replace(settings, banner=""), lifeline)

    _print(settings.banner)
    run_workers(workers, work, _print, settings.drain_seconds)


def stop_with_stdin() -> None:
    """Stop this process, as SIGTERM does, when standard input ends; a pipe ends with the process that writes to it."""

    def wait() -> None:
        with contextlib.suppress(OSError):
            while os.read(0, 4096):
                pass
        signal.raise_signal(signal.SIGTERM)

    Thread(target=wait, daemon=True).start()


def _print(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # stdout is closed
        print(line, flush=True)
