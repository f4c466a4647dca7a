"""A real `agent-contract serve` in a process of its own, for tests that must cross a socket."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Thread, Timer

#: Seconds to wait for a server to print its address.
START_LIMIT = 60
ADDRESS = re.compile(r"http://(?:127\.0\.0\.1|0\.0\.0\.0|localhost):(\d+)")


@dataclass(frozen=True, slots=True)
class Served:
    """A running server: its root URL, the lines that it has printed so far, and the id of its process."""

    url: str
    lines: list[str]
    pid: int = 0

    @property
    def base(self) -> str:
        """The base URL that an OpenAI client is given for models."""
        return f"{self.url}/api/v1/compatibility/openai/v1"

    def agent(self, name: str = "demo") -> str:
        """Return the base URL that an OpenAI client is given for an agent."""
        return f"{self.base}/assistants/{name}"


@contextmanager
def serve(
    *options: str,
    command: Sequence[str] = (sys.executable, "-m", "agent_contract"),
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    name: str = "serve",
) -> Iterator[Served]:
    """Run `agent-contract serve`, or the command `name`, on a free port; its process has ended when the block is left.

    `environment` takes the place of this process's own.
    """
    process = subprocess.Popen(
        [*command, name, "--port", "0", *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        encoding="utf-8",
        env=os.environ if environment is None else environment,
        cwd=cwd,
    )
    assert process.stdout is not None
    lines: list[str] = []
    late = Timer(START_LIMIT, process.kill)
    late.start()
    try:
        url = _read_address(process.stdout, lines)
        late.cancel()
        # Keep reading, so that a server that logs never waits for a full pipe.
        reader = Thread(target=lines.extend, args=(process.stdout,), daemon=True)
        reader.start()
        yield Served(url, lines, process.pid)
    finally:
        late.cancel()
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise
        finally:
            process.stdout.close()


def _read_address(output: Iterator[str], lines: list[str]) -> str:
    for line in output:
        lines.append(line)
        if found := ADDRESS.search(line):
            return f"http://127.0.0.1:{found[1]}"
    raise AssertionError("the server ended, or did not print its address:\n" + "".join(lines))
