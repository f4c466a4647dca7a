"""What the work for one request may cost: all bounds, and an account of the work that was done.

Clients send JSON Schemas, regular expressions and formats. Whatever they hold, the work ends within these bounds, or
with an error that names the bound. `docs/reference/limits.md` lists what the bounds amount to in seconds and bytes.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal, TypeAlias

#: How many schemas may judge one value: `allOf` and references can double them at each level.
LOOKS = 2_000
#: How many schemas there may be once all references are followed.
UNFOLDED = 20_000
#: Bytes of one compiled regular expression.
PATTERN_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class WorkLimits:
    """What one request may take.

    A step is the work to make one value, about 5 µs. `characters` are those of the values that are made,
    `schema_characters` those of the schemas that are sent, `pattern_bytes` what their regular expressions compile to,
    `tokens` those of all choices of the answer.
    """

    steps: int = 20_000
    characters: int = 1024 * 1024
    schema_characters: int = 256 * 1024
    pattern_bytes: int = 4 * 1024 * 1024
    tokens: int = 64 * 1024


BOUNDS = WorkLimits()
Kind: TypeAlias = Literal["steps", "characters", "schema_characters", "pattern_bytes", "tokens"]
#: The name of each limit in messages.
_SPELLED: dict[Kind, str] = {
    "steps": "steps of work",
    "characters": "characters of generated values",
    "schema_characters": "characters of schemas",
    "pattern_bytes": "bytes of compiled regular expressions",
    "tokens": "tokens of an answer",
}


class WorkBudgetError(ValueError):
    """The work for a request takes more than it may; the message names the bound."""


@dataclass(slots=True)
class WorkBudget:
    """What the work for one request may still cost; pass the same one to all parts of that work."""

    bounds: WorkLimits = BOUNDS
    _spent: dict[Kind, int] = field(default_factory=dict)

    def left(self, kind: Kind) -> int:
        """Return how much of one kind may still be spent."""
        bound: int = getattr(self.bounds, kind)
        return bound - self._spent.get(kind, 0)

    def spend(self, kind: Kind, amount: int) -> None:
        """Count work before it is done; raise `WorkBudgetError` if it exceeds what is left."""
        spent = self._spent.get(kind, 0) + amount
        if spent > (bound := getattr(self.bounds, kind)):
            raise WorkBudgetError(f"it exceeds a bound for one request: {bound} {_SPELLED[kind]}")
        self._spent[kind] = spent
