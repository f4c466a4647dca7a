"""The servers that are compared: this mock, its peers, and nginx with a fixed answer as the limit."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from agent_contract.document.own_document import find_document
from benchmarks import npm_servers
from benchmarks.serving.process import find_program

FOLDER = npm_servers.BUILD / "serving"
PACKAGES = Path(__file__).parent / "package.json"
AGENT = "/api/v1/compatibility/openai/v1/agents/demo/chat/completions"
#: What the streaming servers send: this number of pieces, this number of seconds apart.
EVENTS, GAP = 20, 0.05

_ANSWER = json.dumps(
    {
        "id": "chatcmpl-8f0f7f5e5a0c4b529f8e0c2f3d1b7a64",
        "object": "chat.completion",
        "created": 1700173217,
        "model": "llama-2-70b-chat-hf",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "12 euros."},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 10, "completion_tokens": 8, "total_tokens": 18},
    }
)
_NODE_START, _JAVA_START = 60.0, 240.0


@dataclass(frozen=True, slots=True)
class Server:
    """A server of the comparison.

    `command` writes the configuration into a folder and returns the command that listens at a port. `invalid` is the
    status of an invalid body: None if the server does not validate. `cases` are the letters that it is measured in.
    """

    name: str
    setup: str
    command: Callable[[Path, int], list[str]]
    cases: str
    path: str = AGENT
    package: str | None = None
    program: str = "node"
    invalid: int | None = None
    sessions: bool = False
    start: float = _NODE_START

    def missing(self) -> str | None:
        """Return why the server can't run on this machine: None if it can."""
        if find_program(self.program) is None:
            return f"{self.program} was not found"
        if self.package is not None and not (FOLDER / "node_modules" / self.package).is_dir():
            return f"{self.package} is not installed"
        return None

    def version(self) -> str:
        """Return the version of the npm package: empty without one."""
        return npm_servers.version_of(FOLDER, self.package) if self.package else ""


def _serve(*options: str) -> Callable[[Path, int], list[str]]:
    command = [sys.executable, "-m", "agent_contract", "serve", "--log-level", "error", "--control", "off"]

    def started(folder: Path, port: int) -> list[str]:
        return [*command, "--port", str(port), *(option.format(folder=folder) for option in options)]

    return started


def _script(script: str) -> list[str]:
    return ["node", str(FOLDER / "node_modules" / script)]


def _prism(_: Path, port: int) -> list[str]:
    return [
        *_script("@stoplight/prism-cli/dist/index.js"),
        "mock",
        str(find_document()),
        "-v",
        "silent",
        "-p",
        str(port),
    ]


def _document_3_1(folder: Path) -> str:
    """Return the path of the document as OpenAPI 3.1, for servers that refuse 3.2: the version is all that differs."""
    path = folder / "openapi-3.1.yaml"
    head, _, rest = find_document().read_text(encoding="utf-8").partition("\n")
    path.write_text("openapi: 3.1.0\n" + rest if head.startswith("openapi:") else head + rest, encoding="utf-8")
    return str(path)


def _steady(folder: Path, port: int) -> list[str]:
    return [*_script("@stdy/cli/steady.js"), "-q", "--host", "127.0.0.1", "-p", str(port), _document_3_1(folder)]


def _aimock(*options: str) -> Callable[[Path, int], list[str]]:
    def started(folder: Path, port: int) -> list[str]:
        # Pieces of five characters: as many events as the other server of the comparison sends.
        fixtures = {"fixtures": [{"match": {}, "response": {"content": "word " * EVENTS}}]}
        path = _written(folder / "aimock.json", fixtures)
        command = [*_script("@copilotkit/aimock/dist/cli.js"), "--strict", "--log-level", "silent", "-f", path]
        return [*command, "-p", str(port), *options]

    return started


def _mockoon(folder: Path, port: int) -> list[str]:
    response = {
        "uuid": "00000000-0000-4000-8000-000000000003",
        "body": _ANSWER,
        "statusCode": 200,
        "headers": [{"key": "Content-Type", "value": "application/json"}],
        "bodyType": "INLINE",
        "disableTemplating": True,
        "default": True,
    }
    route = {
        "uuid": "00000000-0000-4000-8000-000000000002",
        "type": "http",
        "method": "post",
        "endpoint": AGENT.removeprefix("/"),
        "responses": [response],
    }
    environment = {
        "uuid": "00000000-0000-4000-8000-000000000001",
        "lastMigration": 33,
        "name": "benchmark",
        "port": port,
        "hostname": "127.0.0.1",
        "rootChildren": [{"type": "route", "uuid": route["uuid"]}],
        "routes": [route],
    }
    path = _written(folder / "mockoon.json", environment)
    options = ["--repair", "--disable-log-to-file", "--disable-admin-api", "--max-transaction-logs", "0"]
    return [*_script("@mockoon/cli/bin/run.js"), "start", "-d", path, "-p", str(port), "-l", "127.0.0.1", *options]


def _wiremock(folder: Path, port: int) -> list[str]:
    mapping = {
        "request": {
            "method": "POST",
            "urlPath": AGENT,
            "bodyPatterns": [{"matchesJsonPath": "$.messages[0].content"}],
        },
        "response": {"status": 200, "body": _ANSWER, "headers": {"Content-Type": "application/json"}},
    }
    root = folder / "wiremock"
    (root / "mappings").mkdir(parents=True, exist_ok=True)
    _written(root / "mappings" / "chat.json", mapping)
    jar = next((FOLDER / "node_modules" / "wiremock" / "build").glob("wiremock-standalone-*.jar"))
    options = ["--disable-banner", "--no-request-journal", "--bind-address", "127.0.0.1"]
    return ["java", "-jar", str(jar), "--port", str(port), "--root-dir", str(root), *options]


def _specmatic(folder: Path, port: int) -> list[str]:
    jar = FOLDER / "node_modules" / "specmatic" / "specmatic.jar"
    command = ["env", "SPECMATIC_DISABLE_TELEMETRY=true", "java", "-jar", str(jar), "stub", _document_3_1(folder)]
    return [*command, "--host", "127.0.0.1", "--port", str(port)]


def _nginx(folder: Path, port: int) -> list[str]:
    temporary = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    configuration = f"""
worker_processes 1;
daemon off;
pid {folder}/nginx.pid;
error_log {folder}/nginx.log crit;
events {{ worker_connections 4096; }}
http {{
  access_log off;
  keepalive_requests 1000000000;
  {temporary}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{ default_type application/json; return 200 '{_ANSWER}'; }}
  }}
}}
"""
    path = folder / "nginx.conf"
    path.write_text(configuration, encoding="utf-8")
    return [find_program("nginx") or "nginx", "-c", str(path), "-e", f"{folder}/nginx.log"]


def _written(path: Path, value: object) -> str:
    path.write_text(json.dumps(value), encoding="utf-8")
    return str(path)


#: The mock whose figures are compared, and the limit that no mock can exceed.
MOCK, LIMIT = "this mock", "nginx, fixed answer"


def _mock(name: str, setup: str, cases: str, *options: str) -> Server:
    return Server(name, setup, _serve(*options), cases, program=sys.executable, invalid=422, sessions=True)


_PACED = ("--ttft", str(GAP), "--tps", f"{1 / GAP:g}")
_SQLITE = ("--store", "sqlite:///{folder}/state.db")
#: In the order in which each round starts them.
SERVERS = (
    _mock(MOCK, "one worker, state in memory", "abcef"),
    _mock("this mock, SQLite", "one worker, state in a file", "bi", *_SQLITE),
    _mock("this mock, 2 workers", "state in a file that both share", "i", *_SQLITE, "--workers", "2"),
    _mock("this mock, 4 workers", "state in a file that they share", "i", *_SQLITE, "--workers", "4"),
    _mock("this mock, paced", f"a token each {1000 * GAP:g} ms", "dj", *_PACED),
    Server(
        "Steady",
        "the document, as OpenAPI 3.1",
        _steady,
        "acef",
        package="@stdy/cli",
        invalid=400,
    ),
    Server("Prism", "the document", _prism, "acef", package="@stoplight/prism-cli", invalid=422),
    Server("aimock", "one fixture", _aimock(), "aef", "/v1/chat/completions", "@copilotkit/aimock"),
    Server(
        "aimock, paced",
        f"an event each {1000 * GAP:g} ms",
        _aimock("--latency", f"{1000 * GAP:g}", "--chunk-size", "5"),
        "d",
        "/v1/chat/completions",
        "@copilotkit/aimock",
    ),
    Server("Mockoon", "one route with a fixed answer", _mockoon, "aef", package="@mockoon/cli"),
    Server(
        "WireMock",
        "a fixed answer for a body with a message",
        _wiremock,
        "aef",
        package="wiremock",
        program="java",
        start=_JAVA_START,
    ),
    Server(
        "Specmatic",
        "the document, as OpenAPI 3.1",
        _specmatic,
        "acef",
        package="specmatic",
        program="java",
        invalid=400,
        start=_JAVA_START,
    ),
    Server(LIMIT, "one worker", _nginx, "aef", program="nginx"),
)
