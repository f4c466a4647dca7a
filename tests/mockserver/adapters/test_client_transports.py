"""Clients without a port: what they get through a transport for httpx and for httpx2, and when they give up."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable
from typing import Any, NamedTuple

import httpx
import httpx2
import openai
import pytest

from mockserver import Httpx2Transport, MockTransport
from mockserver.engine import Engine
from mockserver.generation.latency import Pace
from tests.mockserver.support.chat_client import engine, path_of

HELLO = {"messages": [{"role": "user", "content": "Hello!"}]}
STREAM = {**HELLO, "stream": True}
BASE = "http://mock" + path_of().removesuffix("/chat/completions")
#: A delay that no test waits for.
LONG = 1000.0
SHORT = 0.01


class Library(NamedTuple):
    """A client library with its transport; both libraries have the same names."""

    module: Any
    transport: Callable[[Engine], Any]

    def post(self, player: Engine, body: dict[str, Any], timeout: float | None) -> list[str]:
        """Return the lines that a synchronous client reads."""
        with (
            self.module.Client(transport=self.transport(player), timeout=timeout) as client,
            client.stream("POST", BASE + "/chat/completions", json=body) as reply,
        ):
            assert reply.status_code == 200
            return list(reply.iter_lines())

    def post_async(self, player: Engine, body: dict[str, Any], timeout: float | None) -> list[str]:
        """Return the lines that an asynchronous client reads."""

        async def ask() -> list[str]:
            async with (
                self.module.AsyncClient(transport=self.transport(player), timeout=timeout) as client,
                client.stream("POST", BASE + "/chat/completions", json=body) as reply,
            ):
                assert reply.status_code == 200
                return [line async for line in reply.aiter_lines()]

        return asyncio.run(ask())


LIBRARIES = [
    pytest.param(Library(httpx, MockTransport), id="httpx"),
    pytest.param(Library(httpx2, Httpx2Transport), id="httpx2"),
]
WAYS = pytest.mark.parametrize("way", ["post", "post_async"])


@pytest.mark.parametrize("library", LIBRARIES)
@WAYS
@pytest.mark.parametrize("body", [HELLO, STREAM], ids=["plain", "stream"])
def test_a_client_gets_the_answer_of_the_engine(library: Library, way: str, body: dict[str, Any]) -> None:
    lines = getattr(library, way)(engine(), body, 5)
    assert lines == Library(httpx, MockTransport).post(engine(), body, None)
    assert "choices" in lines[0]


@pytest.mark.parametrize("library", LIBRARIES)
@WAYS
def test_a_reply_that_is_slower_than_the_read_timeout_raises_it(library: Library, way: str) -> None:
    with pytest.raises(library.module.ReadTimeout):
        getattr(library, way)(engine(pace=Pace(ttft=LONG)), HELLO, SHORT)


@pytest.mark.parametrize("library", LIBRARIES)
@WAYS
def test_a_pause_between_two_events_that_is_longer_than_the_read_timeout_raises_it(library: Library, way: str) -> None:
    with pytest.raises(library.module.ReadTimeout) as caught:
        getattr(library, way)(engine(pace=Pace(tps=1 / LONG)), STREAM, SHORT)
    assert caught.value.request.url.path == path_of()


@pytest.mark.parametrize("library", LIBRARIES)
@WAYS
def test_events_that_each_come_in_time_may_take_longer_than_the_read_timeout_together(
    library: Library, way: str
) -> None:
    lines = getattr(library, way)(engine(pace=Pace(tps=100)), {**STREAM, "max_tokens": 8}, 0.05)
    assert "data: [DONE]" in lines


@pytest.mark.parametrize("library", LIBRARIES)
@WAYS
def test_a_client_without_a_timeout_waits_for_the_delays_of_the_mock(library: Library, way: str) -> None:
    assert getattr(library, way)(engine(pace=Pace(ttft=SHORT)), HELLO, None)


@pytest.mark.parametrize(
    ("library", "transport", "message"),
    [
        (httpx2, MockTransport, "MockTransport can't serve a client of httpx2. Use mockserver.Httpx2Transport"),
        (httpx, Httpx2Transport, "Httpx2Transport can't serve a client of httpx. Use mockserver.MockTransport"),
    ],
)
def test_the_transport_of_the_other_library_is_named(library: Any, transport: Any, message: str) -> None:
    with library.Client(transport=transport()) as client, pytest.raises(TypeError, match=message):
        client.get("http://mock/")

    async def ask() -> None:
        async with library.AsyncClient(transport=transport()) as client:
            await client.get("http://mock/")

    with pytest.raises(TypeError, match=message):
        asyncio.run(ask())


def test_openai_s_client_talks_to_the_mock_without_a_port() -> None:
    http = httpx2.Client(transport=Httpx2Transport(engine()))
    with openai.OpenAI(base_url=BASE, api_key="any", http_client=http) as client:
        answer = client.chat.completions.create(model="", messages=[{"role": "user", "content": "Hello!"}])
        chunks = list(
            client.chat.completions.create(model="", messages=[{"role": "user", "content": "Hello!"}], stream=True)
        )
    assert answer.choices[0].message.content
    assert chunks[-1].choices[0].finish_reason == "stop"


def test_openai_s_asynchronous_client_talks_to_the_mock_without_a_port() -> None:
    async def ask() -> tuple[str | None, int]:
        http = httpx2.AsyncClient(transport=Httpx2Transport(engine()))
        async with openai.AsyncOpenAI(base_url=BASE, api_key="any", http_client=http) as client:
            answer = await client.chat.completions.create(model="", messages=[{"role": "user", "content": "Hello!"}])
            stream = await client.chat.completions.create(
                model="", messages=[{"role": "user", "content": "Hello!"}], stream=True
            )
            return answer.choices[0].message.content, len([chunk async for chunk in stream])

    text, chunks = asyncio.run(ask())
    assert text
    assert chunks > 2


def test_openai_s_client_raises_its_timeout_for_a_slow_answer() -> None:
    http = httpx2.Client(transport=Httpx2Transport(engine(pace=Pace(ttft=LONG))))
    client = openai.OpenAI(base_url=BASE, api_key="any", http_client=http, timeout=SHORT, max_retries=0)
    with client, pytest.raises(openai.APITimeoutError):
        client.chat.completions.create(model="", messages=[{"role": "user", "content": "Hello!"}])


@pytest.mark.parametrize(("transport", "library"), [("MockTransport", "httpx"), ("Httpx2Transport", "httpx2")])
def test_without_its_library_a_transport_names_the_package_to_install(transport: str, library: str) -> None:
    program = f"import sys; sys.modules[{library!r}] = None\nimport mockserver\nmockserver.{transport}"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=False)
    assert found.stderr.splitlines()[-1].endswith(
        f"{transport} needs {library}, which is not installed: pip install 'agent-contract-kit[{library}]'"
    )


def test_the_transport_for_httpx_needs_no_httpx2() -> None:
    program = "import sys; sys.modules['httpx2'] = None\nimport mockserver\nmockserver.MockTransport"
    subprocess.run([sys.executable, "-c", program], timeout=60, check=True)
