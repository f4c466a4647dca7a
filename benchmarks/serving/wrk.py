"""Runs wrk with requests that vary, and reads its result."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.process import find_program, pinned

_SCRIPT = Path(__file__).parent / "requests.lua"
_MARK = "RESULT "
#: Seconds that wrk may take beyond the time that it measures.
_GRACE = 30.0
CONNECTIONS = 64


class WrkError(Exception):
    """The load was not what it had to be; the message contains the reason."""


@dataclass(frozen=True, slots=True)
class Load:
    """The result of one run: replies a second, and the latency of most replies in milliseconds."""

    rate: float
    p50: float
    p99: float


def missing_tools() -> str | None:
    """Return what to install for the loads: None if all is installed."""
    missing = [name for name in ("wrk", "nginx") if find_program(name) is None]
    if not missing:
        return None
    return f"{' and '.join(missing)} not found. On Debian or Ubuntu: apt-get install {' '.join(missing)}"


def parse(output: str, refusals: bool) -> Load:
    """Return the result in wrk's output; WrkError if a reply had another kind of status, or a connection broke."""
    lines = [line.removeprefix(_MARK) for line in output.splitlines() if line.startswith(_MARK)]
    if not lines:
        raise WrkError(f"wrk printed no result. Its output: {output[-500:]!r}")
    found = json.loads(lines[-1])
    if not found["requests"]:
        raise WrkError("no request was answered")
    if found["broken"]:
        raise WrkError(f"{found['broken']} connections failed or timed out")
    if found["refused"] != (found["requests"] if refusals else 0):
        raise WrkError(f"{found['refused']} of {found['requests']} requests were refused")
    return Load(found["requests"] / found["microseconds"] * 1e6, found["p50"] / 1000, found["p99"] / 1000)


def run(url: str, kind: str, seconds: int, cores: frozenset[int], sessions: Path | None = None) -> Load:
    """Return the result of a load of one kind (`chat`, `session` or `invalid`) on these cores."""
    command = [*pinned(cores), "wrk", "-t", str(len(cores)), "-c", str(CONNECTIONS), "-d", f"{seconds}s"]
    command += ["--timeout", "10s", "-s", str(_SCRIPT), url, "--", kind, *([str(sessions)] if sessions else [])]
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds + _GRACE, check=False)
    if done.returncode:
        raise WrkError(f"wrk failed: {(done.stderr or done.stdout)[-500:]}")
    return parse(done.stdout, refusals=kind == "invalid")
