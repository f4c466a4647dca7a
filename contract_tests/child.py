"""The isolated process of `agent-contract verify`: pytest beneath, a progress line, the table, the exit code."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def main(arguments: Sequence[str]) -> int:
    """Run the contract tests with these options of pytest and return the exit code of `verify`."""
    try:
        import pytest

        from contract_tests import plugin
        from contract_tests.narrator import Narrator

        isolated = [
            *("-c", str(_HERE / "isolated.ini"), f"--rootdir={_HERE}", "--noconftest", "--import-mode=importlib"),
            *(
                "-p",
                "schemathesis",
                "-p",
                "no:cacheprovider",
                "-p",
                "no:terminal",
                "-p",
                "no:logging",
                "--assert=plain",
                "--capture=no",
            ),
            *("-W", "ignore"),
        ]
        return int(pytest.main([*isolated, *arguments, str(_HERE)], plugins=[plugin, Narrator()]))
    except KeyboardInterrupt:
        sys.stderr.write("interrupted before anything was asked\n")
        return 130
