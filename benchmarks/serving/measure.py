"""Measures one server in one round: the cases that it takes part in."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from benchmarks import npm_servers
from benchmarks.npm_servers import ServerError
from benchmarks.serving import wrk
from benchmarks.serving.crowd import READY
from benchmarks.serving.process import all_cores, halves, pinned, resident
from benchmarks.serving.servers import AGENT, EVENTS, GAP, MOCK, Server
from benchmarks.serving.stream_load import Streams
from benchmarks.serving.wrk import WrkError

_ROOT = Path(__file__).parents[2]
_GENERATOR = "benchmarks.serving.stream_load"
_CROWD = "benchmarks.serving.crowd"
_BARE = "benchmarks.serving.bare_stream_server"
#: Four for each connection.
_SESSIONS = 4 * wrk.CONNECTIONS
_REQUEST_TIMEOUT = 30.0
#: Seconds between two requests of a client whose waits are measured.
_PAUSE = 0.005
_STREAMS_TIMEOUT = 300.0
#: With fewer cores, a server with two workers shares its cores with the load.
_ENOUGH_CORES = 4
_THREAD = """
import time
from http.client import HTTPConnection
from urllib.parse import urlsplit
from mockserver import MockServer
for _ in range(4):
    begin = time.perf_counter()
    with MockServer() as served:
        connection = HTTPConnection(urlsplit(served.url).netloc)
        body = '{"messages":[{"role":"user","content":"Hello!"}]}'
        connection.request("POST", PATH, body, {"content-type": "application/json"})
        assert connection.getresponse().status == 200
        print(1000 * (time.perf_counter() - begin))
"""


@dataclass(frozen=True, slots=True)
class Plan:
    """How long and how much to measure."""

    rounds: int = 5
    seconds: int = 5
    warm_up: int = 2
    streams: int = 4000


@dataclass(frozen=True, slots=True)
class _Running:
    """A server that runs: its port, its process, and the seconds until its first answer."""

    server: Server
    port: int
    process: int
    start: float

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}{self.server.path}"


def measure(server: Server, plan: Plan, folder: Path) -> dict[str, float]:
    """Return the figures of one round by metric. ServerError or WrkError: it could not be measured."""
    shared = "i" in server.cases and len(all_cores()) < _ENOUGH_CORES
    servers, clients = (all_cores(), all_cores()) if shared else halves(all_cores())
    figures: dict[str, float] = {}
    with _started(server, servers, folder) as running:
        if "e" in server.cases:
            figures["e"] = running.start
        if "f" in server.cases:
            figures["f-idle"] = resident(running.process)
        for case in server.cases:
            if case in _CASES:
                figures |= _CASES[case](running, plan, clients, folder)
    if server.name == MOCK:
        figures |= _thread()
    return figures


def ceiling(plan: Plan, folder: Path) -> dict[str, float]:
    """Return what the generator of streams measures of a server that parses nothing."""
    servers, clients = halves(all_cores())
    port = npm_servers.free_port()
    command = [*pinned(servers), sys.executable, "-m", _BARE, str(port), str(EVENTS), str(GAP)]
    with npm_servers.running(command, port, folder / "bare.log", folder=_ROOT):
        return {"d-p99": _streams(port, AGENT, plan.streams, clients).p99}


@contextmanager
def _started(server: Server, cores: frozenset[int], folder: Path) -> Iterator[_Running]:
    port = npm_servers.free_port()
    command = [*pinned(cores), *server.command(folder, port)]
    begin = time.perf_counter()
    with npm_servers.running(command, port, folder / "server.log", server.start) as process:
        status, _ = _ask(port, server.path, _chat("Hello!"))
        start = time.perf_counter() - begin
        if status != http.client.OK:
            raise ServerError(f"{server.name} answers a valid request with {status}")
        if server.invalid:
            status, _ = _ask(port, server.path, _chat(1))
            if status != server.invalid:
                raise ServerError(f"{server.name} answers an invalid body with {status} instead of {server.invalid}")
        yield _Running(server, port, process.pid, start)


def _chat(content: object, **fields: object) -> dict[str, object]:
    return {"messages": [{"role": "user", "content": content}], **fields}


def _ask(port: int, path: str, body: Mapping[str, object]) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_REQUEST_TIMEOUT)
    headers = {"content-type": "application/json", "authorization": "Bearer token"}
    try:
        connection.request("POST", path, json.dumps(body), headers)
        response = connection.getresponse()
        return response.status, response.read()
    except (OSError, http.client.HTTPException) as error:
        raise ServerError(f"no answer at port {port}: {error}") from error
    finally:
        connection.close()


def _warm_up(running: _Running, plan: Plan, cores: frozenset[int]) -> None:
    """Load the server for a moment. One that is too slow for an answer in this time is still measured."""
    if plan.warm_up:
        with suppress(WrkError):
            wrk.run(running.url, "chat", plan.warm_up, cores)


def _valid(running: _Running, plan: Plan, cores: frozenset[int], folder: Path) -> dict[str, float]:
    _warm_up(running, plan, cores)
    load = wrk.run(running.url, "chat", plan.seconds, cores)
    return {"a": load.rate, "a-p99": load.p99, "f-after": resident(running.process)}


def _extended(running: _Running, plan: Plan, cores: frozenset[int], folder: Path) -> dict[str, float]:
    created = (_ask(running.port, running.server.path, _chat("Hello!", create_session=True)) for _ in range(_SESSIONS))
    ids = folder / "sessions.txt"
    ids.write_text("".join(f"{json.loads(body)['session_id']}\n" for _, body in created), encoding="utf-8")
    return {"b": wrk.run(running.url, "session", plan.seconds, cores, ids).rate}


def _refused(running: _Running, plan: Plan, cores: frozenset[int], folder: Path) -> dict[str, float]:
    return {"c": wrk.run(running.url, "invalid", plan.seconds, cores).rate}


def _streamed(running: _Running, plan: Plan, cores: frozenset[int], folder: Path) -> dict[str, float]:
    alone = _streams(running.port, running.server.path, 1, cores)
    found = _streams(running.port, running.server.path, plan.streams, cores)
    peak = resident(running.process, "VmHWM")
    return {"d-alone": alone.p99, "d-p99": found.p99, "d-failed": float(found.failed), "d-memory": peak}


def _all_cores(running: _Running, plan: Plan, cores: frozenset[int], folder: Path) -> dict[str, float]:
    _warm_up(running, plan, cores)
    return {"i": wrk.run(running.url, "chat", plan.seconds, cores).rate}


def _crowded(running: _Running, plan: Plan, cores: frozenset[int], folder: Path) -> dict[str, float]:
    """Return what a client waits for an answer, in milliseconds, while many others are connected."""
    sizes = (str(plan.streams * 5 // 2), str(plan.streams // 2), str(plan.streams), str(EVENTS))
    command = [*pinned(cores), sys.executable, "-m", _CROWD, str(running.port), running.server.path, *sizes]
    waits: list[float] = []
    with subprocess.Popen(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True) as crowd:
        assert crowd.stdout is not None
        if crowd.stdout.readline().strip() != READY:
            raise ServerError("the crowd of clients could not connect")
        connection = http.client.HTTPConnection("127.0.0.1", running.port, timeout=_REQUEST_TIMEOUT)
        while crowd.poll() is None:
            begin = time.perf_counter()
            connection.request("GET", running.server.path.partition("/agents/")[0] + "/models")
            connection.getresponse().read()
            waits.append(1000 * (time.perf_counter() - begin))
            time.sleep(_PAUSE)
        result = json.loads(crowd.stdout.read())
    connection.close()
    ordered = sorted(waits)
    failed = float(result["failed"] + result["closed"])
    return {"j-p50": median(ordered), "j-p99": ordered[len(ordered) * 99 // 100], "j-failed": failed}


_CASES = {"a": _valid, "b": _extended, "c": _refused, "d": _streamed, "i": _all_cores, "j": _crowded}


def _streams(port: int, path: str, streams: int, cores: frozenset[int]) -> Streams:
    return Streams(**json.loads(_python("-m", _GENERATOR, str(port), path, str(streams), str(EVENTS), cores=cores)))


def _thread() -> dict[str, float]:
    """Return the milliseconds of the first mock in a process, and the median of further ones."""
    code = f"PATH = {AGENT!r}\n{_THREAD}"
    first, *others = map(float, _python("-c", code, cores=halves(all_cores())[0]).split())
    return {"e-thread-first": first, "e-thread": median(others)}


def _python(*arguments: str, cores: frozenset[int]) -> str:
    """Return what a Python program prints; ServerError if it fails."""
    command = [*pinned(cores), sys.executable, *arguments]
    try:
        done = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, timeout=_STREAMS_TIMEOUT, check=False)
    except subprocess.TimeoutExpired as error:
        raise ServerError(f"{arguments[1]} did not end within {_STREAMS_TIMEOUT:g} s") from error
    if done.returncode:
        raise ServerError(f"{arguments[1]} failed: {done.stderr[-500:]}")
    return done.stdout
