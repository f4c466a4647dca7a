"""`agent_mock` in a test that also uses pytest-httpx, httpx2-pytest, respx, pytest-asyncio or anyio."""

from __future__ import annotations

from pathlib import Path

from tests.mockserver.testing.support.runs import run_pytest

PLUGINS = ("pytest_httpx", "pytest_httpx2", "respx.plugin", "pytest_asyncio.plugin", "anyio.pytest_plugin")
HEAD = """
import httpx
import httpx2
import pytest

WEATHER = "https://weather.example/paris"
BODY = {"messages": [{"role": "user", "content": "Hello!"}]}


def chat(mock):
    return mock.client(max_retries=0).chat.completions.create(model="", **BODY).choices[0].message.content


def post(library, mock):
    return library.post(f"{mock.base_url()}/chat/completions", json=BODY).json()["choices"][0]["message"]["content"]
"""
TESTS = """
def test_pytest_httpx(httpx_mock, agent_mock):
    httpx_mock.add_response(url=WEATHER, text="rain")
    agent_mock.reply("Hi!")
    assert (httpx.get(WEATHER).text, post(httpx, agent_mock), chat(agent_mock)) == ("rain", "Hi!", "Hi!")


def test_httpx2_pytest(agent_mock, httpx2_mock):
    httpx2_mock.add_response(url=WEATHER, text="rain")
    agent_mock.reply("Hi!")
    assert (httpx2.get(WEATHER).text, post(httpx2, agent_mock), chat(agent_mock)) == ("rain", "Hi!", "Hi!")


@pytest.mark.httpx_mock(should_mock=lambda request: request.url.host != "127.0.0.1")
def test_what_the_test_leaves_out_stays_left_out(agent_mock, httpx_mock):
    assert post(httpx, agent_mock)
    root = agent_mock.url.partition("/__mock__")[0]
    assert httpx.get(f"{root}/__mock__/health").is_success


def test_without_agent_mock_everything_is_intercepted(httpx_mock):
    httpx_mock.add_response(text="intercepted")
    assert httpx.get("http://127.0.0.1:9/__mock__/scope/x/y").text == "intercepted"


def test_respx(respx_mock, agent_mock):
    respx_mock.get(WEATHER).respond(text="rain")
    agent_mock.reply("Hi!")
    assert (httpx.get(WEATHER).text, post(httpx, agent_mock), chat(agent_mock)) == ("rain", "Hi!", "Hi!")


def test_respx_without_a_request_to_the_mock(agent_mock, respx_mock):
    respx_mock.get(WEATHER).respond(text="rain")
    assert httpx.get(WEATHER).text == "rain"


def test_respx_without_agent_mock(respx_mock):
    respx_mock.get(WEATHER).respond(text="rain")
    assert httpx.get(WEATHER).text == "rain"
    assert len(respx_mock.routes) == 1


@pytest.mark.asyncio
async def test_pytest_asyncio(agent_mock):
    async with agent_mock.async_client() as client:
        assert (await client.chat.completions.create(model="", **BODY)).choices


@pytest.mark.anyio
async def test_anyio(agent_mock, anyio_backend_name):
    if anyio_backend_name == "asyncio":
        first = httpx.AsyncClient(transport=agent_mock.transport)
        for http in (first, httpx2.AsyncClient(transport=agent_mock.httpx2_transport)):
            async with http:
                path = "http://mock/api/v1/compatibility/openai/v1/agents/demo/chat/completions"
                assert (await http.post(path, json=BODY)).is_success
        agent_mock.assert_called(2)
"""


def test_other_plugins_intercept_what_they_should_and_leave_the_mock_alone(tmp_path: Path) -> None:
    plugins = [part for name in PLUGINS for part in ("-p", name)]
    ini = "asyncio_default_fixture_loop_scope = function"
    run = run_pytest(tmp_path, HEAD + TESTS, *plugins, ini=ini)
    assert run.status == 0, run.output
    assert "9 passed" in run.output, run.output


LIBRARIES = """
import asyncio
import json
import subprocess
import urllib.request

import aiohttp
import httpx
import httpx2
import pytest
import requests

BODY = {"messages": [{"role": "user", "content": "Hello!"}]}
TYPE = {"Content-Type": "application/json"}


def with_aiohttp(url):
    async def post():
        async with aiohttp.ClientSession() as http, http.post(url, json=BODY) as reply:
            await reply.read()

    asyncio.run(post())


def with_urllib(url):
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(BODY).encode(), TYPE)).close()


def with_curl(url):
    subprocess.run(["curl", "-sS", url, "--json", json.dumps(BODY)], check=True)


def of(library):
    return lambda url: library.post(url, json=BODY)


@pytest.mark.parametrize("post", [of(httpx), of(httpx2), of(requests), with_aiohttp, with_urllib, with_curl])
def test_it(agent_mock, post):
    post(agent_mock.base_url() + "/chat/completions")
    agent_mock.assert_called(1, agent="demo", contains="Hello!")
"""


def test_no_http_library_bypasses_the_mock(tmp_path: Path) -> None:
    run = run_pytest(tmp_path, LIBRARIES)
    assert "6 passed" in run.output, run.output
