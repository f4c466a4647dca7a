"""The clock of a scope: real time until a test moves it on, stops it, or lets it skip waits."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from mockserver.core.clock import LATEST, ClockMode, ScopeClock
from mockserver.stores import MemoryStore, Store, open_store
from tests.mockserver.support.chat_client import NOW, Clock

#: More than any wait of a test.
HOUR = 3600.0


def clock(real: Clock | None = None, store: Store | None = None, mode: ClockMode = "running") -> ScopeClock:
    made = ScopeClock(store or MemoryStore(), "clock", real or Clock())
    made.switch(mode)
    return made


def test_a_clock_shows_real_time_until_it_is_moved_on() -> None:
    real = Clock()
    mine = clock(real)
    assert mine.now() == NOW
    mine.advance(HOUR)
    real.now += 1
    assert mine.now() == NOW + HOUR + 1


def test_a_frozen_clock_moves_only_when_it_is_moved() -> None:
    real = Clock()
    mine = clock(real, mode="frozen")
    real.now += HOUR
    mine.advance(5)
    assert mine.now() == NOW + 5


def test_a_clock_that_runs_again_goes_on_from_its_present_time() -> None:
    real = Clock()
    mine = clock(real, mode="frozen")
    real.now += HOUR
    mine.switch("running")
    assert mine.now() == NOW
    real.now += 1
    assert mine.now() == NOW + 1


def test_a_clock_does_not_pass_the_year_9999() -> None:
    mine = clock(mode="frozen")
    mine.advance(LATEST)
    assert mine.now() == LATEST


def test_waits_of_a_clock_that_skips_move_it_on_without_sleeping() -> None:
    mine, slept = clock(mode="skipping"), list[float]()
    waits = mine.waits()
    waits.wait(HOUR, slept.append)
    waits.wait(1, slept.append)
    assert (mine.now(), slept) == (NOW + HOUR + 1, [])


def test_waits_at_the_same_time_do_not_add_up() -> None:
    mine = clock(mode="skipping")
    slept, first, second = list[float](), mine.waits(), mine.waits()
    first.wait(10, slept.append)
    second.wait(10, slept.append)
    assert (mine.now(), slept) == (NOW + 10, [])


@pytest.mark.parametrize("mode", ["running", "frozen"])
def test_a_wait_ends_when_the_clock_is_moved_past_its_end(mode: ClockMode) -> None:
    mine, looks = clock(mode=mode), list[float]()

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        mine.advance(HOUR / 2)

    mine.waits().wait(HOUR, sleep)
    assert len(looks) == 2


def test_a_wait_ends_when_the_server_stops() -> None:
    clock(mode="frozen").waits().wait(HOUR, lambda _: True)


def test_an_asynchronous_wait_ends_when_the_clock_is_moved(tmp_path: Path) -> None:
    async def wait(mine: ScopeClock) -> int:
        looks = 0

        async def sleep(_: float) -> None:
            nonlocal looks
            looks += 1
            mine.advance(HOUR / 2)

        await mine.waits().wait_async(HOUR, sleep)
        return looks

    file = open_store(f"sqlite:///{tmp_path / 'state.db'}")
    assert [asyncio.run(wait(clock(store=store, mode="frozen"))) for store in (MemoryStore(), file)] == [2, 2]
    file.close()


def test_processes_that_share_a_store_share_the_clock(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'state.db'}"
    stores = [open_store(address) for _ in range(2)]
    first, second = (ScopeClock(store, "clock", Clock()) for store in stores)
    first.advance(HOUR)
    assert second.now() == NOW + HOUR
    for store in stores:
        store.close()
