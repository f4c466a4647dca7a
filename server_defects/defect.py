"""One planted defect."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

#: Options of `verify` for a defect that shows only in objects that the run creates.
MANAGED = ("--manage",)


@dataclass(frozen=True, slots=True)
class Defect:
    """What a server does wrong: its name, the clause that it breaks, a category, and one sentence.

    `changes` are the hooks that play it, by their names in `hooks`. It may break other clauses too; the one that it
    names is the one that shows an engineer what is wrong. `options` are those of `verify` that make it visible.
    """

    name: str
    clause: str
    category: str
    sentence: str
    changes: Mapping[str, Any]
    options: tuple[str, ...] = ()


def planting(category: str, family: str = "chat", options: tuple[str, ...] = (), **base: Any) -> Callable[..., Defect]:
    """Return a function that plants a defect of a category: name, clause without its family, sentence, changed hooks.

    `base` are hooks that all of them change.
    """

    def plant(name: str, clause: str, sentence: str, **changes: Any) -> Defect:
        return Defect(name, f"{family}.{clause}", category, sentence, {**base, **changes}, options)

    return plant
