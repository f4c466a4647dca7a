"""Runs the ASGI application on uvicorn, in this process, until it is stopped.

uvicorn with httptools and uvloop: one thread, the parser of Node.js, and a protocol class that can be extended. That
lets `connection` limit every connection, answer half-closed clients and report what the parser refuses.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import gc
import logging
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable, Coroutine, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TypeAlias

from uvicorn import Config, Server

from mockserver.adapters.disconnect import App
from mockserver.server.connection import Connection, ConnectionSettings
from mockserver.server.settings import DRAIN_SECONDS
from mockserver.server.workers import HANGUP_LINE

#: Takes the numbers of connections and of replies that are open.
Observe: TypeAlias = Callable[[int, int], None]

_BACKLOG = 4096
_GRACE = 0.2  # seconds for replies to end after they were cut off
_REPEAT = 10.0  # seconds between two log lines about the same error
#: Seconds after which a thread that computes lets the event loop go on; Python's default of 5 ms adds up.
_SWITCH = 0.001


def bind(host: str, port: int) -> socket.socket:
    """Return a socket that listens at host and port; 0 chooses a free one. Raises OSError if that fails."""
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


def bind_unix(path: Path) -> socket.socket:
    """Return a socket that listens at a path, in the place of one that no server uses any more; OSError if it fails."""
    if path.is_socket():
        with socket.socket(socket.AF_UNIX) as attempt:
            if attempt.connect_ex(str(path)) == errno.ECONNREFUSED:
                path.unlink()
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listening.bind(str(path))
        listening.listen(_BACKLOG)
    except OSError:
        listening.close()
        raise
    listening.setblocking(False)
    return listening


def run(
    app: App,
    listening: socket.socket,
    settings: ConnectionSettings,
    log: Callable[[str], None],
    on_start: Callable[[], None] | None = None,
    lifeline: int | None = None,
    on_stop: Callable[[], Coroutine[Any, Any, None]] | None = None,
    observe: Observe | None = None,
    tls: ssl.SSLContext | None = None,
    drain_seconds: float = DRAIN_SECONDS,
) -> None:
    """Serve `app` on a listening socket until SIGINT or SIGTERM, then give open replies some seconds and cut them off.

    With `tls`, connections use TLS. With a `lifeline`, serve until SIGTERM or until that file descriptor reaches its
    end. `log` is called with log lines, `on_stop` when all replies have ended, `observe` every second with the numbers
    of connections and of replies that are open.
    """
    with asyncio.Runner(loop_factory=_loop_factory()) as runner:
        runner.run(_run(app, listening, settings, log, on_start, lifeline, observe, tls, drain_seconds))
        if observe is not None:
            observe(0, 0)
        if on_stop is not None:
            runner.run(on_stop())


def settle() -> None:
    """Let threads and the garbage collector of this process, whose engine is loaded, delay others less.

    A full collection walks through all objects while every connection waits; what a server starts with never goes.
    Hardly anything of it is garbage, which would take 12 ms to collect.
    """
    sys.setswitchinterval(_SWITCH)
    gc.freeze()


def _loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


async def _run(
    app: App,
    listening: socket.socket,
    settings: ConnectionSettings,
    log: Callable[[str], None],
    on_start: Callable[[], None] | None,
    lifeline: int | None,
    observe: Observe | None,
    tls: ssl.SSLContext | None,
    drain_seconds: float,
) -> None:
    loop = asyncio.get_running_loop()
    settle()
    loop.set_exception_handler(_exception_handler(loop, log))
    config = Config(
        app,
        http=partial(Connection, settings),  # type: ignore[arg-type]  # uvicorn only calls it
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        backlog=_BACKLOG,
        timeout_keep_alive=settings.limits.idle_seconds,  # type: ignore[arg-type]  # passed to call_later
        timeout_graceful_shutdown=drain_seconds,  # type: ignore[arg-type]  # passed to wait_for
    )
    config.load()
    config.ssl = tls
    server = _Server(config, FileWatch(listening.fileno(), log), observe)

    def stop() -> None:
        if lifeline is not None:
            loop.remove_reader(lifeline)
        server.should_exit = True

    if lifeline is not None:
        loop.add_reader(lifeline, stop)
    stopping = (signal.SIGTERM,) if lifeline is not None else (signal.SIGINT, signal.SIGTERM)
    for number in stopping:
        try:
            loop.add_signal_handler(number, stop)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop))
    ignore_hangup(loop, log)
    if on_start is not None:
        on_start()
    with _logged(log, server):
        await server.serve([listening])
        if cut_off := tuple(server.server_state.tasks):
            await asyncio.wait(cut_off, timeout=_GRACE)


def ignore_hangup(loop: asyncio.AbstractEventLoop, log: Callable[[str], None]) -> None:
    """Log SIGHUP instead of ending, unless it is already ignored (nohup) or the system does not have it."""
    hangup = getattr(signal, "SIGHUP", None)
    if hangup is not None and signal.getsignal(hangup) != signal.SIG_IGN:
        loop.add_signal_handler(hangup, log, HANGUP_LINE)


class FileWatch:
    """Logs when this process runs out of file descriptors, and when it has some again.

    Without it the event loop would close new connections silently.
    """

    def __init__(self, descriptor: int, log: Callable[[str], None]) -> None:
        self._descriptor, self._log = descriptor, log
        self._out_of_files = False

    def check(self) -> None:
        """Try to open a file."""
        try:
            os.close(os.dup(self._descriptor))
        except OSError as error:
            if not self._out_of_files:
                why = error.strerror or str(error)
                self._log(f"WARNING: {why}: new connections are closed until file descriptors are free (ulimit -n).")
            self._out_of_files = True
        else:
            if self._out_of_files:
                self._log("File descriptors are free again: new connections are accepted.")
            self._out_of_files = False


class _Server(Server):
    """uvicorn's server without its signal handlers. It checks files and the connections' deadlines every second."""

    def __init__(self, config: Config, files: FileWatch, observe: Observe | None) -> None:
        super().__init__(config)
        self._files, self._observe = files, observe

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave signals to `_run`, so that a stopped server exits with status 0."""
        yield

    async def on_tick(self, counter: int) -> bool:
        """Return whether to stop."""
        if counter % 10 == 0:
            if not self.should_exit:
                self._files.check()
            now = asyncio.get_running_loop().time()
            for connection in tuple(self.server_state.connections):
                if isinstance(connection, Connection):
                    connection.expire(now)
            if self._observe is not None:
                self._observe(len(self.server_state.connections), len(self.server_state.tasks))
        return await super().on_tick(counter)


class _LogForwarder(logging.Handler):
    """Forwards errors of uvicorn to the server's log, except while the server stops and ends replies on purpose.

    It omits uvicorn's only warning, about invalid requests, because `Connection` reports those.
    """

    def __init__(self, log: Callable[[str], None], server: Server) -> None:
        super().__init__(logging.ERROR)
        self._log, self._server = log, server

    def emit(self, record: logging.LogRecord) -> None:
        if not self._server.should_exit:
            self._log(self.format(record))


@contextlib.contextmanager
def _logged(log: Callable[[str], None], server: Server) -> Iterator[None]:
    logger, handler = logging.getLogger("uvicorn"), _LogForwarder(log, server)
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = True


def _exception_handler(
    loop: asyncio.AbstractEventLoop, log: Callable[[str], None]
) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """Return a handler that logs errors of the event loop, the same error at most every ten seconds."""
    logged: dict[str, float] = {}

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        kind = f"{context['message']}: {error}" if error else context["message"]
        if loop.time() - logged.get(kind, -_REPEAT) >= _REPEAT:
            logged[kind] = loop.time()
            log(f"The server continues after an error: {kind}")

    return handle
