"""The servers that are compared: this mock, and two others from npm, installed into `build/`."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from agent_contract.document.own_document import find_document
from benchmarks import npm_servers
from mockserver import MockServer

FOLDER = npm_servers.BUILD / "client-bugs"
_PACKAGES = Path(__file__).parent / "package.json"
_AGENT = "/api/v1/compatibility/openai/v1/agents/demo/chat/completions"


@dataclass(frozen=True, slots=True)
class Server:
    """A server: its name, how it is configured, and what starts it and gives the URL of its chat endpoint."""

    name: str
    setup: str
    start: Callable[[], AbstractContextManager[str]]


def install() -> None:
    """Install the npm packages; ServerError if npm is missing or fails."""
    npm_servers.install(_PACKAGES, FOLDER)


def version_of(package: str) -> str:
    """Return the version of an installed package."""
    return npm_servers.version_of(FOLDER, package)


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
    port = npm_servers.free_port()
    command = ["node", str(FOLDER / "node_modules" / script), *arguments, "-p", str(port)]
    with npm_servers.running(command, port, FOLDER / "server.log"):
        yield f"http://127.0.0.1:{port}"


SERVERS = (
    Server("this mock", "as it starts", _mock),
    Server("@stoplight/prism-cli", "with `openapi.yaml`", _prism),
    Server("@copilotkit/aimock", "`--strict`, one fixture for every request", _aimock),
)
