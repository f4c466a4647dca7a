"""The mock on a port, in a thread of this process: for tests, up in milliseconds."""

from __future__ import annotations

import threading
from types import TracebackType

from werkzeug.serving import WSGIRequestHandler, make_server

from mockserver.adapters.wsgi import create_app
from mockserver.build import load_engine
from mockserver.engine import Engine

API = "/api/v1/compatibility/openai/v1"


class MockServer:
    """A running mock: `with MockServer() as mock:` gives `mock.url`; it stops at the block's end, streams included.

    `port` 0 takes a free one. Raises OSError when the port is taken.
    """

    def __init__(self, engine: Engine | None = None, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self.engine = engine or load_engine()
        self._stopped = threading.Event()
        self._server = make_server(
            host, port, create_app(self.engine, self._stopped.wait), True, request_handler=_Quiet
        )
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)
        #: The server's root.
        self.url = f"http://{f'[{host}]' if ':' in host else host}:{self._server.port}"

    def base_url(self, agent: str = "demo") -> str:
        """Return the base URL that an OpenAI client is given to talk to `agent`."""
        return f"{self.url}{API}/assistants/{agent}"

    def __enter__(self) -> MockServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Quiet(WSGIRequestHandler):
    def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
        """Say nothing: the engine's journal knows more."""
