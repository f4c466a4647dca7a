"""The smallest of servers, for what a deployment would never do."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event
from typing import TypeAlias

SESSION = "7d444840-9dc0-41d1-b245-5ffdce74fad2"
#: What a request gets: status, headers, body. None: the connection is closed without a word.
Answer: TypeAlias = tuple[int, Mapping[str, str], bytes] | None


@contextmanager
def serving(answer: Callable[[str, bytes], Answer]) -> Iterator[str]:
    """Serve the answers of a function to a path and a body; yield the root URL."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Head and body are sent one after the other: the second would wait 40 ms for the first's acknowledgement.
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length") or 0))
            self._send(answer(self.path, body))

        def do_GET(self) -> None:
            self.do_POST()

        def _send(self, found: Answer) -> None:
            if found is None:
                self.close_connection = True
                return
            status, headers, content = found
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Stalling:
    """Answers all requests except those with a pattern; `reached` is set after a number of them."""

    def __init__(self, pattern: bytes, times: int) -> None:
        self.reached, self.ended = Event(), Event()
        self._pattern, self._left = pattern, times

    def answer(self, path: str, body: bytes) -> Answer:
        if self._pattern in body:
            self._left -= 1
            if not self._left:
                self.reached.set()
            self.ended.wait(60)
        usage = {"prompt_tokens": 10 + len(body) // 4, "completion_tokens": 1, "total_tokens": 11 + len(body) // 4}
        choice = {"index": 0, "message": {"role": "assistant", "content": "Yes."}, "finish_reason": "stop"}
        answer = {"choices": [choice], "usage": usage, "session_id": SESSION}
        status = 422 if b'"messages": []' in body else 200
        return status, {"content-type": "application/json"}, json.dumps(answer).encode()


def closed_port() -> int:
    """Return a port without a listener."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port
