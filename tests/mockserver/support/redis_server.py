"""A real redis-server for tests, on a free port."""

from __future__ import annotations

import shutil
import signal
import socket
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = "redis-server"
#: Timeout in seconds for stopping and for answers.
TIMEOUT = 20


def free_port() -> int:
    """Return a port of the loopback interface that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@dataclass
class RedisServer:
    """A Redis that writes to `folder` before it answers; it can be stopped, killed and restarted."""

    folder: Path
    port: int = field(default_factory=free_port)
    _process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def start(self, *options: str) -> None:
        program = shutil.which(PROGRAM)
        assert program, f"These tests run a real {PROGRAM}: install Debian's package redis-server."
        places = ("--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder))
        persistence = ("--appendonly", "yes", "--appendfsync", "no", "--save", "")
        command = [program, *places, *persistence, *options]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
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
            self._process.communicate(timeout=TIMEOUT)
        self._process = None

    def pause(self, paused: bool = True) -> None:
        """Suspend or resume the process; while suspended it accepts connections but does not answer."""
        assert self._process
        self._process.send_signal(signal.SIGSTOP if paused else signal.SIGCONT)

    def command(self, *words: str) -> bytes:
        """Return the beginning of the answer to a command."""
        with socket.create_connection(("127.0.0.1", self.port), TIMEOUT) as connection:
            connection.sendall(" ".join(words).encode() + b"\r\n")
            return connection.recv(4096)
