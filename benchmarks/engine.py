"""Measures the CPU time that the core takes for one reply: `make engine`, or `python -m benchmarks.engine`.

Each figure is the best of several rounds, in microseconds of CPU time, without a server or a network. Bodies differ
from request to request, so that no cache of answers could help.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import orjson

from agent_contract.messages import Request
from mockserver.build import create_engine, own_contract
from mockserver.config import Config
from mockserver.core.limits import Limits
from mockserver.engine import Engine
from mockserver.resources.sessions import EMPTY, extend
from mockserver.stores import MemoryStore, Store

BASE = "/api/v1/compatibility/openai/v1"
HEADERS = {
    "host": "127.0.0.1:8000",
    "user-agent": "benchmark/1.0",
    "accept": "application/json",
    "authorization": "Bearer a-token-of-this-client",
    "content-type": "application/json",
}
ROUNDS, EACH = 9, 300
TURNS, SESSIONS, ENTRIES = (1, 100, 10_000), (100, 100_000), (0, 100_000)


@dataclass(frozen=True)
class Case:
    """One kind of request: its name, and what returns the body of request number `n` (None: a GET of the models).

    `target` is the wanted cost in microseconds, 0 for none.
    """

    name: str
    body: Callable[[int], dict[str, Any]] | None
    status: int = 200
    target: int = 0

    def request(self, number: int) -> Request:
        """Return a request of this kind, with a body of its own."""
        if self.body is None:
            return Request("GET", f"{BASE}/models", (), HEADERS)
        return chat_request(self.body(number))


def chat_request(body: dict[str, Any]) -> Request:
    """Return a request for an answer of the agent `demo`."""
    return Request("POST", f"{BASE}/agents/demo/chat/completions", (), HEADERS, orjson.dumps(body))


def chat(number: int, **fields: Any) -> dict[str, Any]:
    """Return the body of a chat that no other number has."""
    return {"messages": [{"role": "user", "content": f"What does order number {number} cost?"}], **fields}


CASES = (
    Case("plain", chat, target=25),
    Case("stream of 20 events", lambda number: chat(number, stream=True, max_tokens=17), target=40),
    Case("refused with 422", lambda number: {"messages": [{"role": "user", "content": number}]}, 422, 20),
    Case("new session", lambda number: chat(number, create_session=True)),
    Case("models", None),
)


def new_engine(*, sessions: int = 10_000, journal: int = 500, store: Store | None = None) -> Engine:
    """Return an engine that keeps this number of sessions, and journal entries, by default in memory."""
    items = 2 * sessions + 2 * EACH
    limits = Limits(sessions=items, journal=journal, session=64 << 20, store=2 << 30)
    return create_engine(own_contract(), Config(limits=limits), store=store or MemoryStore(items, 2 << 30))


def microseconds(engine: Engine, requests: Callable[[], Iterator[Request]], status: int = 200) -> float:
    """Return the microseconds of CPU time per reply in the best of several rounds; every reply has this status."""
    best = float("inf")
    for _ in range(ROUNDS):
        several = list(requests())
        begin = time.thread_time()
        replies = [engine.reply(request) for request in several]
        best = min(best, (time.thread_time() - begin) / len(several))
        assert all(reply.status == status for reply in replies), replies[0]
    return 1e6 * best


def case_cost(case: Case, engine: Engine) -> float:
    """Return the microseconds of one kind of request."""
    numbers = count()
    return microseconds(engine, lambda: (case.request(next(numbers)) for _ in range(EACH)), case.status)


def turn_cost(turns: int, sessions: int, store: Store | None = None) -> float:
    """Return the microseconds of a turn that extends a session of about this number of turns, among other sessions.

    In each earlier turn the user made a statement, which an answer may have to repeat.
    """
    engine = new_engine(sessions=sessions, store=store)
    one = orjson.loads(engine.reply(chat_request(chat(0, create_session=True))).content())
    key = next(key for key, _ in engine.store.items() if "/session/" in key)
    stem = key.rpartition("/")[0]
    answer = one["choices"][0]["message"]
    said = [f"Parcel {number} weighs {number} grams. Is it on its way?" for number in range(turns)]
    messages = [message for text in said for message in ({"role": "user", "content": text}, answer)]
    session, lines = extend(EMPTY, messages, time.time())
    for number in range(sessions - 1):
        engine.store.put(f"{stem}/{number:036}", b"{}", None)
    numbers, extended = count(), max(1, min(EACH, turns // 10))

    def requests() -> Iterator[Request]:
        for place in range(EACH):
            session_id = f"{place // extended:08x}-0000-4000-8000-000000000000"
            if place % extended == 0:
                engine.store.delete(f"{stem}/{session_id}")
                engine.store.put(f"{stem}/{session_id}", session.encode(), None, lines=lines)
            yield chat_request(chat(next(numbers), store_in_session=session_id))

    return microseconds(engine, requests)


def main() -> None:
    """Print every figure, or those of `--only`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="only the kinds of request, not the state")
    quick = parser.parse_args().quick
    for case in CASES:
        show(case.name, case_cost(case, new_engine()), f"target {case.target}" if case.target else "")
    if quick:
        return
    show_flat("turn in a session of {:,}", TURNS, lambda turns: turn_cost(turns, 100))
    show_flat("turn among {:,} sessions", SESSIONS, lambda sessions: turn_cost(1, sessions))
    show_flat("plain with {:,} journal entries", ENTRIES, cost_with_entries)


def cost_with_entries(entries: int) -> float:
    """Return the microseconds of a plain reply with this number of entries in the journal."""
    engine = new_engine(journal=max(1, entries) * 2)
    for number in range(entries):
        engine.reply(CASES[0].request(number))
    return case_cost(CASES[0], engine)


def show_flat(name: str, sizes: tuple[int, ...], cost: Callable[[int], float]) -> None:
    """Print the cost at each size, with its ratio to the cost at the first one."""
    first = 0.0
    for size in sizes:
        found = cost(size)
        first = first or found
        show(name.format(size), found, f"{found / first:.2f} times the first, target 1.2")


def show(name: str, cost: float, note: str) -> None:
    """Print one figure."""
    print(f"{name:<40} {cost:8.1f} µs  {note}".rstrip(), flush=True)


if __name__ == "__main__":
    main()
