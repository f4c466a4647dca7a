"""One deployment with one planted defect."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.detection.seams import Deployment

PLAIN = Deployment()


@dataclass(frozen=True, slots=True)
class Defect:
    """A deployment that breaks a clause: its name, the clause's id, a category, and one sentence on what it does.

    It may break other clauses on the way; the one that it names is the one that tells an engineer what is wrong.
    """

    name: str
    clause: str
    category: str
    sentence: str
    deployment: Deployment


def planting(category: str, base: Deployment = PLAIN) -> Callable[..., Defect]:
    """Return a function that plants a defect of a category: name, clause without `chat.`, sentence, changed seams."""

    def plant(name: str, clause: str, sentence: str, **changes: Any) -> Defect:
        return Defect(name, f"chat.{clause}", category, sentence, replace(base, **changes))

    return plant
