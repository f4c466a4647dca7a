"""Plays an engine at a listening socket, in this process or in several."""

from __future__ import annotations

import socket
from contextlib import closing
from dataclasses import replace

from mockserver.adapters.asgi import create_app
from mockserver.engine import Engine
from mockserver.server.access_log import LoggedEngine, RequestLog
from mockserver.server.granian_server import run
from mockserver.server.workers import run_workers
from mockserver.stores import open_store


def play(
    engine: Engine, listening: socket.socket, log_level: str, banner: str = "", lifeline: int | None = None
) -> None:
    """Play `engine` until it is told to stop, as `serving.run` says; print the banner, then a line a request."""
    with closing(engine), closing(RequestLog(log_level)) as log:
        run(create_app(LoggedEngine(engine, log)), listening, lambda: log.say(banner) if banner else None, lifeline)


def play_together(
    workers: int, engine: Engine, store: str, listening: socket.socket, log_level: str, banner: str
) -> None:
    """Play what `engine` plays in several processes, each with a connection of its own to the store at `store`.

    Raises `WorkersEnd` when none of them stays alive.
    """
    engine.close()  # a connection must not be used on both sides of a fork

    def work(lifeline: int) -> None:
        limits = engine.limits
        # Not checked: a store that is gone for a moment is answered with 503, as it is by the workers that stayed.
        opened = open_store(store, items=limits.sessions, size=limits.store, check=False)
        play(replace(engine, store=opened), listening, log_level, lifeline=lifeline)

    print(banner, flush=True)
    run_workers(workers, work, lambda line: print(line, flush=True))
