"""Sends the same events on every connection, and parses nothing: shows the ceiling of the generator of streams.

python -m benchmarks.serving.bare_stream_server PORT EVENTS GAP
"""

from __future__ import annotations

import asyncio
import sys

import uvloop

from benchmarks.serving.stream_load import END

_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n"
_EVENT = b'data: {"choices":[{"index":0,"delta":{"content":"word "}}]}\n\n'


class _Connection(asyncio.Protocol):
    """Answers the first bytes that arrive, whatever they are."""

    def __init__(self, events: int, gap: float) -> None:
        self._left, self._gap = events, gap
        self._begun = 0.0
        self._transport: asyncio.WriteTransport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]

    def data_received(self, data: bytes) -> None:
        if not self._begun:
            self._begun = asyncio.get_running_loop().time()
            self._transport.write(_HEAD)
            self._next(1)

    def _next(self, number: int) -> None:
        loop = asyncio.get_running_loop()
        loop.call_at(self._begun + number * self._gap, self._event, number)

    def _event(self, number: int) -> None:
        if self._transport.is_closing():
            return
        last = number == self._left
        self._transport.write(_EVENT + END + b"\n\n" if last else _EVENT)
        if last:
            self._transport.close()
        else:
            self._next(number + 1)


async def serve(port: int, events: int, gap: float) -> None:
    """Serve until the process ends."""
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: _Connection(events, gap), "127.0.0.1", port, backlog=4096)
    await server.serve_forever()


def main() -> None:
    """Serve with the arguments of the command line."""
    port, events, gap = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(int(port), int(events), float(gap)))


if __name__ == "__main__":
    main()
