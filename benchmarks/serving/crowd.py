"""Keeps many clients of a server at the same time: idle ones, slow uploads, and streams.

python -m benchmarks.serving.crowd PORT PATH IDLE UPLOADS STREAMS EVENTS

It prints a line when the idle clients and the uploads are there, and the result of the streams when these have ended.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
from dataclasses import asdict

import uvloop

from benchmarks.serving.stream_load import measure

READY = "ready"
_OPENING = 200
_UPLOAD = 100_000


async def _opened(port: int, number: int, data: bytes) -> list[asyncio.WriteTransport]:
    """Return connections that have each sent this."""
    loop, opened = asyncio.get_running_loop(), list[asyncio.WriteTransport]()
    while len(opened) < number:
        several = range(min(_OPENING, number - len(opened)))
        made = await asyncio.gather(*(loop.create_connection(asyncio.Protocol, "127.0.0.1", port) for _ in several))
        opened += [transport for transport, _ in made]
    for transport in opened:
        transport.write(data)
    return opened


async def _crowd(port: int, path: str, idle: int, uploads: int, streams: int, events: int) -> None:
    head = f"POST {path} HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: application/json\r\n"
    upload = f"{head}content-length: {_UPLOAD}\r\n\r\n".encode() + b" " * (_UPLOAD // 2)
    # Each of the idle clients has had an answer.
    asked = f"GET {path.partition('/agents/')[0]}/models HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n".encode()
    held = [*await _opened(port, idle, asked), *await _opened(port, uploads, upload)]
    print(READY, flush=True)
    found = await measure(port, path, streams, events)
    closed = sum(transport.is_closing() for transport in held)
    print(json.dumps({**asdict(found), "closed": closed}), flush=True)


def main() -> None:
    """Open the connections, and print the result of the streams as JSON."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    port, path, *numbers = sys.argv[1:]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_crowd(int(port), path, *map(int, numbers)))


if __name__ == "__main__":
    main()
