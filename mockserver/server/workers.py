"""Processes that serve one listening socket together, and what becomes of them."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess

from agent_contract.document.errors import ContractError

#: A worker that ends sooner than this has not worked, in seconds.
_SOON = 1.0
#: So many of those, one after the other, and no more are started.
_TOO_MANY = 5
_PATIENCE = 3.0  # seconds that workers have to end


class WorkersEnd(Exception):
    """No worker stays alive; the text says how the last one ended."""


def can_fork() -> bool:
    """Return whether this system has processes that share what their parent has read and opened."""
    return "fork" in multiprocessing.get_all_start_methods()


def run_workers(count: int, work: Callable[[int], None], say: Callable[[str], None]) -> None:
    """Keep `count` processes at `work` until SIGINT or SIGTERM; raise `WorkersEnd` when they only ever end.

    `work` runs in each and is given a file descriptor that is at its end when the work shall end, which it is too when
    this process is killed. A worker that ends before gets a successor; `say` is given a line about it. Call this
    before any thread is started: a fork takes none along.
    """
    lifeline, held = os.pipe()
    workers: dict[int, tuple[BaseProcess, float]] = {}  # by sentinel, with the time of the start
    failed = 0

    def start() -> BaseProcess:
        process = multiprocessing.get_context("fork").Process(target=_work, args=(work, lifeline, held))
        process.start()
        workers[process.sentinel] = process, time.monotonic()
        return process

    try:
        with _stop_signals() as stopped:
            for _ in range(count):
                start()
            while True:
                ended = wait([*workers, stopped])
                if stopped in ended:
                    return
                for sentinel in [one for one in workers if one in ended]:
                    process, began = workers.pop(sentinel)
                    process.join()
                    failed = failed + 1 if time.monotonic() - began < _SOON else 0
                    how = _how_it_ended(process)
                    if failed >= _TOO_MANY:
                        raise WorkersEnd(f"The workers end as soon as they are started: {how}.")
                    say(f"A worker {how}; process {start().pid} takes its place.")
    finally:
        os.close(held)
        _end([process for process, _ in workers.values()])
        os.close(lifeline)


def _work(work: Callable[[int], None], lifeline: int, held: int) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C goes to all of them, and the parent tells them
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.close(held)
    try:
        work(lifeline)
    except ContractError as error:
        sys.exit("\n".join(str(problem) for problem in error.problems))


@contextmanager
def _stop_signals() -> Iterator[socket.socket]:
    """Yield a socket that can be read once SIGINT or SIGTERM has come."""
    reading, writing = socket.socketpair()
    with reading, writing:
        writing.setblocking(False)
        before = signal.set_wakeup_fd(writing.fileno())
        handlers = {number: signal.signal(number, _noted) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield reading
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)


def _noted(*_: object) -> None:
    """Do nothing: that there is a handler makes the signal's number be written to the wakeup descriptor."""


def _how_it_ended(process: BaseProcess) -> str:
    code = process.exitcode or 0
    if code >= 0:
        return f"(process {process.pid}) ended with status {code}"
    with contextlib.suppress(ValueError):
        return f"(process {process.pid}) was ended by {signal.Signals(-code).name}"
    return f"(process {process.pid}) was ended by signal {-code}"


def _end(processes: list[BaseProcess]) -> None:
    deadline = time.monotonic() + _PATIENCE
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
