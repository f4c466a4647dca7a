"""One deployment with one planted defect."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from benchmarks.detection.hooks import ServerHooks
from server_defects.defect import Defect

PLAIN = ServerHooks()


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


def mutant_of(defect: Defect) -> Mutant:
    """Return the reference server with a defect."""
    hooks = replace(PLAIN, **defect.changes)
    return Mutant(defect.name, defect.clause, defect.category, defect.sentence, hooks, defect.options)


def planting(
    category: str, base: ServerHooks = PLAIN, family: str = "chat", options: tuple[str, ...] = ()
) -> Callable[..., Mutant]:
    """Return a function that plants a defect of a category: name, clause without its family, sentence, changed hooks.

    `options` are those of the judge that make it visible.
    """

    def plant(name: str, clause: str, sentence: str, **changes: Any) -> Mutant:
        return Mutant(name, f"{family}.{clause}", category, sentence, replace(base, **changes), options)

    return plant
