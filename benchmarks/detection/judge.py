"""Asks `agent-contract verify` for its verdict on a deployment."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from benchmarks.detection.certificates import certificates
from benchmarks.detection.reference_server import ServerHooks, Tally
from benchmarks.detection.running import running

#: Nothing that a judge does may take longer, in seconds.
LIMIT = 300.0
TOKEN_VARIABLE = "DETECTION_TOKEN"


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a judge said of a deployment: a word for each clause, its notes, and what the verdict cost.

    `requests` and `tokens` are those that the deployment counted.
    """

    exit_code: int
    conclusion: str
    words: Mapping[str, str]
    notes: Mapping[str, str]
    requests: int
    tokens: int
    seconds: float
    output: str
    undecided: tuple[str, ...] = ()  #: clauses of grade `core` without a verdict

    @property
    def failed(self) -> tuple[str, ...]:
        """The clauses that failed."""
        return tuple(clause for clause, word in self.words.items() if word == "failed")


def judged(
    hooks: ServerHooks,
    *,
    seed: int = 0,
    options: Sequence[str] = (),
    max_requests: int = 300,
    fork: bool = False,
) -> Judgement:
    """Return the verdict of `agent-contract verify` on a deployment, run in a process of its own.

    With `fork` that process is a fork of one that has imported the libraries: the same verdict in half the time.
    """
    tally = Tally()
    with running(hooks, tally) as url:
        bounds = ["--seed", str(seed), "--max-requests", str(max_requests)]
        access = ["--token-env", TOKEN_VARIABLE] if hooks.token else []
        access += ["--ca-bundle", str(certificates().authority)] if url.startswith("https:") else []
        found = judged_at(url, hooks.agent_id, [*bounds, *access, *options], token=hooks.token or "", fork=fork)
    return replace(found, requests=tally.requests, tokens=tally.tokens)


def judged_at(
    url: str, agent_id: str, options: Sequence[str] = (), *, token: str = "", fork: bool = False
) -> Judgement:
    """Return the verdict on whatever runs at a URL, with the requests and tokens that the judge itself counted."""
    with tempfile.TemporaryDirectory() as folder:
        report, printed = Path(folder) / "report.json", Path(folder) / "output"
        arguments = [url, "--agent-id", agent_id, "--report", str(report), *options]
        variables = {**os.environ, "NO_COLOR": "1", TOKEN_VARIABLE: token}
        began = time.monotonic()
        exit_code = (_forked if fork else _started)(arguments, variables, printed)
        seconds = time.monotonic() - began
        output = printed.read_text(encoding="utf-8")
        content = json.loads(report.read_text(encoding="utf-8")) if report.exists() else {}
    clauses = content.get("clauses", [])
    return Judgement(
        exit_code,
        next((line for line in reversed(output.splitlines()) if line.startswith("exit ")), output.strip()[-300:]),
        {clause["id"]: clause["word"] for clause in clauses},
        {clause["id"]: note_of(clause) for clause in clauses},
        content.get("requests", 0),
        content.get("tokens", 0),
        seconds,
        output,
        tuple(content.get("verdict", {}).get("undecided", ())),
    )


def _started(arguments: Sequence[str], variables: Mapping[str, str], output: Path) -> int:
    """Run `verify` as a user does; return its exit code."""
    with output.open("w", encoding="utf-8") as file:
        command = [sys.executable, "-m", "agent_contract", "verify", *arguments]
        return subprocess.run(command, stdout=file, stderr=file, env=variables, timeout=LIMIT, check=False).returncode


def _forked(arguments: Sequence[str], variables: Mapping[str, str], output: Path) -> int:
    from benchmarks.detection.forked_verify import verify

    return verify(arguments, variables, output, LIMIT)


def note_of(clause: Mapping[str, str]) -> str:
    """Return why a clause got its word, in one line."""
    said = clause["reason"] or f"expected {clause['expected']}; got {clause['got']}"
    return " ".join(said.split())[:300]
