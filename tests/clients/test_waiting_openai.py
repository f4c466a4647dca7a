"""What takes time, with OpenAI's SDK and its retries, under a clock that skips every wait: twenty tests, no second."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
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
        opened.clock.skip_waits()
        yield opened


def ask(mock: AgentMock, **options: Any) -> Any:
    return mock.client(**options).chat.completions.create(model="", messages=HELLO)


def stream(mock: AgentMock, **options: Any) -> list[Any]:
    return list(mock.client(**options).chat.completions.create(model="", messages=HELLO, stream=True))


def taken(mock: AgentMock, begun: float) -> float:
    return mock.clock.now - begun


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize(
    ("parameters", "seconds"), [({"retry_after": 30}, 30), ({"retry_after_ms": 1500}, 1.5), ({"retry_after": 60}, 60)]
)
def test_a_retry_waits_as_long_as_it_is_asked_to(
    mock: AgentMock, status: int, parameters: dict[str, Any], seconds: float
) -> None:
    begun = mock.clock.now
    mock.fail(status, times=1, **parameters)
    assert ask(mock).choices
    assert taken(mock, begun) == pytest.approx(seconds)


def test_a_date_is_waited_for(mock: AgentMock) -> None:
    begun = mock.clock.now
    mock.fail(503, times=1, retry_after_date=30)
    assert ask(mock).choices
    assert 29 < taken(mock, begun) < 32


def test_a_wait_of_more_than_a_minute_is_not_awaited(mock: AgentMock) -> None:
    mock.fail(503, times=1, retry_after=3600)
    with pytest.raises(openai.InternalServerError):
        ask(mock)
    mock.assert_called(1)


def test_retries_wait_longer_each_time(mock: AgentMock) -> None:
    mock.fail(500)
    with pytest.raises(openai.InternalServerError):
        ask(mock, max_retries=4)
    times = [entry["time"] for entry in reversed(mock.engine.requests(mock.scope))]
    waits = [later - earlier for earlier, later in pairwise(times)]
    assert waits == sorted(waits)
    assert 0.3 < waits[0] < waits[-1] <= 8


def test_a_quota_is_over_after_the_wait_that_it_asks_for(mock: AgentMock) -> None:
    mock.fail("quota", requests=1, window=20)
    begun = mock.clock.now
    assert [ask(mock).choices and None for _ in range(3)] == [None] * 3
    assert taken(mock, begun) == pytest.approx(40, abs=1)


def test_a_quota_of_tokens_is_over_after_its_window(mock: AgentMock) -> None:
    mock.fail("quota", tokens=1, window=50)
    begun = mock.clock.now
    ask(mock)
    ask(mock)
    assert taken(mock, begun) == pytest.approx(50, abs=1)


def test_a_cold_start_is_over_after_some_time(mock: AgentMock) -> None:
    mock.fail("cold-start-502", ttl=10)
    begun = mock.clock.now
    assert ask(mock, max_retries=6).choices
    assert 10 <= taken(mock, begun) < 40


@pytest.mark.parametrize("fault", ["latency", "queue"])
def test_a_reply_that_is_too_late_is_asked_for_again(mock: AgentMock, fault: str) -> None:
    mock.fail(fault, seconds=120)
    begun = mock.clock.now
    with pytest.raises(openai.APITimeoutError):
        ask(mock, timeout=30, max_retries=1)
    assert 60 < taken(mock, begun) < 70


def test_a_stream_that_stalls_is_given_up(mock: AgentMock) -> None:
    mock.fail("stall", seconds=3600)
    begun = mock.clock.now
    with pytest.raises(openai.APITimeoutError):
        stream(mock, timeout=90)
    assert taken(mock, begun) == pytest.approx(90)


def test_a_slow_stream_is_read_to_its_end(mock: AgentMock) -> None:
    mock.reply({"text": "one two three", "delays": [10, 20, 30]})
    begun = mock.clock.now
    chunks = stream(mock)
    assert taken(mock, begun) == pytest.approx(10 + 20 + 30 * (len(chunks) - 1), abs=31)


def test_a_token_that_expires_is_refused_later(mock: AgentMock) -> None:
    mock.fail("token-expired", seconds=3600)
    ask(mock)
    mock.clock.advance(3600)
    with pytest.raises(openai.AuthenticationError):
        ask(mock)
    assert ask(mock, api_key="another").choices


def test_a_session_expires(mock: AgentMock) -> None:
    mock.agent("short", session_max_ttl=600)
    session, client = mock.session("short"), mock.client("short")
    body = {"store_in_session": session}
    assert client.chat.completions.create(model="", messages=HELLO, extra_body=body).choices
    mock.clock.advance(601)
    with pytest.raises(openai.NotFoundError):
        client.chat.completions.create(model="", messages=HELLO, extra_body=body)


def test_asynchronous_retries_do_not_wait_either(mock: AgentMock) -> None:
    mock.fail(503, times=2, retry_after=40)
    begun = mock.clock.now

    async def ask_async() -> Any:
        async with mock.async_client() as client:
            return await client.chat.completions.create(model="", messages=HELLO)

    assert asyncio.run(ask_async()).choices
    assert taken(mock, begun) == pytest.approx(80)


def test_replies_at_the_same_time_take_the_time_of_one(mock: AgentMock) -> None:
    mock.clock.freeze()
    mock.fail("latency", seconds=300)
    begun, client = mock.clock.now, mock.client(timeout=600)
    with ThreadPoolExecutor(4) as threads:
        asked = [threads.submit(client.chat.completions.create, model="", messages=HELLO) for _ in range(4)]
        while len(mock.requests) < 4:
            pass
        mock.clock.advance(300)
        assert all(one.result(timeout=20).choices for one in asked)
    assert taken(mock, begun) == 300
