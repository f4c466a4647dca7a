"""Runs the contract tests in a Python of their own, out of reach of the user's configuration and modules."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NoReturn

from contract_tests.options import Options, to_arguments
from contract_tests.wire.exchange import TOKEN_VARIABLE

#: The isolated Python sees its own site packages first. What this one sees besides comes after them, so that an
#: installation of an unusual kind still works; the working directory does not come at all. It prints in this one's
#: encoding, which it could not read from the environment.
_START = """\
import json, sys
for stream in sys.stdout, sys.stderr:
    stream.reconfigure(encoding=sys.argv[1], errors="backslashreplace")
del sys.argv[1]
sys.path.extend(path for path in json.loads(sys.argv.pop(1)) if path not in sys.path)
from contract_tests.runner.isolated_main import main
sys.exit(main(sys.argv[1:]))
"""


def replace_process(options: Options, more: Sequence[str] = ()) -> NoReturn:
    """Give this process over to the contract tests; it ends with their exit code. `more` are arguments of pytest."""
    sys.stdout.flush()
    sys.stderr.flush()
    command, environment = (
        [*arguments(options), *more],
        child_environment(os.environ, options.token, options.token_variable),
    )
    if os.name == "posix":
        os.execve(command[0], command, environment)
    sys.exit(subprocess.run(command, env=environment, check=False).returncode)


def arguments(options: Options) -> list[str]:
    """Return the command that runs the contract tests isolated."""
    here = Path.cwd()
    package = Path(__file__).resolve().parents[2]
    paths = [path for path in map(os.path.abspath, filter(None, sys.path)) if Path(path) != here]
    return [
        *(sys.executable, "-I", "-X", "utf8", "-c", _START),
        getattr(sys.stdout, "encoding", None) or "utf-8",
        json.dumps([*paths, str(package)]),
        *to_arguments(options),
    ]


def child_environment(environment: Mapping[str, str], token: str, variable: str = TOKEN_VARIABLE) -> dict[str, str]:
    """Return the environment without what would change pytest or Python, and with the token in its variable."""
    kept = {name: value for name, value in environment.items() if not name.startswith(("PYTEST_", "PYTHON"))}
    kept.pop(TOKEN_VARIABLE, None)
    kept.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(_cache(environment) / "hypothesis"))
    return {**kept, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", **({variable: token} if token else {})}


def _cache(environment: Mapping[str, str]) -> Path:
    """Return the user's folder for what can be made again: Hypothesis would use the working directory."""
    name = "LOCALAPPDATA" if os.name == "nt" else "XDG_CACHE_HOME"
    return (
        Path(environment.get(name) or Path(environment.get("HOME") or tempfile.gettempdir()) / ".cache")
        / "agent-contract"
    )
