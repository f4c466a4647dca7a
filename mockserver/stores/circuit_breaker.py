"""Protection from slow stores: a deadline for all calls of a request, and a circuit breaker for each store.

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

from mockserver.stores.base import StoreUnavailable

#: Seconds after which a request makes no more calls to the store.
REQUEST = 2.0
#: Timeout in seconds of one call: for a connection, an answer, or a lock.
CALL = 1.5
#: Seconds; a call that fails sooner does not open the circuit.
_SOON = 0.5
#: Seconds for which the circuit stays open: calls fail at once.
_REST = 1.0

_deadline: ContextVar[float] = ContextVar("deadline")


@contextmanager
def request_deadline(seconds: float = REQUEST) -> Iterator[None]:
    """Set a deadline for all calls to stores within the block; an earlier deadline stays."""
    if _deadline.get(0.0):
        yield
        return
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


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

        Yields a function that raises `StoreUnavailable` if the circuit was opened since the call began.
        """
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
        deadline = _deadline.get(0.0)
        if deadline and time.monotonic() > deadline:
            raise StoreUnavailable(f"The store {self._place} did not answer within {REQUEST:g} seconds.")
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
