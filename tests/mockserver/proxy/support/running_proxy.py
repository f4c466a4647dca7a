"""A proxy in a thread, on the server and the connections that `agent-contract proxy` has."""

from __future__ import annotations

import asyncio
import io
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Event, Thread
from typing import Any

from uvicorn import Config, Server

from mockserver.proxy.app import Proxy, create_proxy
from mockserver.proxy.passage import Enforce
from mockserver.proxy.run import ProxySettings, connect_proxy, proxy_engine
from mockserver.proxy.upstream import Upstream
from mockserver.server.access_log import RequestLog
from mockserver.server.connection import Connection, ConnectionSettings
from mockserver.server.connection_limits import ConnectionLimits
from mockserver.server.http_server import bind
from tests.mockserver.support.chat_client import path_of

LIMIT = 20.0


@dataclass(frozen=True)
class RunningProxy:
    """A proxy at `url`; `said` are the lines about recordings."""

    url: str
    proxy: Proxy
    folder: Path
    said: list[str]
    server: Server

    @property
    def chat(self) -> str:
        return self.url + path_of()

    def connections(self) -> int:
        """Return how many connections are open."""
        return len(self.server.server_state.connections)

    def pass_time(self, seconds: float) -> None:
        """Apply the limits of connections as if this time had passed."""
        for connection in [*self.server.server_state.connections]:
            assert isinstance(connection, Connection)
            connection.loop.call_soon_threadsafe(connection.expire, connection.loop.time() + seconds)

    def journal(self) -> list[dict[str, Any]]:
        """Return the journal, newest first."""
        return self.proxy.engine.requests()

    def recordings(self, count: int = 1) -> list[Path]:
        """Return the recordings when there are `count` of them: they are written after the reply was sent."""
        wait_until(lambda: len(list(self.folder.glob("*.json"))) >= count)
        return sorted(self.folder.glob("*.json"))


def wait_until(condition: Callable[[], object]) -> None:
    """Wait for something that another thread does."""
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "it did not happen"
        Event().wait(0.005)


@contextmanager
def running(
    upstream: str,
    folder: Path,
    *,
    enforce: str = "none",
    timeout: float = 600.0,
    redact: tuple[str, ...] = (),
    most_body: int = 1 << 20,
    settings: ProxySettings | None = None,
    faults: tuple[str, ...] = (),
    **bounds: Any,
) -> Iterator[RunningProxy]:
    """Run a proxy until the block is left; it records in `folder`."""
    engine, said = proxy_engine(most_body=most_body, faults=faults), list[str]()
    log = RequestLog("error", io.StringIO())
    wanted = settings or ProxySettings(Enforce(enforce), folder, redact)
    proxy = replace(connect_proxy(engine, Upstream(upstream, timeout), wanted, log, said.append), **bounds)
    connections = ConnectionSettings(ConnectionLimits(), 17 * most_body, lambda _: None, answers_half_closed=False)
    config = Config(
        create_proxy(proxy),
        http=partial(Connection, connections),  # type: ignore[arg-type]
        lifespan="off",
        log_config=None,
        timeout_graceful_shutdown=1,
    )
    server, listening = Server(config), bind("127.0.0.1", 0)
    url = f"http://127.0.0.1:{listening.getsockname()[1]}"

    async def serve() -> None:
        await server.serve([listening])
        await proxy.upstream.close()

    thread = Thread(target=lambda: asyncio.run(serve()), daemon=True)
    thread.start()
    with closing(engine), closing(log):
        try:
            wait_until(lambda: server.started)
            yield RunningProxy(url, proxy, folder, said, server)
        finally:
            server.should_exit = True
            thread.join(LIMIT)
            if proxy.recorder is not None:
                proxy.recorder.close()
