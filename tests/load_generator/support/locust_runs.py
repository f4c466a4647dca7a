"""Runs of `agent-contract load` that end as soon as the mock has received what a test waits for."""

from __future__ import annotations

import csv
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition

from agent_contract.messages import Exchange
from mockserver import MockServer, Pace, load_engine
from mockserver.core.scopes import SCOPE_HEADER

COMMAND = (sys.executable, "-m", "agent_contract", "load")
TOKEN = "secret"
#: Seconds for the start of Locust's processes and their requests.
LIMIT = 60


@dataclass
class WatchedMock:
    """A mock in this process, with what it has received in each scope."""

    url: str = ""
    received: dict[str, list[Exchange]] = field(default_factory=dict)
    _changed: Condition = field(default_factory=Condition)

    def record(self, exchange: Exchange) -> None:
        with self._changed:
            self.received.setdefault(exchange.request.headers.get(SCOPE_HEADER, ""), []).append(exchange)
            self._changed.notify_all()

    def wait_for(self, requests: int, scope: str) -> None:
        """Wait until a scope has received a number of requests."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self.received.get(scope, ())) >= requests, LIMIT)

    def scope_url(self, scope: str) -> str:
        return f"{self.url}/__mock__/scope/{scope}"


@contextmanager
def watched_mock() -> Iterator[WatchedMock]:
    mock = WatchedMock()
    engine = load_engine(journal=mock.record, tokens=[TOKEN], pace=Pace(ttft=0.03, tps=1000))
    with MockServer(engine) as server:
        mock.url = server.url
        yield mock


def command(url: str, *options: str) -> list[str]:
    return [*COMMAND, url, *options]


def environment(**variables: str) -> dict[str, str]:
    return {**os.environ, "AGENT_CONTRACT_TOKEN": TOKEN, **variables}


def run_for(seconds: int, url: str, *options: str) -> tuple[int, str]:
    """Return the exit code and the output of a run of some seconds."""
    whole = command(url, "--headless", "--only-summary", "-t", f"{seconds}s", *options)
    ran = subprocess.run(whole, capture_output=True, text=True, env=environment(), timeout=LIMIT, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def run_until(mock: WatchedMock, requests: int, scope: str, *options: str, **variables: str) -> tuple[int, str]:
    """Return the exit code and the output of a run that is stopped after a number of requests in a scope."""
    whole = command(mock.scope_url(scope), "--headless", "--only-summary", "--stop-timeout", "20", *options)
    with subprocess.Popen(
        whole, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment(**variables)
    ) as process:
        try:
            mock.wait_for(requests, scope)
            process.terminate()
            text, _ = process.communicate(timeout=LIMIT)
        finally:
            process.kill()
    return process.returncode, text


def statistics(prefix: Path) -> Mapping[tuple[str, str], Mapping[str, str]]:
    """Return the statistics that Locust wrote, by type and name."""
    with Path(f"{prefix}_stats.csv").open(encoding="utf-8") as file:
        return {(row["Type"], row["Name"]): row for row in csv.DictReader(file)}
