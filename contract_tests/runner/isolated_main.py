"""The isolated process of `agent-contract verify`: pytest beneath, a progress line, the table, the exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from contract_tests.verdict import Exit

_HERE = Path(__file__).resolve().parent
_SUITE = _HERE.parent / "suite"
#: What keeps pytest from anything that the user has configured, and from talking itself.
ISOLATED = (
    f"--config-file={_HERE / 'isolated.ini'}",
    f"--rootdir={_SUITE}",
    "--noconftest",
    "--import-mode=importlib",
    "--assert=plain",
    "--capture=no",
    "-Wignore",
    "-pno:cacheprovider",
    "-pno:terminal",
    "-pno:logging",
    # They collect garbage, several times at the end, to warn of what `-Wignore` ignores.
    "-pno:unraisableexception",
    "-pno:threadexception",
)
#: Generates requests; its import takes a quarter of a second, and is skipped if no selected clause needs it.
GENERATING = "-pschemathesis"


def main(arguments: Sequence[str]) -> int:
    """Run the contract tests with these options of pytest and return the exit code of `verify`."""
    try:
        from contract_tests.runner.progress import ProgressReporter

        code = judge(arguments, ProgressReporter())
    except KeyboardInterrupt:
        sys.stderr.write("interrupted before anything was asked\n")
        return Exit.INTERRUPTED
    except Exception as error:  # a fault here must not pass for the deployment's
        sys.stderr.write(f"no verdict: agent-contract itself failed: {type(error).__name__}: {error}\n")
        return Exit.NO_VERDICT
    return code if code in set(Exit) else Exit.NO_VERDICT


def judge(arguments: Sequence[str], *listeners: object) -> int:
    """Run the contract tests in this process, with further plugins of pytest, and return pytest's exit code."""
    import pytest

    from contract_tests.runner import plugin

    return int(pytest.main([*ISOLATED, *arguments, str(_SUITE)], plugins=[plugin, *listeners]))
