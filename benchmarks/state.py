"""Measures what state costs: `python -m benchmarks.state`, with `redis-server` on the PATH for the Redis part.

Prints what a session takes that a client creates. For each store it prints what one turn costs among a hundred sessions
and among a hundred thousand, what a session takes, and how many turns a second 200 clients get when they extend 20
sessions at once through 4 workers.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

import httpx

from mockserver.build import load_engine
from mockserver.engine import Engine
from mockserver.stores import Store
from tests.mockserver.support.chat_client import ChatClient, path_of, user
from tests.mockserver.support.crowd import Crowd
from tests.mockserver.support.processes import process_at
from tests.mockserver.support.redis_server import RedisServer
from tests.support.serving import serve

FEW, MANY = 100, 100_000
TURNS = 500
#: Sessions that are created over HTTP, and entries of the journal.
OVER_HTTP, JOURNAL = 20_000, 500
CLIENTS, SESSIONS, EACH, WORKERS = 200, 20, 10, 4


@contextmanager
def places() -> Iterator[dict[str, tuple[str, Callable[[], int]]]]:
    """Yield the address of each store, and what returns the bytes that it takes."""
    with TemporaryDirectory() as folder, ExitStack() as stack:
        redis = RedisServer(Path(folder))
        redis.start()
        stack.callback(redis.stop, kill=True)
        file = Path(folder) / "state.db"
        yield {
            "memory": ("memory", resident),
            "sqlite": (f"sqlite:///{file}", lambda: sum(one.stat().st_size for one in file.parent.glob("state.db*"))),
            "redis": (redis.url, lambda: used_by(redis)),
        }


def resident(process: int | str = "self") -> int:
    """Return the bytes of a process's memory."""
    return int(Path(f"/proc/{process}/statm").read_text().split()[1]) * 4096


def used_by(redis: RedisServer) -> int:
    """Return the bytes that Redis uses."""
    lines = redis.command("INFO", "memory").decode().split("\r\n")
    return int(next(line for line in lines if line.startswith("used_memory:")).partition(":")[2])


def fill(store: Store, count: int) -> None:
    """Put copies of the store's first session, under ids of their own."""
    key, found = next((key, found) for key, found in store.items() if "/session/" in key)
    stem = key.rpartition("/")[0]
    for _ in range(count):
        store.put(f"{stem}/{uuid.uuid4()}", bytes(bytearray(found.value)), None)  # bytes of its own


def turn_cost(engine: Engine) -> float:
    """Return the median of the seconds that a turn takes, each in a session of two turns."""
    ask, costs = ChatClient(engine), []
    sessions = [ask.answer(create_session=True)["session_id"] for _ in range(TURNS)]
    for session in sessions:
        begin = time.perf_counter()
        ask.reply("And now?", store_in_session=session)
        costs.append(time.perf_counter() - begin)
    return median(costs)


def measure(name: str, url: str, size: Callable[[], int]) -> None:
    """Print what a turn and a session cost in one store."""
    with closing(load_engine(store=url, max_sessions=2 * MANY)) as engine:
        assert engine.store is not None
        ChatClient(engine).answer("Hello!", create_session=True)
        fill(engine.store, FEW)
        few, before = turn_cost(engine), size()
        begin, more = time.perf_counter(), MANY - FEW
        fill(engine.store, more)
        seconds, each = time.perf_counter() - begin, (size() - before) / more
        many = turn_cost(engine)
    print(
        f"{name:<7} one turn {1e6 * few:4.0f} µs among {FEW} sessions, {1e6 * many:4.0f} µs among {MANY:,}: ratio"
        f" {many / few:.2f}; {each:5.0f} bytes a session; {more / seconds:,.0f} writes a second"
    )


def crowd(name: str, url: str) -> None:
    """Print how many turns a second a crowd gets."""
    with serve("--store", url, "--workers", str(WORKERS), "--log-level", "error") as served:
        clients = Crowd(served.url)
        clients.extend(SESSIONS, CLIENTS, lambda turns: turns < EACH)
    turns, seconds = len(clients.acknowledged), clients.seconds
    print(
        f"{name:<7} {CLIENTS} clients, {SESSIONS} sessions, {WORKERS} workers: {turns} turns in {seconds:.1f} s,"
        f" {turns / seconds:.0f} a second"
    )


def over_http() -> None:
    """Print what a session takes in the memory of a server that clients created it in."""
    with process_at("--log-level", "error", "--max-sessions", str(MANY)) as (process, url), httpx.Client() as client:

        def create(count: int, **fields: bool) -> int:
            body = {"messages": [user("Hello!")], **fields}
            for _ in range(count):
                client.post(url + path_of(), json=body).raise_for_status()
            return resident(process.pid)

        before = create(2 * JOURNAL)  # then the journal is full
        each = (create(OVER_HTTP, create_session=True) - before) / OVER_HTTP
    print(f"memory  {each:.0f} bytes a session of one turn, created over HTTP")


def main() -> None:
    """Measure every store."""
    over_http()
    with places() as stores:
        for name, (url, size) in stores.items():
            measure(name, url, size)
        for name in ("sqlite", "redis"):
            crowd(name, stores[name][0])


if __name__ == "__main__":
    main()
