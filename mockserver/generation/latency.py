"""How fast the mock speaks: delays as data, which an adapter waits out."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds until the first token (`ttft`), tokens a second after it (`tps`, 0: no limit), and `jitter`.

    `jitter` is by how many seconds a delay may be longer or shorter than that; no delay falls below zero.
    """

    ttft: float = 0.0
    tps: float = 0.0
    jitter: float = 0.0

    @property
    def waits(self) -> bool:
        """Whether there is any delay."""
        return bool(self.ttft or self.tps or self.jitter)

    def delays(self, count: int, seed: bytes) -> list[float]:
        """Return the seconds to wait before each of `count` tokens; the same `seed` gives the same."""
        gap = 1 / self.tps if self.tps else 0.0
        planned = [self.ttft, *[gap] * (count - 1)] if count else []
        if not self.jitter:
            return planned
        source = random.Random(seed)  # `random()` alone is promised to repeat across versions of Python
        return [max(0.0, delay + self.jitter * (2 * source.random() - 1)) for delay in planned]
