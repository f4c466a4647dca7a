"""Measures what a request costs a mock and its Redis: `python -m benchmarks.fleet`, with `redis-server` on the PATH.

CPU time, commands and bytes do not depend on how busy the machine is. The table computes from them how many workers one
Redis serves; `docs/how-to/load.md` explains how.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from dataclasses import astuple, dataclass
from itertools import cycle
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import httpx
from redis import Redis

from tests.mockserver.support.chat_client import path_of, user
from tests.mockserver.support.processes import process_at
from tests.mockserver.support.redis_server import RedisServer

WARM_UP, REQUESTS = 200, 3000
#: Number of mocks, whether a session is extended, and whether a journal is kept.
CASES = (
    (2, False, True),
    (2, False, False),
    (1, True, True),
    (2, True, True),
    (4, True, True),
    (2, True, False),
)
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Cost:
    """What requests cost so far: CPU seconds of the mocks and of Redis, Redis commands, bytes from and to Redis."""

    mock: float
    redis: float
    commands: float
    bytes: float

    def per_request(self, before: Cost) -> Cost:
        """Return the cost of one of the requests since `before`."""
        return Cost(*((now - then) / REQUESTS for now, then in zip(astuple(self), astuple(before), strict=True)))


def cpu_seconds(process: int) -> float:
    """Return the CPU time of a process."""
    fields = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def cost_so_far(redis: RedisServer, mocks: list[int]) -> Cost:
    """Return what was spent until now."""
    with Redis.from_url(redis.url) as client:
        info: Any = client.info("everything")
    spent = info["used_cpu_user"] + info["used_cpu_sys"]
    moved = info["total_net_input_bytes"] + info["total_net_output_bytes"]
    return Cost(sum(map(cpu_seconds, mocks)), spent, info["total_commands_processed"], moved)


def measure(count: int, session: bool, journal: bool, redis: RedisServer) -> Cost:
    """Return what a request costs in a fleet of mocks that answer in turn, one after the other."""
    config = redis.folder / "config.yaml"
    config.write_text("{}" if journal else "limits: {journal: 0}", encoding="utf-8")
    options = ("--store", redis.url, "--log-level", "error", "--config", str(config))
    with ExitStack() as stack:
        running = [stack.enter_context(process_at(*options)) for _ in range(count)]
        mocks, client = [process.pid for process, _ in running], stack.enter_context(httpx.Client())
        urls = cycle(url + path_of() for _, url in running)
        first = {"messages": [user("Hello!")], "create_session": True}
        named = client.post(next(urls), json=first).raise_for_status().json()["session_id"]

        def send(requests: int) -> None:
            for number in range(requests):
                body = {"messages": [user(f"What does order {number} cost?")], "max_tokens": 20}
                more = {"store_in_session": named} if session else {}
                client.post(next(urls), json={**body, **more}).raise_for_status()

        send(WARM_UP)
        before = cost_so_far(redis, mocks)
        send(REQUESTS)
        return cost_so_far(redis, mocks).per_request(before)


def main() -> None:
    """Print a row for each kind of request and size of the fleet."""
    print("| mocks | request | CPU of a mock | CPU of Redis | commands | bytes | workers for one Redis |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for count, session, journal in CASES:
        with TemporaryDirectory() as folder:
            redis = RedisServer(Path(folder))
            redis.start()
            try:
                one = measure(count, session, journal, redis)
            finally:
                redis.stop(kill=True)
        name = f"{'turn of a session' if session else 'plain chat'}{'' if journal else ', no journal'}"
        print(
            f"| {count} | {name} | {1e6 * one.mock:.0f} µs | {1e6 * one.redis:.0f} µs | {one.commands:.0f}"
            f" | {one.bytes:,.0f} | {one.mock / one.redis:.1f} |"
        )


if __name__ == "__main__":
    main()
