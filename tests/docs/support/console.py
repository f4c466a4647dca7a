"""Runs the `console` blocks of the documentation, and compares what they print with what they show."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Timer

#: Seconds that the commands of one block may take together.
LIMIT = 180
#: The deployment that the documentation verifies.
DEPLOYMENT = "https://agents.example.com"
#: A server in the foreground prints its address, and is stopped then.
SERVES = re.compile(r"(?:make mock|agent-contract serve)\b[^&]*$")


@dataclass(frozen=True, slots=True)
class Addresses:
    """What the addresses of the documentation are in a test: a mock, a second one, and a Redis on free ports."""

    url: str
    second_port: int = 0
    redis_url: str = ""

    @property
    def port(self) -> str:
        """The port of the first mock."""
        return self.url.rpartition(":")[2]

    def localized(self, text: str) -> str:
        """Return a command, a file or an output with the addresses of the test."""
        replaced = {
            "127.0.0.1:8000": f"127.0.0.1:{self.port}",
            "127.0.0.1:8001": f"127.0.0.1:{self.second_port}",
            "--port 8000": f"--port {self.port}",
            "--port 8001": f"--port {self.second_port}",
            "redis://127.0.0.1:6379/0": self.redis_url,
            DEPLOYMENT: self.url,
        }
        for written, here in replaced.items():
            text = text.replace(written, here)
        return text


def parse(text: str) -> tuple[list[str], list[str]]:
    """Return the commands of a block, and the lines that it shows as printed."""
    joined = text.replace("\\\n", " ")
    commands = [line[2:] for line in joined.splitlines() if line.startswith("$ ")]
    shown = [line for line in joined.splitlines() if line.strip() and not line.startswith("$ ")]
    return commands, shown


def free_port() -> int:
    """Return a port of the loopback interface that was free a moment ago."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def variables(more: Mapping[str, str]) -> dict[str, str]:
    """Return the process environment with this interpreter's programs in front."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    # A tox that runs these tests must not share its folders with a tox of the documentation.
    mine = {name: value for name, value in os.environ.items() if not name.startswith(("TOX", "AGENT_CONTRACT_"))}
    return {**mine, "PATH": path, "NO_COLOR": "1", "COLUMNS": "140", "AGENT_TOKEN": "any", **more}


def run(commands: Iterable[str], folder: Path, output: Path, more: Mapping[str, str]) -> tuple[int, str]:
    """Return the status and the output of commands that share one shell; what they left running is ended."""
    script = "\n".join(["set -euo pipefail", *commands])
    with output.open("wb") as sink:
        shell = subprocess.Popen(
            ["bash", "-c", script],
            cwd=folder,
            env=variables(more),
            stdin=subprocess.DEVNULL,
            stdout=sink,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            status = shell.wait(LIMIT)
        finally:
            end(shell)
    return status, output.read_text(encoding="utf-8", errors="replace")


def run_server(command: str, folder: Path, more: Mapping[str, str], last: str) -> str:
    """Return what a server printed up to the line that looks like `last`; it is ended then."""
    shell = subprocess.Popen(
        ["bash", "-c", command],
        cwd=folder,
        env=variables(more),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    assert shell.stdout is not None
    printed = []
    late = Timer(LIMIT, end, [shell])
    late.start()
    try:
        for line in shell.stdout:
            printed.append(line)
            if not missing([last], line):
                break
        else:
            raise AssertionError(f"{command} ended and never printed {last!r}:\n{''.join(printed)}")
    finally:
        late.cancel()
        end(shell)
        shell.stdout.close()
    return "".join(printed)


def end(shell: subprocess.Popen[str] | subprocess.Popen[bytes]) -> None:
    """End a shell and all that it started."""
    try:
        os.killpg(shell.pid, signal.SIGTERM)
    except ProcessLookupError:
        return
    try:
        shell.wait(10)
    except subprocess.TimeoutExpired:
        os.killpg(shell.pid, signal.SIGKILL)
        raise


def missing(shown: Iterable[str], printed: str) -> list[str]:
    """Return the shown lines that were not printed in this order; `…` stands for any text."""
    rest = printed.splitlines()
    absent = []
    for line in shown:
        pattern = re.compile(".*".join(re.escape(part) for part in line.strip().split("…")))
        found = next((index for index, candidate in enumerate(rest) if pattern.search(candidate)), None)
        if found is None:
            absent.append(line)
        else:
            rest = rest[found + 1 :]
    return absent
