"""Immutable values that are cheap to create, for what every request creates.

`value_class(frozen=True, slots=True)` is `dataclass` for a type checker, which refuses changes. At run time it makes a
dataclass with slots that does not check this again: a frozen one takes four times as long to create.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dataclasses import dataclass as value_class
else:
    from dataclasses import dataclass

    def value_class(*, frozen, slots, eq=True):
        """Return the decorator of a class of values, which are equal, and have the same hash, if their fields are."""
        assert frozen, "the type checker refuses changes"
        return dataclass(slots=slots, eq=eq, unsafe_hash=eq)


__all__ = ["value_class"]
