"""Measures what the proxy adds to a streamed chat: time to the first byte, and CPU time.

    python -m benchmarks.proxy_first_byte [PAIRS]

Each pair is one request straight to a mock and one through a proxy in front of it, on connections that stay open, in
alternating order: what else the machine does meets both. The median of the differences is reported, and the CPU time
of the proxy's process per request, which other processes change least.
"""

from __future__ import annotations

import http.client
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import closing
from pathlib import Path
from urllib.parse import urlsplit

from tests.mockserver.support.chat_client import path_of, user
from tests.support.serving import serve

#: Pairs that are sent before the measurement.
_WARM = 30
_BODY = json.dumps({"messages": [user("Hello!")], "stream": True})
_HEADERS = {"content-type": "application/json", "authorization": "Bearer any"}


def first_byte(connection: http.client.HTTPConnection) -> float:
    """Return the seconds from a request to the first byte of its stream, in milliseconds; read the rest."""
    begun = time.perf_counter()
    connection.request("POST", path_of(), _BODY, _HEADERS)
    reply = connection.getresponse()
    assert reply.status == 200
    assert reply.read(1)
    seconds = time.perf_counter() - begun
    reply.read()
    return seconds * 1000


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main(pairs: int) -> None:
    """Print the medians."""
    with (
        tempfile.TemporaryDirectory() as folder,
        serve() as mock,
        serve(mock.url, "--record", folder, "--log-level", "error", name="proxy") as proxy,
        closing(http.client.HTTPConnection(urlsplit(mock.url).netloc)) as straight,
        closing(http.client.HTTPConnection(urlsplit(proxy.url).netloc)) as passed,
    ):
        times: dict[http.client.HTTPConnection, list[float]] = {straight: [], passed: []}
        before = 0.0
        for number in range(_WARM + pairs):
            if number == _WARM:
                times = {straight: [], passed: []}
                before = cpu_seconds(proxy.pid)
            for connection in (straight, passed) if number % 2 else (passed, straight):
                times[connection].append(first_byte(connection))
        spent = (cpu_seconds(proxy.pid) - before) / pairs * 1000
    added = sorted(one - other for one, other in zip(times[passed], times[straight], strict=True))
    print(f"{pairs} pairs, load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} CPUs")
    for name, found in (("straight", times[straight]), ("through the proxy", times[passed]), ("added", added)):
        print(
            f"{name:<18} median {statistics.median(found):6.2f} ms, best tenth {sorted(found)[len(found) // 10]:.2f} ms"
        )
    print(f"CPU time of the proxy per request, with checks and a recording: {spent:.2f} ms")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
