"""Measures how long others wait for an expensive request: `python -m benchmarks.waits_over_http [PART OF A NAME]`.

Each request of `benchmarks.costs_per_request` is sent three times to a server of its own, by one client, or at once by
AT_ONCE of them, which the environment sets. Meanwhile another client sends ordinary questions and measures them in wall
time: run it on a machine that does nothing else.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from threading import Thread

import httpx

from agent_contract.messages import Reply, Request
from benchmarks.costs_per_request import BASE, CASES, chat
from tests.mockserver.support.processes import process_at

TIMES = 3
AT_ONCE = int(os.environ.get("AT_ONCE", "1"))


class Remote:
    """Sends requests to a server, as `Engine.reply` answers them."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60, trust_env=False)

    def reply(self, request: Request) -> Reply:
        """Return the server's reply."""
        found = self._client.request(request.method, request.path, content=request.body, headers=dict(request.headers))
        return Reply(found.status_code, {}, found.content)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()


def request_of(path: str, body: object) -> Request:
    """Return the request that a case names; a GET is one of the mock's own interface."""
    if path == "GET":
        return Request("GET", f"/__mock__{body}", (), {}, b"")
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Request("POST", BASE + path, (), {"content-type": "application/json"}, sent)


def waits(url: str, expensive: Request) -> Iterator[float]:
    """Yield the seconds of ordinary questions while a server answers an expensive request three times."""
    ordinary = request_of(*chat())

    def repeat() -> None:
        with closing(Remote(url)) as other:
            for _ in range(TIMES):
                other.reply(expensive)

    with closing(Remote(url)) as client:
        client.reply(ordinary)
        threads = [Thread(target=repeat) for _ in range(AT_ONCE)]
        for thread in threads:
            thread.start()
        while any(thread.is_alive() for thread in threads):
            begun = time.perf_counter()
            client.reply(ordinary)
            yield time.perf_counter() - begun
        for thread in threads:
            thread.join()


def main(wanted: str = "") -> None:
    """Measure every case whose name contains `wanted`."""
    print("| request | questions | median ms | 99 % ms | most ms |\n| --- | --- | --- | --- | --- |")
    for name, prepare in CASES.items():
        if wanted in name:
            with process_at("--log-level", "error") as (_, url), closing(Remote(url)) as remote:
                path, body = prepare(remote)  # type: ignore[arg-type]  # it only calls `reply`
                found = sorted(waits(url, request_of(path, body)))
            middle, late = found[len(found) // 2], found[int(0.99 * len(found))]
            print(
                f"| {name} | {len(found)} | {1e3 * middle:.1f} | {1e3 * late:.0f} | {1e3 * found[-1]:.0f} |", flush=True
            )


if __name__ == "__main__":
    main(*sys.argv[1:])
