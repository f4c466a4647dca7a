"""One conforming deployment that differs from others where the contract allows it."""

from dataclasses import dataclass

from benchmarks.detection.hooks import Deployment


@dataclass(frozen=True, slots=True)
class Variant:
    """A deployment that must pass: its name, one sentence, and the options that its owner would give."""

    name: str
    sentence: str
    deployment: Deployment
    options: tuple[str, ...] = ()
