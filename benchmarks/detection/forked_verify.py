"""Runs `agent-contract verify` in a fork of a process that has imported its libraries: half the time of a new Python.

The options, the isolation from pytest's configuration and the code are those of the command; only the start differs.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from multiprocessing import get_context
from pathlib import Path
from typing import NoReturn

#: Imported once, by the process that is forked for each run.
PRELOADED = (
    "benchmarks.detection.forked_verify",
    "contract_tests.cli.verify",
    "contract_tests.report.html",
    "contract_tests.runner.plugin",
    "contract_tests.runner.progress",
    "httpx",
    "openapi_core",
    "pytest",
    "schemathesis",
    "schemathesis.pytest.plugin",
)
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload(list(PRELOADED))


def verify(arguments: Sequence[str], variables: Mapping[str, str], output: Path, seconds: float) -> int:
    """Run `verify` with these arguments and environment variables; its output goes to a file.

    Returns the exit code; raises TimeoutError if the run takes longer than `seconds`.
    """
    process = _CONTEXT.Process(target=_run, args=(list(arguments), dict(variables), str(output)))
    process.start()
    process.join(seconds)
    if process.exitcode is None:
        process.kill()
        process.join()
        raise TimeoutError(f"verify took longer than {seconds:g} s")
    return process.exitcode


def _run(arguments: list[str], variables: dict[str, str], output: str) -> NoReturn:
    """Become `agent-contract verify`: its streams, its environment, its exit code."""
    from contract_tests.cli.verify import verify as command
    from contract_tests.options import Options, to_arguments
    from contract_tests.runner import isolated_main, launcher

    def go_on(options: Options, more: Sequence[str] = ()) -> NoReturn:
        os.environ.update(launcher.child_environment(variables, options.token))
        sys.exit(isolated_main.main([*to_arguments(options), *more]))

    descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(descriptor, stream)
    os.environ.clear()
    os.environ.update(variables)
    # The command would replace this process by a new Python, which imports everything again.
    launcher.replace_process = go_on
    code: object = 0
    with suppress(SystemExit):
        try:
            command.main(arguments, prog_name="agent-contract verify")
        except SystemExit as end:
            code = end.code
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code if isinstance(code, int) else int(bool(code)))
