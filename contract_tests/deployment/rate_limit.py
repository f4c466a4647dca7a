"""When a run may send its next request: a number of requests per second at most, and none after its deadline."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from contract_tests.verdict import not_tested


@dataclass(slots=True)
class RateLimiter:
    """The pace of a run; `rate` in requests a second and `deadline` in seconds since it began, 0 for no limit."""

    rate: float = 0.0
    deadline: float = 0.0
    clock: Callable[[], float] = time.monotonic
    wait: Callable[[float], None] = time.sleep
    _begun: float = field(init=False)
    _next: float = field(init=False)
    _lock: Lock = field(default_factory=Lock, repr=False)

    def __post_init__(self) -> None:
        self._begun = self._next = self.clock()

    @property
    def left(self) -> float:
        """The seconds until the deadline; without one they are infinite."""
        return self._begun + self.deadline - self.clock() if self.deadline else math.inf

    def wait_for_turn(self) -> None:
        """Return when the next request may be sent; raises the verdict `not tested` if none may be sent any more."""
        self.check()
        if not self.rate:
            return
        with self._lock:
            now = self.clock()
            pause = max(self._next - now, 0.0)
            self._next = now + pause + 1 / self.rate
        if pause:
            self.pause(pause)

    def pause(self, seconds: float) -> None:
        """Wait; raises the verdict `not tested` at the deadline."""
        self.wait(min(seconds, max(self.left, 0.0)))
        self.check()

    def check(self, grace: float = 0.0) -> None:
        """Raise the verdict `not tested` if the deadline passed `grace` seconds ago."""
        if self.left + grace <= 0:
            raise not_tested(f"deadline: the {self.deadline:g} s for the run are over")
