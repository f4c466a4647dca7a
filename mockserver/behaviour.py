"""What an operation's behaviour is given and what it gives back: values, no I/O.

A behaviour decides; the engine reads the session before it and writes what it says after it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from agent_contract import Call
from agent_contract.values import JSON, Location, Reply
from mockserver.agents import Agent
from mockserver.pace import Pace
from mockserver.stores import Versioned


@dataclass(frozen=True, slots=True)
class Limits:
    """What one request may cost, and what the mock keeps: bytes, or numbers of things.

    `session` bounds one session's stored bytes, `sessions` how many are kept and `store` their bytes together:
    those that were used longest ago go first.
    """

    body: int = 4 * 1024 * 1024
    choices: int = 128
    stops: int = 1024
    session: int = 8 * 1024 * 1024
    sessions: int = 10_000
    store: int = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Setting:
    """What stays the same from request to request; `seed` is mixed into every text."""

    agents: Mapping[str, Agent]
    limits: Limits = field(default_factory=Limits)
    pace: Pace = field(default_factory=Pace)
    seed: bytes = b""


@dataclass(frozen=True, slots=True)
class Turn:
    """What one attempt to answer may use once: the time in seconds since 1970, two fresh uuids, some randomness."""

    now: float
    id: str
    session_id: str
    nonce: bytes


@dataclass(frozen=True, slots=True)
class Refused:
    """A request that is refused: `status`, why in words, the clause's name behind the dot, and what was looked at."""

    status: int
    clause: str
    why: str
    where: Location = ()
    expected: JSON = None
    got: JSON = None
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Write:
    """A session to be written: `expected` is the version that it replaces, None for a new one."""

    key: str
    value: bytes
    expected: int | None


@dataclass(frozen=True, slots=True)
class Outcome:
    """An answer, and the session that it leaves behind."""

    reply: Reply
    write: Write | None = None


class Behaviour(NamedTuple):
    """How an operation acts: the key of the session that it reads, if any, and its answer. Both are pure."""

    session_key: Callable[[Call, Setting], str | None]
    answer: Callable[[Call, Setting, Turn, Versioned | None], Outcome | Refused]
