"""The servers that are compared: this mock, and two others from npm, installed into `build/`."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent_contract.document.own_document import find_document
from mockserver import MockServer

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "build" / "client-bugs"
_PACKAGES = Path(__file__).parent / "package.json"
_AGENT = "/api/v1/compatibility/openai/v1/agents/demo/chat/completions"
_START = 60.0  # seconds


class NpmError(Exception):
    """The other servers can't be installed or started; the message contains the reason and what to do."""


@dataclass(frozen=True, slots=True)
class Server:
    """A server: its name, how it is configured, and what starts it and gives the URL of its chat endpoint."""

    name: str
    setup: str
    start: Callable[[], AbstractContextManager[str]]


def install() -> None:
    """Install the npm packages; NpmError if npm is missing or fails."""
    npm = shutil.which("npm")
    if npm is None or shutil.which("node") is None:
        raise NpmError("Node and npm were not found, and the other servers are npm packages: install Node 20 or newer.")
    FOLDER.mkdir(parents=True, exist_ok=True)
    shutil.copy(_PACKAGES, FOLDER)
    command = [npm, "install", "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"]
    if subprocess.run(command, cwd=FOLDER, check=False).returncode:
        raise NpmError(f"npm could not install the packages of {_PACKAGES.name}. The lines above contain the reason.")


def version_of(package: str) -> str:
    """Return the version of an installed package."""
    return str(json.loads((FOLDER / "node_modules" / package / "package.json").read_text(encoding="utf-8"))["version"])


@contextmanager
def _mock() -> Iterator[str]:
    with MockServer() as served:
        yield served.url + _AGENT


@contextmanager
def _aimock() -> Iterator[str]:
    fixtures = FOLDER / "fixtures.json"
    fixtures.write_text(json.dumps({"fixtures": [{"match": {}, "response": {"content": "Hello!"}}]}), encoding="utf-8")
    with _node("@copilotkit/aimock/dist/cli.js", "--strict", "-f", str(fixtures)) as url:
        yield url + "/v1/chat/completions"


@contextmanager
def _prism() -> Iterator[str]:
    with _node("@stoplight/prism-cli/dist/index.js", "mock", str(find_document())) as url:
        yield url + _AGENT


@contextmanager
def _node(script: str, *arguments: str) -> Iterator[str]:
    """Run a script of an installed package, which listens at the port of `-p`; yield its URL."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["node", str(FOLDER / "node_modules" / script), *arguments, "-p", str(port)]
    log = FOLDER / "server.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, cwd=FOLDER, stdout=output, stderr=subprocess.STDOUT)
    try:
        _wait(process, port, log)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(10)


def _wait(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    until = time.monotonic() + _START
    while time.monotonic() < until and process.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.1)
        else:
            return
    said = log.read_text(encoding="utf-8", errors="replace")[-500:]
    raise NpmError(f"The server {process.args!r} did not start within {_START:g} s. It wrote: {said}")


SERVERS = (
    Server("this mock", "as it starts", _mock),
    Server("@stoplight/prism-cli", "with `openapi.yaml`", _prism),
    Server("@copilotkit/aimock", "`--strict`, one fixture for every request", _aimock),
)
