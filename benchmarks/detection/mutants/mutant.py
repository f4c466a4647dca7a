"""One deployment with one planted defect."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.detection.hooks import Deployment

PLAIN = Deployment()
#: What the judge is told where a defect shows in agents that it creates alone.
MANAGED = ("--manage-agents",)


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
    options: tuple[str, ...] = ()


def planting(
    category: str, base: Deployment = PLAIN, family: str = "chat", options: tuple[str, ...] = ()
) -> Callable[..., Defect]:
    """Return a function that plants a defect of a category: name, clause without its family, sentence, changed seams.

    `options` are what the judge has to be told to see it.
    """

    def plant(name: str, clause: str, sentence: str, **changes: Any) -> Defect:
        return Defect(name, f"{family}.{clause}", category, sentence, replace(base, **changes), options)

    return plant
