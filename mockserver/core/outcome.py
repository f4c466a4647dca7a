"""The result of an operation: it returns an outcome or raises a rejection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import orjson

from agent_contract.messages import JSON, JSON_TYPE, Location, Reply
from agent_contract.value_class import value_class


@dataclass(eq=False)
class Rejection(Exception):
    """A request is refused with `status` because of `why`.

    `clause` is the part of the clause's id after the dot, empty for none. `location` is the place in the request, `got`
    the value found there and `expected` the one that was expected.
    """

    status: int
    clause: str
    why: str
    location: Location = ()
    expected: JSON = None
    got: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)


@value_class(frozen=True, slots=True)
class Write:
    """A new value for a key, or None to delete it; `Store.put` explains the other fields."""

    key: str
    value: bytes | None
    expires: float | None = None
    pinned: bool = False
    lines: tuple[bytes, ...] = ()
    keep: int | None = None


class Reset(Enum):
    """Deletes everything in the scope of the transaction, or everything in all scopes."""

    SCOPE = auto()
    ALL = auto()


@value_class(frozen=True, slots=True)
class Outcome:
    """A reply, and the changes to the store; all keys are relative to the transaction's scope.

    If another request has written the key of the first of `writes` since it was read, nothing is written. All keys that
    begin with one of `cleared` are deleted. `hints` are added to the log and the journal.
    """

    reply: Reply
    writes: tuple[Write, ...] = ()
    cleared: tuple[str, ...] = ()
    reset: Reset | None = None
    hints: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether the store is changed."""
        return bool(self.writes or self.cleared or self.reset)


def json_outcome(value: JSON | Mapping[str, Any]) -> Outcome:
    """Return an outcome that answers with a value as JSON and changes nothing."""
    return Outcome(Reply(200, JSON_TYPE, orjson.dumps(value)))
