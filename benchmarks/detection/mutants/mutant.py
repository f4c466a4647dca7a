"""One deployment with one planted defect."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.detection.hooks import ServerHooks

PLAIN = ServerHooks()
#: Options of `verify` for a mutant that shows only in agents that the run creates.
MANAGED = ("--manage-agents",)


@dataclass(frozen=True, slots=True)
class Mutant:
    """A deployment that breaks a clause: its name, the clause's id, a category, and one sentence on what it does.

    It may break other clauses too; the one that it names is the one that shows an engineer what is wrong.
    """

    name: str
    clause: str
    category: str
    sentence: str
    hooks: ServerHooks
    options: tuple[str, ...] = ()


def planting(
    category: str, base: ServerHooks = PLAIN, family: str = "chat", options: tuple[str, ...] = ()
) -> Callable[..., Mutant]:
    """Return a function that plants a defect of a category: name, clause without its family, sentence, changed hooks.

    `options` are those of the judge that make it visible.
    """

    def plant(name: str, clause: str, sentence: str, **changes: Any) -> Mutant:
        return Mutant(name, f"{family}.{clause}", category, sentence, replace(base, **changes), options)

    return plant
