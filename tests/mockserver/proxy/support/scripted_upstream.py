"""A deployment whose bytes and whose timing a test decides: it answers each request with a function of the test."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from agent_contract.messages import Reply

#: Seconds after which a step that never comes fails a test.
LIMIT = 20.0


@dataclass(frozen=True)
class Asked:
    """A request as it arrived, and the connection on which it is answered."""

    head: bytes
    body: bytes
    connection: socket.socket

    @property
    def line(self) -> str:
        return self.head.split(b"\r\n", 1)[0].decode()

    @property
    def headers(self) -> dict[str, str]:
        pairs = (line.partition(": ") for line in self.head.decode("latin-1").split("\r\n")[1:] if line)
        return {name.lower(): value for name, _, value in pairs}

    def send(self, *parts: bytes) -> None:
        for part in parts:
            self.connection.sendall(part)

    def chunk(self, *parts: bytes) -> None:
        for part in parts:
            self.send(b"%x\r\n%s\r\n" % (len(part), part))

    def reply(self, reply: Reply) -> None:
        body = reply.content()
        headers = "".join(f"{name}: {text}\r\n" for name, text in reply.headers.items())
        self.send(f"HTTP/1.1 {reply.status} X\r\n{headers}content-length: {len(body)}\r\n\r\n".encode() + body)

    def stream(self) -> None:
        """Send the head of a stream; its events follow in chunks."""
        self.send(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")

    def is_left(self) -> bool:
        """Wait until the other side closes the connection."""
        self.connection.settimeout(LIMIT)
        with contextlib.suppress(ConnectionError):
            return self.connection.recv(1) == b""
        return True


@dataclass
class ScriptedUpstream:
    """A listening deployment, with the requests that it got."""

    url: str
    asked: list[Asked] = field(default_factory=list)


@contextmanager
def scripted(answer: Callable[[Asked], None]) -> Iterator[ScriptedUpstream]:
    """Serve until the block is left; `answer` runs in a thread for each connection."""
    listening = socket.create_server(("127.0.0.1", 0))
    upstream = ScriptedUpstream(f"http://127.0.0.1:{listening.getsockname()[1]}")

    def serve(connection: socket.socket) -> None:
        with connection, contextlib.suppress(ConnectionError, ValueError):
            while asked := _read(connection):
                upstream.asked.append(asked)
                answer(asked)

    def accept() -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = listening.accept()
                threading.Thread(target=serve, args=(connection,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    try:
        yield upstream
    finally:
        listening.shutdown(socket.SHUT_RDWR)
        listening.close()


def _read(connection: socket.socket) -> Asked | None:
    with connection.makefile("rb") as file:
        lines = []
        while (line := file.readline()) not in (b"\r\n", b""):
            lines.append(line)
        if not lines:
            return None
        head = b"".join(lines)
        length = next((int(line.split(b":")[1]) for line in lines if line.lower().startswith(b"content-length")), 0)
        return Asked(head, file.read(length), connection)
