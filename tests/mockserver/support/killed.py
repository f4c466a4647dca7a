"""Writers of one SQLite file, killed again and again: `python -m tests.mockserver.killed FILE ROUNDS SEED`.

Prints as JSON how many turns were acknowledged, which of them the file has not exactly once, and how many writers
ended by themselves.
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
#: Seconds at most that the writers of a round live after their first acknowledgement.
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
    """Return the turns that writers acknowledged until all were killed, and how many ended before."""
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
    select.select([], [], [], life)  # writers get on; no test waits for it, it is the moment of their death
    for child in writers:
        os.kill(child, signal.SIGKILL)
    while part := os.read(reading, 65536):
        said.append(part)
    os.close(reading)
    failed = [child for child in writers if os.waitpid(child, 0)[1] != signal.SIGKILL]
    return b"".join(said).decode().split(), len(failed)


def write(url: str, number: int, writer: int, acknowledge: int) -> None:
    """Add turns to sessions, each acknowledged when it is stored, for ever."""
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
