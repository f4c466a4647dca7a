"""Installs servers from npm into a folder under `build/`, and runs them or others as child processes."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

#: The folder of everything that the benchmarks install.
BUILD = Path(__file__).parents[1] / "build"
#: Seconds that a server may take to listen.
START = 60.0
_STOP = 10.0
_POLL = 0.005


class ServerError(Exception):
    """A server can't be installed or started; the message contains the reason and what to do."""


def install(packages: Path, folder: Path) -> None:
    """Install the npm packages of a `package.json` into a folder; ServerError if npm is missing or fails."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise ServerError(
            "Node and npm were not found, and the other servers are npm packages: install Node 20 or newer."
        )
    folder.mkdir(parents=True, exist_ok=True)
    shutil.copy(packages, folder)
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    if subprocess.run(command, cwd=folder, check=False).returncode:
        raise ServerError(f"npm could not install the packages of {packages}. The lines above contain the reason.")


def version_of(folder: Path, package: str) -> str:
    """Return the version of an installed package."""
    return str(json.loads((folder / "node_modules" / package / "package.json").read_text(encoding="utf-8"))["version"])


def free_port() -> int:
    """Return a port of the loopback interface that was free just now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def running(
    command: Sequence[str], port: int, log: Path, start: float = START, folder: Path | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a server in a folder until it listens at the port, with its output in a file; end it with all children."""
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=folder or log.parent,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    try:
        _wait(process, port, log, start)
        yield process
    finally:
        _end(process)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path, start: float) -> None:
    until = time.monotonic() + start
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(_POLL)
        else:
            return
    said = log.read_text(encoding="utf-8", errors="replace")[-500:]
    raise ServerError(f"The server {process.args!r} did not start within {start:g} s. It wrote: {said}")


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ask the server to end; then kill what is left of its process group."""
    process.terminate()
    with suppress(subprocess.TimeoutExpired):
        process.wait(_STOP)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
