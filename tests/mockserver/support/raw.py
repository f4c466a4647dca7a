"""Raw HTTP over a socket, for requests that client libraries can't send."""

from __future__ import annotations

import socket
from collections.abc import Iterable
from urllib.parse import urlsplit

from tests.mockserver.support.chat_client import path_of

HEAD = f"POST {path_of()} HTTP/1.1\r\nHost: mock\r\nContent-Type: application/json\r\n".encode()


def connect(url: str) -> socket.socket:
    """Return a connection to the server at a URL with a timeout of twenty seconds."""
    parts = urlsplit(url)
    return socket.create_connection((parts.hostname, parts.port), timeout=20)


def exchange(url: str, parts: Iterable[bytes]) -> tuple[int, bytes]:
    """Send all parts; return the status and the body of a reply that has a length."""
    with connect(url) as connection:
        for part in parts:
            connection.sendall(part)
        return read_reply(connection)


def read_reply(connection: socket.socket) -> tuple[int, bytes]:
    with connection.makefile("rb") as stream:
        status = int(stream.readline().split()[1])
        length = 0
        while (line := stream.readline().strip()) != b"":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        return status, stream.read(length)


def chunked(body: bytes, size: int) -> Iterable[bytes]:
    """Yield a body in chunks. Source: RFC 9112, section 7.1."""
    for start in range(0, len(body), size):
        part = body[start : start + size]
        yield b"%x\r\n%s\r\n" % (len(part), part)
    yield b"0\r\n\r\n"
