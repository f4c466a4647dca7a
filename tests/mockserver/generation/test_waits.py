"""Waits in real time: each begins when the one before it should have ended."""

from __future__ import annotations

import asyncio

from mockserver.generation.waits import RealTime
from tests.mockserver.support.chat_client import Clock


def test_a_sleep_that_took_too_long_shortens_the_next_one() -> None:
    clock, slept = Clock(0.0), list[float]()
    waits = RealTime(clock)
    waits.wait(2.0, slept.append)
    clock.now = 2.5
    waits.wait(2.0, slept.append)
    clock.now = 4.0
    waits.wait(2.0, slept.append)
    assert slept == [2.0, 1.5, 2.0]


def test_a_wait_that_is_over_does_not_sleep() -> None:
    clock, slept = Clock(0.0), list[float]()
    waits = RealTime(clock)
    waits.wait(1.0, slept.append)
    clock.now = 3.0
    assert (waits.has_passed(2.0), waits.has_passed(2.5)) == (True, False)
    waits.wait(1.0, slept.append)
    waits.wait(1.5, slept.append)
    assert slept == [1.0, 0.5]


def test_the_first_wait_begins_when_it_is_called() -> None:
    clock, slept = Clock(0.0), list[float]()
    waits = RealTime(clock)
    clock.now = 100.0
    assert not waits.has_passed(1.0)
    waits.wait(1.0, slept.append)
    assert slept == [1.0]


def test_an_event_loop_waits_as_long() -> None:
    clock, slept = Clock(0.0), list[float]()

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        clock.now += seconds + 0.5

    async def wait_three_times() -> None:
        waits = RealTime(clock)
        for _ in range(3):
            await waits.wait_async(1.0, sleep)

    asyncio.run(wait_three_times())
    assert slept == [1.0, 0.5, 0.5]
