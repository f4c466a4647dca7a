"""Runs the client's command once per variant, each time against a mock of its own."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, Literal, TypeAlias

from agent_contract.messages import Exchange
from client_check.variants import ServerVariant
from client_check.varied_server import Replayed, Varied, VaryingEngine, concerns, differing, environment_of, replayed
from mockserver import Engine, load_engine
from mockserver.adapters.threaded_server import ThreadedServer
from server_defects.player import play

Verdict: TypeAlias = Literal["passed", "failed", "not met"]
#: Bytes of the command's output that are kept, from its end.
_KEPT = 16 * 1024
#: A run may take this many times as long as the run without variations, and this many seconds more.
_FACTOR, _GRACE = 5, 30.0


#: Runs a client with these variables, within this many seconds; returns its exit status, None if it took too long, and
#: the end of its output.
RunClient: TypeAlias = Callable[[Mapping[str, str], float | None], tuple[int | None, str]]


@dataclass(frozen=True, slots=True)
class Command:
    """A command that runs a client; what it starts ends with it."""

    words: tuple[str, ...]

    def __call__(self, variables: Mapping[str, str], timeout: float | None) -> tuple[int | None, str]:
        """Return the exit status, None after the timeout, and the end of the output."""
        environment = {**os.environ, **variables}
        with TemporaryFile() as output:
            process = subprocess.Popen(
                self.words,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                env=environment,
                start_new_session=True,
            )
            try:
                status: int | None = process.wait(timeout)
            except subprocess.TimeoutExpired:
                status = None
            finally:
                _kill_group(process)
            size = output.seek(0, os.SEEK_END)
            output.seek(max(0, size - _KEPT))
            return status, output.read().decode(errors="replace")


@dataclass(frozen=True, slots=True)
class Client:
    """What runs a client, and the mock that it runs against.

    `variables` are set in its environment; `config` and `scenario` are files of the mock.
    """

    run: RunClient
    agent: str = "demo"
    variables: Mapping[str, str] = field(default_factory=dict)
    config: Path | None = None
    scenario: Path | None = None
    port: int = 0
    timeout: float | None = None


@dataclass(frozen=True, slots=True)
class ClientRun:
    """One run of the command: its exit status, None if it took too long, and the end of its output."""

    status: int | None
    seconds: float
    output: str
    seen: tuple[Varied, ...]
    varied: tuple[Varied, ...]


@dataclass(frozen=True, slots=True)
class VariantResult:
    """The verdict on a client in one variant. `run` is None if the client never meets what the variant varies."""

    variant: ServerVariant
    verdict: Verdict
    run: ClientRun | None = None


def run_plainly(client: Client) -> ClientRun:
    """Return a run against the mock as it is. Raises OSError if the command or the port can't be used."""
    return _run(client, None, client.timeout)


def check(
    client: Client,
    plain: ClientRun,
    variants: Sequence[ServerVariant],
    jobs: int,
    said: Callable[[VariantResult], None],
) -> Iterator[VariantResult]:
    """Yield the verdict of each variant, in their order; `said` gets each as soon as it is known.

    A failure counts if it happens twice: a client that fails by chance is not accused.
    """
    timeout = client.timeout or plain.seconds * _FACTOR + _GRACE
    yield from _in_parallel(lambda variant: _judged(client, plain, variant, timeout), variants, jobs, said)


def check_mutants(
    client: Client,
    plain: ClientRun,
    mutants: Sequence[ServerVariant],
    jobs: int,
    said: Callable[[VariantResult], None],
) -> Iterator[VariantResult]:
    """Yield the verdict of each mutant, in their order: failed if the client's tests succeed with it.

    A mutant is not met if it changes no reply to the requests of the plain run. To know that, they are sent again, in
    their order, to a mock in this process. `varied` of a result has the replies that it changes there.
    """
    timeout = client.timeout or plain.seconds * _FACTOR + _GRACE
    usual = replayed(_engine(client), plain.seen)
    yield from _in_parallel(lambda mutant: _noticed(client, plain, usual, mutant, timeout), mutants, jobs, said)


def _in_parallel(
    judge: Callable[[ServerVariant], VariantResult],
    variants: Sequence[ServerVariant],
    jobs: int,
    said: Callable[[VariantResult], None],
) -> Iterator[VariantResult]:
    def judged(variant: ServerVariant) -> VariantResult:
        result = judge(variant)
        said(result)
        return result

    with ThreadPoolExecutor(jobs) as pool:
        yield from pool.map(judged, variants)


def _judged(client: Client, plain: ClientRun, variant: ServerVariant, timeout: float) -> VariantResult:
    if not concerns(variant, plain.seen):
        return VariantResult(variant, "not met")
    for _ in range(2):
        run = _run(client, variant, timeout)
        if run.status == 0:
            return VariantResult(variant, "passed" if run.varied else "not met", run)
    return VariantResult(variant, "failed", run)


def _noticed(
    client: Client, plain: ClientRun, usual: Sequence[Replayed], variant: ServerVariant, timeout: float
) -> VariantResult:
    assert variant.defect is not None
    affected = differing(usual, replayed(play(_engine(client), [variant.defect]), plain.seen))
    if not affected:
        return VariantResult(variant, "not met")
    run = _run(client, variant, timeout)
    return VariantResult(variant, "failed" if run.status == 0 else "passed", replace(run, varied=affected))


def _engine(client: Client, **options: Any) -> Engine:
    return load_engine(config=client.config, scenario=client.scenario, **options)


def _run(client: Client, variant: ServerVariant | None, timeout: float | None) -> ClientRun:
    faulty: list[Varied] = []

    def listen(exchange: Exchange) -> None:
        if exchange.faults:
            faulty.append(Varied(exchange.request, exchange.reply))

    faults = (variant.fault,) if variant and variant.fault else ()
    defects = (variant.defect,) if variant and variant.defect else ()
    engine = VaryingEngine(play(_engine(client, faults=faults, journal=listen), defects), variant)
    with ThreadedServer(engine, port=client.port) as server:
        variables = environment_of(server.url, server.base_url(client.agent), client.variables)
        begun = time.monotonic()
        status, output = client.run(variables, timeout)
        seconds = time.monotonic() - begun
    return ClientRun(status, seconds, output, tuple(engine.seen), (*engine.varied, *faulty))


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
