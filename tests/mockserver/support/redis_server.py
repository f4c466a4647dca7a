"""A real redis-server of the tests' own, on a free port of this machine."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = "redis-server"
#: Seconds that it has to stop or to answer.
PATIENCE = 20


def free_port() -> int:
    """Return a port of the loopback interface that nobody listened on a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@dataclass
class RedisServer:
    """A Redis that keeps every write in `folder` before it answers; it may be stopped, killed and started again."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        program = shutil.which(PROGRAM)
        assert program, f"These tests run a real {PROGRAM}: install Debian's package redis-server."
        places = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder))
        keeping = ("--appendonly", "yes", "--appendfsync", "no", "--save", "")
        self._process = subprocess.Popen([program, *places, *keeping], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        assert self._process.stdout
        said = []
        for line in self._process.stdout:
            said.append(line.decode())
            if "Ready to accept connections" in said[-1]:
                return
        raise AssertionError(f"{PROGRAM} did not start:\n{''.join(said)}")

    def stop(self, kill: bool = False) -> None:
        if self._process:
            (self._process.kill if kill else self._process.terminate)()
            self._process.communicate(timeout=PATIENCE)
        self._process = None

    def pause(self, paused: bool = True) -> None:
        """Let it answer nobody, and take connections all the same; or let it go on."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def command(self, *words: str) -> bytes:
        """Return the beginning of what it answers to a command."""
        with socket.create_connection(("127.0.0.1", self.port), PATIENCE) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(4096)
