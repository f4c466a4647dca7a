"""How long requests wait for a store that hangs."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field

import pytest

from mockserver.stores import StoreUnavailable
from mockserver.stores.patience import CALL, Patience, request_deadline


@dataclass
class SlowStore:
    """A store whose calls take a number of seconds on a clock of its own, and fail or not."""

    now: float = 0.0
    calls: int = 0
    patience: Patience = field(init=False)

    def __post_init__(self) -> None:
        self.patience = Patience("redis://slow", clock=lambda: self.now)

    def call(self, takes: float = 0.0, fails: bool = False) -> None:
        with self.patience.call():
            self.calls += 1
            self.now += takes
            if fails:
                raise StoreUnavailable("It hangs.", 7)

    def fail(self, takes: float) -> None:
        with contextlib.suppress(StoreUnavailable):
            self.call(takes, fails=True)


def test_after_a_call_that_waited_in_vain_the_others_fail_at_once_and_say_the_same() -> None:
    store = SlowStore()
    store.fail(takes=CALL)
    with pytest.raises(StoreUnavailable, match="It hangs") as caught:
        store.call()
    assert (caught.value.retry_after, store.calls) == (7, 1)


def test_a_call_that_failed_soon_stops_no_others() -> None:
    store = SlowStore()
    store.fail(takes=0.01)
    store.call()
    assert store.calls == 2


def test_after_a_second_one_call_tries_again_and_the_others_go_on_failing_until_it_ends() -> None:
    store = SlowStore()
    store.fail(takes=CALL)
    store.now += 1.1
    with store.patience.call(), pytest.raises(StoreUnavailable):
        store.call()
    store.call()
    assert store.calls == 2


def test_a_call_that_began_before_another_waited_in_vain_learns_of_it() -> None:
    store = SlowStore()
    with store.patience.call() as recheck:
        recheck()
        store.fail(takes=CALL)
        with pytest.raises(StoreUnavailable, match="It hangs"):
            recheck()


def test_an_error_that_is_not_the_stores_counts_as_an_answer() -> None:
    store = SlowStore()
    store.fail(takes=CALL)
    store.now += 1.1
    with pytest.raises(KeyError), store.patience.call():
        raise KeyError
    store.call()


def test_a_request_that_is_out_of_time_makes_no_further_call() -> None:
    store = SlowStore()
    with request_deadline(-1.0), pytest.raises(StoreUnavailable, match="too slow"):
        store.call()
    store.call()
    assert store.calls == 1


def test_the_first_deadline_of_a_request_holds() -> None:
    store = SlowStore()
    with request_deadline(-1.0), request_deadline(100.0), pytest.raises(StoreUnavailable, match="too slow"):
        store.call()
