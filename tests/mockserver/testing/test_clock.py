"""The clock of a test: with OpenAI's SDK, nothing waits, and timeouts apply all the same."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import time
from collections.abc import Iterator
from typing import Any

import openai
import pytest

from mockserver.testing import AgentMock
from mockserver.testing.agent_mock import SharedServer, serve_mock

HELLO: Any = [{"role": "user", "content": "Hello!"}]


@pytest.fixture(scope="module")
def shared() -> Iterator[SharedServer]:
    with serve_mock() as running:
        yield running


@pytest.fixture
def mock(shared: SharedServer) -> Iterator[AgentMock]:
    with shared.open() as opened:
        yield opened


def ask(client: openai.OpenAI, **fields: Any) -> Any:
    return client.chat.completions.create(model="", messages=HELLO, **fields)


def test_a_client_that_waits_as_retry_after_asks_moves_the_clock(mock: AgentMock) -> None:
    mock.clock.skip_waits()
    mock.fail(429, times=2, retry_after=30)
    before = mock.clock.now
    assert ask(mock.client()).choices
    assert mock.clock.now - before == pytest.approx(60)
    mock.assert_called(3)


def test_an_asynchronous_client_does_not_wait_either(mock: AgentMock) -> None:
    mock.clock.skip_waits()
    mock.fail(503, times=1, retry_after=50)
    before = mock.clock.now

    async def ask_async() -> Any:
        async with mock.async_client() as client:
            return await client.chat.completions.create(model="", messages=HELLO)

    assert asyncio.run(ask_async()).choices
    assert mock.clock.now - before == pytest.approx(50)


@pytest.mark.parametrize("fault", ["stall", "latency"])
def test_a_reply_that_is_slower_than_the_timeout_raises_it(mock: AgentMock, fault: str) -> None:
    mock.clock.skip_waits()
    mock.fail(fault, seconds=600)
    before = mock.clock.now
    with pytest.raises(openai.APITimeoutError):
        list(ask(mock.client(timeout=20, max_retries=0), stream=True))
    assert mock.clock.now - before == pytest.approx(20)


def test_over_a_socket_a_wait_is_skipped_too(mock: AgentMock) -> None:
    mock.clock.skip_waits(client=False)
    mock.fail("slow-drip", seconds=1000)
    with openai.OpenAI(base_url=mock.base_url(), api_key="any") as client:
        assert list(ask(client, stream=True))


def test_a_clock_that_runs_again_skips_no_wait(mock: AgentMock) -> None:
    mock.clock.skip_waits(client=False)
    mock.clock.run()
    assert not mock.clock.skips
    mock.fail("latency", seconds=600)
    with pytest.raises(openai.APITimeoutError):
        ask(mock.client(timeout=0.05, max_retries=0))


def test_a_frozen_clock_holds_a_stream_until_it_is_moved(mock: AgentMock) -> None:
    mock.clock.freeze()
    mock.fail("slow-drip", seconds=60)

    async def read() -> list[Any]:
        async with mock.async_client() as client:
            reading = asyncio.create_task(first_chunk(client))
            while not mock.requests:
                await asyncio.sleep(0)
            assert not reading.done()
            mock.clock.advance(60)
            return [await reading]

    async def first_chunk(client: openai.AsyncOpenAI) -> Any:
        stream: Any = await client.chat.completions.create(model="", messages=HELLO, stream=True)
        return await anext(stream)

    assert asyncio.run(read())


def test_a_clock_never_goes_back(mock: AgentMock) -> None:
    with pytest.raises(ValueError, match="never goes back"):
        mock.clock.advance(-1)


def test_the_sleeps_of_a_client_are_real_again_after_the_test(shared: SharedServer) -> None:
    before = time.sleep, asyncio.sleep
    with shared.open() as mock:
        mock.clock.skip_waits()
        assert (time.sleep, asyncio.sleep) != before
    assert (time.sleep, asyncio.sleep) == before


PROGRAM = """
import asyncio, subprocess, sys, threading, time
from time import sleep as imported
from types import ModuleType
from mockserver.testing.sleeps import skipped_sleeps

def run(module, code):
    exec(compile(code, module, "exec"), {"__name__": module, "time": time, "asyncio": asyncio, "sleep": imported})

by_name = ModuleType("client_of_a_user"); by_name.sleep = imported
sys.modules["client_of_a_user"] = by_name
waited = []
with skipped_sleeps(waited.append):
    run("client", "time.sleep(1000)")
    run("client", "asyncio.run(asyncio.sleep(2000))")
    by_name.sleep(3000)
    run("werkzeug.serving", "time.sleep(0.001)")
    run("subprocess", "time.sleep(0.001)")
    kept = time.sleep
assert waited == [1000, 2000, 3000], waited
kept(0.001)
assert len(waited) == 3 and by_name.sleep is imported is time.sleep
"""


def test_sleeps_of_a_client_are_skipped_and_those_of_the_test_runner_are_not() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=30, check=False)
    assert ran.returncode == 0, ran.stderr
