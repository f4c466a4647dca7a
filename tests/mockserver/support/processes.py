"""`agent-contract` in processes: a command that ends by itself, and a server that is stopped."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from tests.mockserver.support.bad_input import GOOD

STREAM = GOOD[:-1] + b',"stream":true}'


def ended(*arguments: str, environment: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Return what became of a command that ends by itself."""
    command = [sys.executable, "-m", "agent_contract", *arguments]
    env = {**os.environ, **(environment or {})}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=env, check=False)


@contextmanager
def process_at(*options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """Run a server; yield its process and its URL."""
    command = [sys.executable, "-m", "agent_contract", "serve", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout
            found = re.search(r"https?://[\d.:]+", process.stdout.readline())
            assert found
            yield process, found[0]
        finally:
            process.kill()
