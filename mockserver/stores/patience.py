"""How long a request waits for a slow store: one bound for all its calls, and no queue after a call that hangs.

A store that can't be used answers slowly: with a timeout, or after a lock of another process. Requests that each find
that out for themselves, one after the other, would wait for minutes. So the first one that waited in vain says it to
the others: for a second their calls fail at once, and then one of them tries again.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from mockserver.stores.base import StoreUnavailable

#: Seconds after which a request makes no further call to its store.
REQUEST = 2.0
#: Seconds that one call waits for a connection, an answer, or a lock.
CALL = 1.5
#: A call that failed sooner than this made nobody wait, and so stops no others.
_SOON = 0.5
#: Seconds for which calls fail at once after one that waited in vain.
_REST = 1.0

_deadline: ContextVar[float] = ContextVar("deadline")


@contextmanager
def request_deadline(seconds: float = REQUEST) -> Iterator[None]:
    """Bound the calls to stores within the block together; a deadline that is already set stays."""
    if _deadline.get(0.0):
        yield
        return
    token = _deadline.set(time.monotonic() + seconds)
    try:
        yield
    finally:
        _deadline.reset(token)


class Patience:
    """Decides for one store whether a call is made, and remembers that one waited in vain; any thread may ask."""

    def __init__(self, place: str, rest: float = _REST, clock: Callable[[], float] = time.monotonic) -> None:
        self._place = place
        self._rest = rest
        self._clock = clock
        self._lock = threading.Lock()
        self._failure: StoreUnavailable | None = None
        self._failed = 0.0  # when that was
        self._again = 0.0  # when the next call may try

    @contextmanager
    def call(self) -> Iterator[Callable[[], None]]:
        """Make one call to the store; raises `StoreUnavailable` at once if the store just made another one wait.

        Yields what raises it, too, if another call has waited in vain since this one began.
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
            raise StoreUnavailable(f"The store {self._place} is too slow: a request waits {REQUEST:g} seconds for it.")
        with self._lock:
            if self._failure is None:
                return
            if now < self._again:
                raise StoreUnavailable(str(self._failure), self._failure.retry_after)
            self._again = now + 2 * CALL + self._rest  # the others go on failing while this one tries

    def _recheck(self, begun: float) -> None:
        with self._lock:
            if self._failure and self._failed_since(begun):
                raise StoreUnavailable(str(self._failure), self._failure.retry_after)

    def _failed_since(self, begun: float) -> bool:
        return self._failure is not None and self._failed >= begun
