"""Simulated latency: delays as data, which an adapter waits for."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds until the first token (`ttft`), and tokens per second after it (`tps`, 0 means no limit).

    `jitter` is the maximum random variation of each delay in seconds; a delay is never negative.
    """

    ttft: float = 0.0
    tps: float = 0.0
    jitter: float = 0.0

    @property
    def waits(self) -> bool:
        """Whether there is any delay."""
        return bool(self.ttft or self.tps or self.jitter)

    def delays(self, count: int, seed: bytes) -> list[float]:
        """Return the delay in seconds before each of `count` tokens; the same `seed` gives the same delays."""
        gap = 1 / self.tps if self.tps else 0.0
        planned = [self.ttft, *[gap] * (count - 1)] if count else []
        if not self.jitter:
            return planned
        source = random.Random(seed)  # only `random()` is reproducible across Python versions
        return [max(0.0, delay + self.jitter * (2 * source.random() - 1)) for delay in planned]
