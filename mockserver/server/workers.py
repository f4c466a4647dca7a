"""Worker processes that share a listening socket: starts, replaces and stops them."""

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

_HANGUP: signal.Signals | None = getattr(signal, "SIGHUP", None)
_SIGNALS_AT_ONCE = 64
HANGUP_LINE = "SIGHUP is ignored: the server does not reload anything. Stop it with SIGTERM or Ctrl-C."

#: Seconds; a worker that ends sooner has failed to start.
_SOON = 1.0
#: Number of failed starts in a row after which the server gives up.
_TOO_MANY = 5
_STOP_TIMEOUT = 3.0  # seconds in which workers must end, beyond those that open replies get


class WorkersFailed(Exception):
    """No worker stays alive; the message contains how the last one ended."""


def can_fork() -> bool:
    """Return whether this system can fork processes."""
    return "fork" in multiprocessing.get_all_start_methods()


def run_workers(
    count: int, work: Callable[[int], None], log: Callable[[str], None], drain_seconds: float = 0.0
) -> None:
    """Keep `count` processes at `work` until SIGINT or SIGTERM; raise `WorkersFailed` if none of them stays alive.

    `work` runs in each. It receives a file descriptor that is at its end when the work must end, also because this
    process was killed. A worker that ends before that is replaced, and `log` is called with a line about it. At the
    end, workers have `drain_seconds` for open replies. Call this before any thread is started: a fork does not copy
    threads.
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
        with _signals() as arrived:
            for _ in range(count):
                start()
            while True:
                ended = wait([*workers, arrived])
                if arrived in ended:
                    if set(arrived.recv(_SIGNALS_AT_ONCE)) - {_HANGUP}:
                        return
                    log(HANGUP_LINE)
                for sentinel in [one for one in workers if one in ended]:
                    process, began = workers.pop(sentinel)
                    process.join()
                    failed = failed + 1 if time.monotonic() - began < _SOON else 0
                    how = _exit_description(process)
                    if failed >= _TOO_MANY:
                        raise WorkersFailed(f"The workers end right after their start: {how}.")
                    log(f"A worker {how}; process {start().pid} replaces it.")
    finally:
        os.close(held)
        _end([process for process, _ in workers.values()], drain_seconds + _STOP_TIMEOUT)
        os.close(lifeline)


def _work(work: Callable[[int], None], lifeline: int, held: int) -> None:
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all processes; the parent ends the workers
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    os.close(held)
    try:
        work(lifeline)
    except ContractError as error:
        sys.exit("\n".join(str(problem) for problem in error.problems))


@contextmanager
def _signals() -> Iterator[socket.socket]:
    """Yield a socket that receives the number of each SIGINT, SIGTERM and, unless it is ignored (nohup), SIGHUP."""
    numbers = {signal.SIGINT, signal.SIGTERM}
    if _HANGUP is not None and signal.getsignal(_HANGUP) != signal.SIG_IGN:
        numbers.add(_HANGUP)
    reading, writing = socket.socketpair()
    with reading, writing:
        writing.setblocking(False)
        before = signal.set_wakeup_fd(writing.fileno())
        handlers = {number: signal.signal(number, _noted) for number in numbers}
        try:
            yield reading
        finally:
            for number, handler in handlers.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(before)


def _noted(*_: object) -> None:
    """Do nothing: with a handler, Python writes the signal's number to the wakeup descriptor."""


def _exit_description(process: BaseProcess) -> str:
    code = process.exitcode or 0
    if code >= 0:
        return f"(process {process.pid}) ended with status {code}"
    with contextlib.suppress(ValueError):
        return f"(process {process.pid}) was ended by {signal.Signals(-code).name}"
    return f"(process {process.pid}) was ended by signal {-code}"


def _end(processes: list[BaseProcess], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    for process in processes:
        process.join(max(0.0, deadline - time.monotonic()))
        if process.is_alive():
            process.kill()
            process.join()
