"""Opens many event streams at once and measures how long each of them takes.

python -m benchmarks.serving.stream_load PORT PATH STREAMS

It opens every connection first, then sends every request, and prints the result as JSON. It uses asyncio protocols
on uvloop and looks only at the bytes that it must, because it shares the machine with the server that it measures.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass

import uvloop

END = b"data: [DONE]"
_STATUS = b" 200 "
_LIMIT = 120.0
#: Connections that are opened at a time, so that none waits in the backlog for long.
_OPENING = 200


@dataclass(frozen=True, slots=True)
class Streams:
    """How many streams there were, how many failed, their events, and the time that they took in seconds."""

    streams: int
    failed: int
    events: int
    p50: float
    p99: float
    longest: float


def summary(seconds: Sequence[float], streams: int, events: int) -> Streams:
    """Return the result of a number of streams, of which those that ended well took these seconds."""
    ordered = sorted(seconds)
    if not ordered:
        return Streams(streams, streams, events, 0.0, 0.0, 0.0)
    p50, p99 = (ordered[min(len(ordered) - 1, int(len(ordered) * part))] for part in (0.5, 0.99))
    return Streams(streams, streams - len(ordered), events, p50, p99, ordered[-1])


def request(path: str, number: int, events: int) -> bytes:
    """Return the bytes of a request for a stream, with a body that no other number has."""
    message = {"role": "user", "content": f"What does order number {number} cost?"}
    body = json.dumps({"messages": [message], "stream": True, "max_tokens": events}).encode()
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    return f"{head}authorization: Bearer token\r\ncontent-length: {len(body)}\r\n\r\n".encode() + body


class _Stream(asyncio.Protocol):
    """One connection. `seconds` is None until its stream has ended well."""

    def __init__(self, ended: asyncio.Semaphore) -> None:
        self.seconds: float | None = None
        self.events = 0
        self._ended, self._open = ended, True
        self._tail = b""
        self._good: bool | None = None
        self._began = 0.0
        self._transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport) or hasattr(transport, "write")
        self._transport = transport  # type: ignore[assignment]

    def send(self, data: bytes) -> None:
        self._began = time.perf_counter()
        self._transport.write(data)

    def data_received(self, data: bytes) -> None:
        if self._good is None:
            self._good = _STATUS in data[:20]
        # A mark can be split between two reads.
        seen = self._tail + data
        self.events += seen.count(b"data: ") - self._tail.count(b"data: ")
        self._tail = seen[-len(END) :]
        if END in seen and self._open:
            self.seconds = time.perf_counter() - self._began if self._good else None
            self._finish()

    def connection_lost(self, error: Exception | None) -> None:
        self._finish()

    def _finish(self) -> None:
        if self._open:
            self._open = False
            self._ended.release()
            self._transport.close()


async def measure(port: int, path: str, streams: int, events: int) -> Streams:
    """Return how long the streams took that were opened at the same time."""
    loop, ended = asyncio.get_running_loop(), asyncio.Semaphore(0)
    opened: list[_Stream] = []
    for begin in range(0, streams, _OPENING):
        several = range(begin, min(streams, begin + _OPENING))
        made = await asyncio.gather(
            *(loop.create_connection(lambda: _Stream(ended), "127.0.0.1", port) for _ in several)
        )
        opened += [protocol for _, protocol in made]
    requests = [request(path, number, events) for number in range(streams)]
    for stream, data in zip(opened, requests, strict=True):
        stream.send(data)
    try:
        async with asyncio.timeout(_LIMIT):
            for _ in opened:
                await ended.acquire()
    except TimeoutError:
        pass
    took = [stream.seconds for stream in opened if stream.seconds is not None]
    return summary(took, streams, sum(stream.events for stream in opened))


def main() -> None:
    """Print the result as JSON."""
    port, path, streams, events = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        print(json.dumps(asdict(runner.run(measure(int(port), path, int(streams), int(events))))))


if __name__ == "__main__":
    main()
