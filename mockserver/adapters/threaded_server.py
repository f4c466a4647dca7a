"""A mock server in a thread of this process, for tests; it starts in milliseconds."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from types import TracebackType
from typing import Self

from werkzeug.serving import WSGIRequestHandler, make_server

from agent_contract.messages import Exchange, Request
from mockserver.adapters.disconnect import refusal
from mockserver.adapters.wsgi import create_app
from mockserver.build import load_engine
from mockserver.core.player import Player
from mockserver.engine import Engine

#: Timeout in seconds for each read of a request and each write of a reply.
_TIMEOUT = 30.0
_BACKLOG = 128
API = "/api/v1/compatibility/openai/v1"


class ThreadedServer:
    """A server in a thread, which stops at the end of the `with` block.

    `port` 0 chooses a free one. Raises OSError if the port is in use.
    """

    def __init__(self, player: Player, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._player = player
        self._host = host
        self._stopped = threading.Event()
        self._connections: set[socket.socket] = set()
        self._open(port)
        #: The URL of the server, without a path.
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self._server.port}"

    def base_url(self, agent: str = "demo") -> str:
        """Return the base URL for an OpenAI client that uses `agent`."""
        return f"{self.url}{API}/assistants/{agent}"

    @contextlib.contextmanager
    def refusing(self) -> Iterator[None]:
        """Refuse connections until the end of the block: nothing listens at the port, and no one else can take it."""
        port, family = self._server.port, self._server.socket.family
        self._close()
        for connection in [*self._connections]:
            with contextlib.suppress(OSError):  # it ends by itself
                connection.shutdown(socket.SHUT_RDWR)
        with socket.socket(family, socket.SOCK_STREAM) as reserved:
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            reserved.bind((self._host, port))
            try:
                yield
            finally:
                reserved.listen(_BACKLOG)
                self._open(port, reserved.fileno())
        self._thread.start()

    def _open(self, port: int, descriptor: int | None = None) -> None:
        """Listen at a port, or at the socket with this descriptor, which is duplicated."""
        app, handler = create_app(self._player, self._stopped.wait), _request_class(self._player, self._connections)
        self._server = make_server(self._host, port, app, True, request_handler=handler, fd=descriptor)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    def _close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._close()


class MockServer(ThreadedServer):
    """A running mock: `with MockServer() as mock:` gives `mock.url`; the server stops at the end of the block.

    `port` 0 chooses a free one. Raises OSError if the port is in use.
    """

    def __init__(self, engine: Engine | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.engine = engine or load_engine()
        super().__init__(self.engine, host=host, port=port)


def _request_class(player: Player, connections: set[socket.socket]) -> type[WSGIRequestHandler]:
    """Return the class that serves a connection with `player`, and lists it in `connections` meanwhile."""

    class EngineRequest(WSGIRequestHandler):
        timeout = _TIMEOUT

        def setup(self) -> None:
            """List the connection."""
            super().setup()
            connections.add(self.connection)

        def finish(self) -> None:
            """Forget the connection."""
            connections.discard(self.connection)
            super().finish()

        def log(self, type: str, message: str, *args: object) -> None:
            """Print nothing: the journal has it."""

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Print nothing: the journal has it."""

        def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
            """Answer a malformed request, and record it."""
            request = Request(self.command or "-", getattr(self, "path", "-"))
            player.record(Exchange(request, refusal(code, message or "This is not a valid HTTP request.")))
            super().send_error(code, message, explain)

    return EngineRequest
