"""What an operation returns or raises: an outcome, or a rejection."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from typing import Any

import orjson

from agent_contract.messages import JSON, JSON_TYPE, Location, Reply


@dataclass(eq=False)
class Rejection(Exception):
    """A request is refused with `status` because of `why`.

    `clause` is the part of the clause's id after the dot, empty for none. `where` is the place in the request,
    `expected` and `got` are what the place should have and has.
    """

    status: int
    clause: str
    why: str
    where: Location = ()
    expected: JSON = None
    got: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """A value that replaces the one that was read, or None to delete it; see `Store.put`."""

    key: str
    value: bytes | None
    expires: float | None = None
    pinned: bool = False


class Reset(Enum):
    """What is deleted as a whole, with everything in it: the scope of the transaction, or all scopes."""

    SCOPE = auto()
    ALL = auto()


@dataclass(frozen=True, slots=True)
class Outcome:
    """A reply, and what to change in the store; all keys are relative to the transaction's scope.

    The first of several `writes` decides: if its key was written by someone else since it was read, nothing is
    written. All keys that begin with one of `cleared` are deleted. `hints` go to log and journal.
    """

    reply: Reply
    writes: tuple[Write, ...] = ()
    cleared: tuple[str, ...] = ()
    reset: Reset | None = None
    hints: tuple[str, ...] = ()


def json_outcome(value: JSON | Mapping[str, Any]) -> Outcome:
    """Return the outcome that answers with a value as JSON and changes nothing."""
    return Outcome(Reply(200, JSON_TYPE, orjson.dumps(value)))
