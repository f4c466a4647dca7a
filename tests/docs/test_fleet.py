"""The compose file of the how-to page: its processes, started here, are one mock at one address."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml

from mockserver.cli.wait_for_server import wait_for
from tests.docs.support.blocks import BLOCKS, ROOT
from tests.docs.support.console import free_port
from tests.mockserver.support.redis_server import RedisServer
from tests.support.serving import Served, serve

(TEXT,) = (block.text for block in BLOCKS if block.file_name == "compose.yaml")
COMPOSE: Mapping[str, Any] = yaml.safe_load(TEXT)
SERVICES: Mapping[str, Any] = COMPOSE["services"]
MOCK = SERVICES["mock"]
#: `$$` is a dollar sign in a compose file.
NGINX = COMPOSE["configs"]["balancer"]["content"].replace("$$", "$")
CHAT = "/api/v1/compatibility/openai/v1/agents/demo/chat/completions"


@pytest.fixture(scope="module")
def fleet(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The URL of the balancer in front of the file's mocks and Redis."""
    program = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        leave = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        leave("nginx was not found: the compose file is NOT TESTED")
    with ExitStack() as stack:
        folder = tmp_path_factory.mktemp("fleet")
        redis = RedisServer(folder)
        redis.start(*SERVICES["redis"]["command"][1:])
        stack.callback(redis.stop)
        variables = {**MOCK["environment"], "AGENT_CONTRACT_STORE": redis.url}
        environment = {**os.environ, **variables}
        mocks = [stack.enter_context(serve(environment=environment)) for _ in range(MOCK["deploy"]["replicas"])]
        port = free_port()
        stack.enter_context(balancer(program, folder, mocks, port))
        wait_for(f"http://127.0.0.1:{port}", 60)
        yield f"http://127.0.0.1:{port}"


def balancer(program: str, folder: Path, mocks: list[Served], port: int) -> subprocess.Popen[bytes]:
    """Start nginx with the configuration of the file, at other addresses."""
    servers = " ".join(f"server {mock.url.removeprefix('http://')};" for mock in mocks)
    text = NGINX.replace("server mock:8000;", servers).replace("listen 8000;", f"listen 127.0.0.1:{port};")
    assert servers in text
    paths = " ".join(
        f"{kind}_temp_path {folder}/{kind};" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    text = text.replace("http {", f"http {{ {paths}", 1)
    (folder / "nginx.conf").write_text(f"pid {folder}/nginx.pid;\n{text}", encoding="utf-8")
    arguments = ["-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log"), "-g", "daemon off;"]
    return Stopped([program, *arguments])


class Stopped(subprocess.Popen[bytes]):
    """A process that is stopped at the end of its block."""

    def __exit__(self, *error: Any) -> None:
        self.terminate()
        super().__exit__(*error)


def chat(client: httpx.Client, content: str, **more: Any) -> httpx.Response:
    answer = client.post(CHAT, json={"messages": [{"role": "user", "content": content}], **more})
    return answer.raise_for_status()


def test_a_session_continues_whichever_mock_a_request_reaches(fleet: str) -> None:
    with httpx.Client(base_url=fleet) as client:
        session = chat(client, "The password is heron.", create_session=True).json()["session_id"]
        answers = [chat(client, "What is the password?", store_in_session=session) for _ in range(10)]
    assert len({answer.headers["x-served-by"] for answer in answers}) == MOCK["deploy"]["replicas"]
    assert all("heron" in answer.json()["choices"][0]["message"]["content"] for answer in answers)
    tokens = [answer.json()["usage"]["prompt_tokens"] for answer in answers]
    assert tokens == sorted(set(tokens)), "each turn adds to the context of the next one"


def test_a_stream_passes_through_the_balancer(fleet: str) -> None:
    with httpx.Client(base_url=fleet) as client:
        assert chat(client, "Hello!", stream=True).text.endswith("data: [DONE]\n\n")


def test_the_balancer_passes_on_the_control_interface(fleet: str) -> None:
    assert httpx.get(f"{fleet}/__mock__/sessions").status_code == 200


def test_the_services_reach_each_other_by_their_names() -> None:
    assert MOCK["environment"]["AGENT_CONTRACT_STORE"].startswith("redis://redis:")
    exposed = re.search(r"^EXPOSE (\d+)$", (ROOT / "Containerfile").read_text(encoding="utf-8"), re.MULTILINE)
    assert exposed
    assert f"server mock:{exposed[1]};" in NGINX
    assert SERVICES["balancer"]["configs"][0]["source"] in COMPOSE["configs"]
    assert {name for service in SERVICES.values() for name in service.get("depends_on", ())} <= set(SERVICES)


def test_a_condition_on_health_has_a_check_of_it() -> None:
    """The image of the mock has its own."""
    checked = {name for name, service in SERVICES.items() if "healthcheck" in service} | {"mock"}
    assert "HEALTHCHECK" in (ROOT / "Containerfile").read_text(encoding="utf-8")
    awaited = {
        name
        for service in SERVICES.values()
        for name, how in service.get("depends_on", {}).items()
        if how["condition"] == "service_healthy"
    }
    assert awaited <= checked
