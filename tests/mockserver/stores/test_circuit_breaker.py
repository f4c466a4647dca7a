"""The circuit breaker and the deadline that protect requests from a slow store."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass, field
from threading import Lock

import pytest

from mockserver.stores import StoreUnavailable
from mockserver.stores.circuit_breaker import CALL, CircuitBreaker, compute_turn, count_wait, limited_wait


@dataclass
class SlowStore:
    """A store whose calls take some seconds on its own clock, and may fail."""

    now: float = 0.0
    calls: int = 0
    breaker: CircuitBreaker = field(init=False)

    def __post_init__(self) -> None:
        self.breaker = CircuitBreaker("redis://slow", clock=lambda: self.now)

    def call(self, takes: float = 0.0, fails: bool = False) -> None:
        with self.breaker.call():
            self.calls += 1
            self.now += takes
            if fails:
                raise StoreUnavailable("It hangs.", 7)

    def fail(self, takes: float) -> None:
        with contextlib.suppress(StoreUnavailable):
            self.call(takes, fails=True)


def test_after_a_slow_failure_other_calls_fail_at_once_with_the_same_message() -> None:
    store = SlowStore()
    store.fail(takes=CALL)
    with pytest.raises(StoreUnavailable, match="It hangs") as caught:
        store.call()
    assert (caught.value.retry_after, store.calls) == (7, 1)


def test_a_fast_failure_does_not_open_the_circuit() -> None:
    store = SlowStore()
    store.fail(takes=0.01)
    store.call()
    assert store.calls == 2


def test_after_a_second_one_call_tries_again_while_the_others_still_fail() -> None:
    store = SlowStore()
    store.fail(takes=CALL)
    store.now += 1.1
    with store.breaker.call(), pytest.raises(StoreUnavailable):
        store.call()
    store.call()
    assert store.calls == 2


def test_a_call_that_waits_notices_that_another_one_opened_the_circuit() -> None:
    store = SlowStore()
    with store.breaker.call() as recheck:
        recheck()
        store.fail(takes=CALL)
        with pytest.raises(StoreUnavailable, match="It hangs"):
            recheck()


def test_an_error_that_the_store_did_not_raise_closes_the_circuit() -> None:
    store = SlowStore()
    store.fail(takes=CALL)
    store.now += 1.1
    with pytest.raises(KeyError), store.breaker.call():
        raise KeyError
    store.call()


def test_a_request_that_waited_too_long_makes_no_more_calls() -> None:
    store = SlowStore()
    with limited_wait(2.0):
        store.call(takes=1.5)
        store.now += 100  # what it computes is not counted
        store.call(takes=1.0)
        with pytest.raises(StoreUnavailable, match="too slow"):
            store.call()
    store.call()
    assert store.calls == 3


def test_the_wait_for_a_thread_counts() -> None:
    store = SlowStore()
    with limited_wait(2.0):
        count_wait(2.1)
        with pytest.raises(StoreUnavailable, match="too slow"):
            store.call()


def test_the_first_limit_of_a_request_applies() -> None:
    store = SlowStore()
    with limited_wait(-1.0), limited_wait(100.0), pytest.raises(StoreUnavailable, match="too slow"):
        store.call()


def test_a_turn_to_compute_is_given_up_during_a_call_and_taken_again() -> None:
    store, turn = SlowStore(), Lock()
    with compute_turn(turn):
        with store.breaker.call():
            assert not turn.locked()
        assert turn.locked()
        with pytest.raises(KeyError), store.breaker.call():
            raise KeyError
        assert turn.locked()
    assert not turn.locked()
