"""Plays an engine at a listening socket, in this process or in several."""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

from agent_contract.messages import Exchange
from mockserver.adapters.asgi import create_app
from mockserver.adapters.disconnect import DRAINED
from mockserver.build import with_store
from mockserver.engine import Engine
from mockserver.server.access_log import LoggedEngine, RequestLog
from mockserver.server.connection import ConnectionSettings
from mockserver.server.connection_limits import ConnectionLimits
from mockserver.server.http_server import run
from mockserver.server.workers import run_workers
from mockserver.stores import open_store


def play(
    engine: Engine,
    listening: socket.socket,
    log_level: str,
    limits: ConnectionLimits,
    banner: str = "",
    lifeline: int | None = None,
) -> None:
    """Play `engine` until it is stopped, as `http_server.run` does; print the banner, then a line for each request."""
    with closing(engine), closing(RequestLog(log_level)) as log:
        logged = LoggedEngine(engine, log)
        settings = ConnectionSettings(limits, (DRAINED + 1) * engine.limits.body, _recorder(logged))
        run(create_app(logged), listening, settings, log.say, lambda: log.say(banner) if banner else None, lifeline)


def _recorder(engine: LoggedEngine) -> Callable[[Exchange], None]:
    """Return what records the replies of connections; in a thread if the journal may have to wait for a store."""
    if not engine.blocking:
        return engine.record
    thread = ThreadPoolExecutor(1)

    def record(exchange: Exchange) -> None:
        thread.submit(engine.record, exchange)

    return record


def play_together(
    workers: int,
    engine: Engine,
    store: str,
    listening: socket.socket,
    log_level: str,
    limits: ConnectionLimits,
    banner: str,
) -> None:
    """Play `engine` in several processes, each with a connection of its own to the store at `store`.

    Raises `WorkersEnd` when none of them stays alive.
    """
    engine.close()  # a connection must not be used on both sides of a fork

    def work(lifeline: int) -> None:
        bounds = engine.limits
        # Not checked: a store that is away for a moment is answered with 503, as it is by the workers that stayed.
        opened = open_store(store, items=bounds.sessions, size=bounds.store, check=False)
        play(with_store(engine, opened), listening, log_level, limits, lifeline=lifeline)

    _print(banner)
    run_workers(workers, work, _print)


def _print(line: str) -> None:
    with contextlib.suppress(OSError, ValueError):  # no one reads it any more
        print(line, flush=True)
