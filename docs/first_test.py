"""Draws `first-test.svg` from a real run: `python docs/first_test.py`.

A client's test fails, the log of the mock names the clause that the request broke, and the fixed client passes.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

WIDTH = 100
PICTURE = Path(__file__).with_name("first-test.svg")
CLIENT = """\
import httpx, os

def test_a_greeting_is_answered():
    body = {"messages": [{"role": "user", "content": "Hello!"}], "temperature": 3}
    status = httpx.post(os.environ["CHAT_URL"], json=body).status_code
    assert status == 200
"""
#: All of them run, in one folder.
COMMANDS = (
    "pytest -q test_client.py",
    "tail -n 3 mock.log",
    "sed -i 's/: 3}/: 0.3}/' test_client.py",
    "pytest -q test_client.py",
)


def main() -> None:
    """Run the client against a mock, before and after the fix, and write the picture."""
    console = Console(record=True, width=WIDTH, file=StringIO(), force_terminal=True, color_system="truecolor")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    url = f"http://127.0.0.1:{port}"
    variables = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "CHAT_URL": f"{url}/api/v1/compatibility/openai/v1/assistants/demo/chat/completions",
        "COLUMNS": str(WIDTH),
        # A module that was cached in the same second would hide the fix.
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTEST_ADDOPTS": "-p no:cacheprovider --color=yes --tb=short",
    }
    program = [sys.executable, "-m", "agent_contract"]
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "test_client.py").write_text(CLIENT, encoding="utf-8")
        with Path(folder, "mock.log").open("wb") as log:
            server = subprocess.Popen([*program, "serve", "--port", port], stdout=log, stderr=subprocess.STDOUT)
        try:
            subprocess.run([*program, "wait", url, "--timeout", "60"], check=True, capture_output=True)
            for command in COMMANDS:
                _show(console, command, folder, variables)
        finally:
            server.terminate()
            server.wait()
    console.save_svg(str(PICTURE), title="A client's first test")


def _show(console: Console, command: str, folder: str, variables: dict[str, str]) -> None:
    shell = ["bash", "-c", command]
    printed = subprocess.run(shell, cwd=folder, env=variables, capture_output=True, text=True, check=False).stdout
    console.print(Text.assemble(("$ ", "bold green"), (command, "bold")))
    if printed:
        console.print(Text.from_ansi(printed.strip("\n")))
    console.print()


if __name__ == "__main__":
    main()
