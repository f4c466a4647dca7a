"""Asks `agent-contract verify` for its verdict on a deployment."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from benchmarks.detection.deployment import Deployment, Tally
from benchmarks.detection.running import running

WORDS = ("broken", "differs", "not tested", "not offered", "held", "not selected")
#: Nothing that a judge does may take longer, in seconds.
LIMIT = 300.0
TOKEN_VARIABLE = "DETECTION_TOKEN"
_ROW = re.compile(rf"^\s*({'|'.join(WORDS)})\s+(\S+\.\S+)\s+(\S+)\s*(.*?)\s*$")


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

    @property
    def broken(self) -> tuple[str, ...]:
        """The clauses that the judge found broken."""
        return tuple(clause for clause, word in self.words.items() if word == "broken")

    @property
    def accuses(self) -> bool:
        """Whether the judge found anything broken, or would not judge."""
        return self.exit_code != 0


def judged(deployment: Deployment, *, seed: int = 0, options: Sequence[str] = (), max_requests: int = 200) -> Judgement:
    """Return the verdict of `agent-contract verify` on a deployment, run in a process of its own."""
    tally = Tally()
    with running(deployment, tally) as url:
        arguments = [url, "--agent-id", deployment.agent_id, "--seed", str(seed), "--max-requests", str(max_requests)]
        environment = {**os.environ, "COLUMNS": "400", "NO_COLOR": "1", TOKEN_VARIABLE: deployment.token or ""}
        token = ["--token-env", TOKEN_VARIABLE] if deployment.token else []
        began = time.monotonic()
        done = subprocess.run(
            [sys.executable, "-m", "agent_contract", "verify", *arguments, *token, *options],
            capture_output=True,
            text=True,
            env=environment,
            timeout=LIMIT,
            check=False,
        )
        seconds = time.monotonic() - began
    return read(done.returncode, done.stdout, done.stderr, tally, seconds)


def read(exit_code: int, stdout: str, stderr: str, tally: Tally, seconds: float) -> Judgement:
    """Return what `verify` printed as a value."""
    rows = [found.groups() for line in stdout.splitlines() if (found := _ROW.match(line))]
    last = (stdout.strip() or stderr.strip() or "no output").splitlines()[-1]
    return Judgement(
        exit_code,
        last,
        {clause: word for word, clause, _, _ in rows},
        {clause: note for _, clause, _, note in rows},
        tally.requests,
        tally.tokens,
        seconds,
        stdout + stderr,
    )
