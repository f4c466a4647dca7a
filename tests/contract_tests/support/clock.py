"""A clock for tests: its time passes only while something waits."""

from __future__ import annotations

from dataclasses import dataclass, field

from contract_tests.deployment.rate_limit import RateLimiter


@dataclass
class Clock:
    """A clock that moves only while something waits."""

    now: float = 100.0
    waits: list[float] = field(default_factory=list)

    def __call__(self) -> float:
        return self.now

    def wait(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds

    def limiter(self, rate: float = 0.0, deadline: float = 0.0) -> RateLimiter:
        return RateLimiter(rate, deadline, self, self.wait)
