"""A TCP proxy in front of a server that can hold back the server's answers, as a slow network does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Event, Thread


class HeldProxy:
    """Forwards connections to a port; while it is held, nothing that the server answers passes."""

    def __init__(self, target: int) -> None:
        self.port = 0
        self._target = target
        self._loop = asyncio.new_event_loop()
        self._passes = asyncio.Event()
        self._passes.set()
        self._stopped = asyncio.Event()

    def hold(self) -> None:
        self._loop.call_soon_threadsafe(self._passes.clear)

    def release(self) -> None:
        self._loop.call_soon_threadsafe(self._passes.set)

    async def _forward(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            from_server, to_server = await asyncio.open_connection("127.0.0.1", self._target)
            await asyncio.gather(self._copy(reader, to_server, False), self._copy(from_server, writer, True))

    async def _copy(self, source: asyncio.StreamReader, target: asyncio.StreamWriter, held: bool) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                if held:
                    await self._passes.wait()
                target.write(data)
                await target.drain()
        target.close()

    def run(self, started: Event) -> None:
        """Serve until `stop` is called."""

        async def listen() -> None:
            async with await asyncio.start_server(self._forward, "127.0.0.1", 0, backlog=1024) as server:
                self.port = server.sockets[0].getsockname()[1]
                started.set()
                await self._stopped.wait()

        with asyncio.Runner(loop_factory=lambda: self._loop) as runner:
            runner.run(listen())

    def stop(self) -> None:
        self._loop.call_soon_threadsafe(self._stopped.set)


@contextmanager
def held_proxy(target: int) -> Iterator[HeldProxy]:
    """Yield a proxy in front of a port; it runs in a thread until the block is left."""
    proxy, started = HeldProxy(target), Event()
    thread = Thread(target=proxy.run, args=(started,))
    thread.start()
    started.wait()
    try:
        yield proxy
    finally:
        proxy.stop()
        thread.join()
