"""Protection from slow stores: a limit for all calls of a request together, and a circuit breaker for each store.

A store that is down answers slowly: after a timeout, or after another process releases a lock. Requests that wait one
after the other would wait for minutes. So after a call that waited in vain, all calls fail at once for a second; then
one of them tries again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from mockserver.stores.base import StoreUnavailable

#: Seconds of waiting after which a request makes no more calls to the store.
REQUEST = 2.0
#: Timeout in seconds of one call: for a connection, an answer, or a lock.
CALL = 1.5
#: Seconds; a call that fails sooner does not open the circuit.
_SOON = 0.5
#: Seconds for which the circuit stays open: calls fail at once.
_REST = 1.0


@dataclass(slots=True)
class _Patience:
    """How many seconds a request may still wait for stores."""

    left: float


_patience: ContextVar[_Patience | None] = ContextVar("patience", default=None)
_turn: ContextVar[threading.Lock | None] = ContextVar("turn", default=None)


@contextmanager
def limited_wait(seconds: float = REQUEST) -> Iterator[None]:
    """Limit the time that calls to stores within the block take together; an outer limit stays."""
    if _patience.get() is not None:
        yield
        return
    token = _patience.set(_Patience(seconds))
    try:
        yield
    finally:
        _patience.reset(token)


def count_wait(seconds: float) -> None:
    """Count time that a request waited before it could call a store."""
    if patience := _patience.get():
        patience.left -= seconds


@contextmanager
def compute_turn(turn: threading.Lock) -> Iterator[None]:
    """Hold `turn` within the block, except during calls to a store."""
    token = _turn.set(turn)
    try:
        with turn:
            yield
    finally:
        _turn.reset(token)


@contextmanager
def _without_turn() -> Iterator[None]:
    turn = _turn.get()
    if turn is None:
        yield
        return
    turn.release()
    try:
        yield
    finally:
        turn.acquire()


class CircuitBreaker:
    """The circuit breaker of one store; safe to use from any thread."""

    def __init__(self, place: str, rest: float = _REST, clock: Callable[[], float] = time.monotonic) -> None:
        self._place = place
        self._rest = rest
        self._clock = clock
        self._lock = threading.Lock()
        self._failure: StoreUnavailable | None = None
        self._failed = 0.0  # time of the failure
        self._again = 0.0  # time of the next attempt

    @contextmanager
    def call(self) -> Iterator[Callable[[], None]]:
        """Make one call to the store within the block; raises `StoreUnavailable` at once if the circuit is open.

        Yields a function that raises `StoreUnavailable` if the circuit was opened since the call began. Other threads
        may compute meanwhile.
        """
        begun = self._clock()
        with _without_turn():
            try:
                with self._call() as recheck:
                    yield recheck
            finally:
                count_wait(self._clock() - begun)

    @contextmanager
    def _call(self) -> Iterator[Callable[[], None]]:
        begun = self._clock()
        self._admit(begun)
        failed = False
        try:
            yield lambda: self._recheck(begun)
        except StoreUnavailable as error:
            failed, now = True, self._clock()
            with self._lock:
                if now - begun > _SOON and not self._failed_since(begun):
                    self._failure, self._failed, self._again = error, now, now + self._rest
            raise
        finally:
            if not failed:
                with self._lock:
                    self._failure = None

    def _admit(self, now: float) -> None:
        patience = _patience.get()
        if patience and patience.left < 0:
            why = f"The store {self._place} is too slow: this request waited for more than {REQUEST:g} seconds."
            raise StoreUnavailable(why)
        with self._lock:
            if self._failure is None:
                return
            if now < self._again:
                raise StoreUnavailable(str(self._failure), self._failure.retry_after)
            self._again = now + 2 * CALL + self._rest  # other calls fail while this one tries

    def _recheck(self, begun: float) -> None:
        with self._lock:
            if self._failure and self._failed_since(begun):
                raise StoreUnavailable(str(self._failure), self._failure.retry_after)

    def _failed_since(self, begun: float) -> bool:
        return self._failure is not None and self._failed >= begun
