"""Kills writers of one SQLite file repeatedly: `python -m tests.mockserver.support.killed FILE ROUNDS SEED`.

Prints JSON: the number of acknowledged turns, the turns that are not stored exactly once, and the number of writers
that ended without being killed.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import traceback
from collections import Counter
from contextlib import closing

from mockserver.stores import Conflict, open_store

WRITERS = 3
SESSIONS = 2
#: Maximum lifetime of the writers of a round after their first acknowledgement, in seconds.
LIFE = 0.05


def main(url: str, rounds: int, seed: int) -> None:
    source = random.Random(seed)
    acknowledged, failed, wrong = 0, 0, []
    for number in range(rounds):
        said, ended = one_round(url, number, source.uniform(0, LIFE))
        acknowledged += len(said)
        failed += ended
        with closing(open_store(url)) as store:  # it opens, and can be written
            kept: Counter[str] = Counter()
            for _, found in store.items(f"{number}/"):
                kept.update(found.value.decode().split())
        wrong += [turn for turn in said if kept[turn] != 1]
    print(json.dumps({"acknowledged": acknowledged, "wrong": wrong, "failed": failed}))


def one_round(url: str, number: int, life: float) -> tuple[list[str], int]:
    """Return the acknowledged turns of a round, and the number of writers that ended before they were killed."""
    reading, writing = os.pipe()
    writers = []
    for writer in range(WRITERS):
        child = os.fork()
        if child == 0:
            os.close(reading)
            try:
                write(url, number, writer, writing)
            except BaseException:
                traceback.print_exc()
            os._exit(1)
        writers.append(child)
    os.close(writing)
    said = [os.read(reading, 65536)]
    select.select([], [], [], life)  # the writers work until this time
    for child in writers:
        os.kill(child, signal.SIGKILL)
    while part := os.read(reading, 65536):
        said.append(part)
    os.close(reading)
    failed = [child for child in writers if os.waitpid(child, 0)[1] != signal.SIGKILL]
    return b"".join(said).decode().split(), len(failed)


def write(url: str, number: int, writer: int, acknowledge: int) -> None:
    """Add turns to sessions without end, and acknowledge each one after it is stored."""
    store = open_store(url)
    turn = 0
    while True:
        name, text = f"{number}/{turn % SESSIONS}", f"{number}.{writer}.{turn}"
        found = store.get(name)
        before, version = (found.value, found.version) if found else (b"", None)
        try:
            store.put(name, before + text.encode() + b" ", version)
        except Conflict:
            continue
        os.write(acknowledge, text.encode() + b"\n")
        turn += 1


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
