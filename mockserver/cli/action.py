"""The program of the GitHub Action's `serve` mode: starts a mock in the background, and waits until it answers.

The inputs of `action.yml` are JSON in an environment variable. The mock runs until the job ends.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from mockserver.cli.wait_for_server import wait_for

#: The variable with the inputs, an object of strings.
VARIABLE = "AGENT_CONTRACT_INPUTS"
#: The inputs that are options of `serve`. The token gets to it by its variable.
INPUTS = ("port", "config", "spec", "api-version", "seed")
DEFAULT_PORT = "8000"

_TOKEN = "AGENT_CONTRACT_TOKEN"
_LIMIT = 60.0  # seconds
_PAUSE = 0.1


def arguments(inputs: Mapping[str, str]) -> list[str]:
    """Return the arguments of `serve`: one for each input that is not empty."""
    return [f"--{name}={text}" for name in INPUTS if (text := inputs.get(name, "").strip())]


def start(inputs: Mapping[str, str], log: Path) -> str:
    """Return the URL of a mock after it answered; its output is in `log`. Raises RuntimeError if it does not start."""
    url = f"http://127.0.0.1:{inputs.get('port', '').strip() or DEFAULT_PORT}"
    environment = {name: text for name, text in os.environ.items() if name != _TOKEN or text}
    command = [sys.executable, "-I", "-m", "agent_contract", "serve", *arguments(inputs)]
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, env=environment, start_new_session=True
        )
    end = time.monotonic() + _LIMIT
    # The log names the URL once the mock itself listens there; another server may answer at it too.
    while url not in log.read_text(encoding="utf-8", errors="replace"):
        if process.poll() is not None or time.monotonic() > end:
            process.kill()
            said = log.read_text(encoding="utf-8", errors="replace").strip()
            raise RuntimeError(f"The mock did not start. It wrote:\n{said}")
        time.sleep(_PAUSE)
    wait_for(url, max(1.0, end - time.monotonic()))
    return url


def main() -> int:
    """Return the exit status; the URL is an output of the step, the mock's log is named on standard output."""
    inputs: dict[str, str] = json.loads(os.environ.pop(VARIABLE))
    log = Path(os.environ["RUNNER_TEMP"]) / "agent-contract-mock.log"
    try:
        url = start(inputs, log)
    except (RuntimeError, TimeoutError) as error:
        print(error, file=sys.stderr)
        return 1
    with Path(os.environ["GITHUB_OUTPUT"]).open("a", encoding="utf-8") as output:
        output.write(f"url={url}\n")
    print(f"The mock runs at {url} until the job ends. Its log is {log}.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
