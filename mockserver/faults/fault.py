"""A fault that is set: its kind with parameters, and how often, how likely, for whom and for how long it happens."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from agent_contract.document.checked_file import Keys, Source, suggestion
from agent_contract.document.errors import ContractError, Problem
from agent_contract.messages import Reply
from mockserver.faults.catalogue import KINDS, AnsweredBy, FaultParameter, Kind
from mockserver.faults.stateful import Sent

#: The header that sets a fault for one request.
FAULT_HEADER = "x-mock-fault"
#: What every fault accepts besides its own parameters.
COMMON: Mapping[str, FaultParameter] = {
    "times": FaultParameter(int, None, "how often it happens; by default always, unless the fault states it"),
    "probability": FaultParameter(float, None, "how likely it happens, from 0 to 1; the seed decides"),
    "agent": FaultParameter(str, None, "only for this agent: its name or id"),
    "operation": FaultParameter(str, None, "only for this operationId"),
    "first": FaultParameter(int, None, "the first of the requests that it concerns for which it happens, from 1"),
    "last": FaultParameter(int, None, "the last of them"),
    "ttl": FaultParameter(float, None, "seconds until it is removed"),
}
#: Maximum length of a parameter that is text.
MOST_TEXT = 1000
_MOST_NUMBER = 86_400.0
_FROM_ONE = ("size", "times", "first", "last", "slots")


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault with its parameters, complete and checked; `given` are those that were set, for display."""

    kind: Kind
    parameters: Mapping[str, Any]
    given: Mapping[str, Any]
    times: int | None = None
    probability: float | None = None
    agent: str | None = None
    operation: str | None = None
    ttl: float | None = None
    first: int | None = None
    last: int | None = None

    @property
    def name(self) -> str:
        """The name in the catalogue."""
        return self.kind.name

    def is_for(self, operation: str, agents: tuple[str, ...]) -> bool:
        """Return whether the fault is for an operation and an agent that has these addresses."""
        return (self.agent is None or self.agent in agents) and (self.operation is None or self.operation == operation)

    def concerns(self, sent: Sent, agents: tuple[str, ...]) -> bool:
        """Return whether the fault is for this request, whose agent has these addresses, and this reply."""
        return self.is_for(sent.operation, agents) and self.kind.applies(sent)

    @property
    def has_window(self) -> bool:
        """Whether it happens in a window of the requests that it concerns."""
        return self.first is not None or self.last is not None

    def is_in_window(self, number: int) -> bool:
        """Return whether the request with this number, from 1, is in the window."""
        return (self.first or 1) <= number and (self.last is None or number <= self.last)

    def is_drawn(self, number: int, seed: bytes) -> bool:
        """Return whether it happens at the use with this number; the same seed and number give the same result."""
        return self.probability is None or random.Random(seed + b"%d" % number).random() < self.probability

    def instead(self) -> Reply:
        """Return the reply that is sent instead of the operation's; only if the kind has one."""
        assert self.kind.instead is not None
        return self.kind.instead(self.parameters)

    def on_the_wire(self, reply: Reply, seed: bytes) -> Reply:
        """Return the faulty reply."""
        return self.kind.wire(reply, self.parameters, seed) if self.kind.wire else reply

    def as_json(self) -> dict[str, Any]:
        """Return the fault as it was set."""
        return {"fault": self.name, **self.given}


def read_fault(value: Any, source: Source, at: Keys = ()) -> Fault:
    """Return the fault that a string, a status or a mapping describes; raises `ContractError` if it does not."""
    if isinstance(value, int):
        value = str(value)
    if isinstance(value, str):
        return _from_text(value, source, at)
    given = {name: one for name, one in value.items() if name != "fault"}
    return _checked(_kind(str(value.get("fault")), source, (*at, "fault")), given, source, at)


@lru_cache(maxsize=64)
def fault_of_header(text: str) -> Fault:
    """Return the fault that the header X-Mock-Fault describes; raises `ContractError` if it does not."""
    return read_fault(text, Source("X-Mock-Fault"))


def misplaced(fault: Fault, answerer: AnsweredBy, source: Source, at: Keys = ()) -> Iterator[Problem]:
    """Yield why a fault does not work in what answers requests, with the faults that do."""
    if not fault.kind.works_with(answerer):
        known = ", ".join(kind.name for kind in KINDS.values() if kind.works_with(answerer))
        why = "it changes the request, and the answer is recorded"
        yield source.problem(at, f"{fault.name} does not work in a {answerer.value}: {why}", f"use one of {known}")


def _from_text(text: str, source: Source, at: Keys) -> Fault:
    """Return the fault of `NAME` or `NAME:key=value,key=value`."""
    name, _, rest = text.partition(":")
    kind = _kind(name.strip(), source, at)
    given: dict[str, Any] = {}
    for pair in filter(None, rest.split(",")):
        key, equals, value = (part.strip() for part in pair.partition("="))
        if not equals:
            problem = Problem(source.name, kind.name, f'"{pair}" is not key=value', f"write {kind.name}:times=1")
            raise ContractError([problem])
        given[key] = _converted(value, _parameters(kind).get(key))
    return _checked(kind, given, source, at)


def _converted(text: str, parameter: FaultParameter | None) -> Any:
    """Return the value that `text` means for a parameter; `text` itself if it has another type."""
    if parameter is None or parameter.type is str:
        return text
    if parameter.type is bool:
        return {"true": True, "false": False}.get(text.lower(), text)
    try:
        return parameter.type(text)
    except ValueError:
        return text


def _kind(name: str, source: Source, at: Keys) -> Kind:
    kind = KINDS.get(f"status-{name}" if name.isdigit() else name)
    if kind is None:
        listed = suggestion(name, list(KINDS)).replace("known keys here", "faults")
        raise ContractError([source.problem(at, f'"{name[:100]}" is not a fault', listed)])
    return kind


def _parameters(kind: Kind) -> Mapping[str, FaultParameter]:
    return {**COMMON, **kind.parameters}


def _checked(kind: Kind, given: Mapping[str, Any], source: Source, at: Keys) -> Fault:
    known = _parameters(kind)
    problems = [
        source.problem((*at, name), f"{name} is not a parameter of {kind.name}", suggestion(name, list(known)))
        for name in given
        if name not in known
    ]
    for name, value in given.items():
        wrong = _wrong(name, value, known[name]) if name in known else None
        if wrong:
            problems.append(source.problem((*at, name), f"{name} of {kind.name} is {str(value)[:100]!r}", wrong))
    if problems:
        raise ContractError(problems)
    defaults = {name: parameter.default for name, parameter in kind.parameters.items()}
    own = {name: value for name, value in given.items() if name in kind.parameters}
    common: dict[str, Any] = {name: given.get(name) for name in COMMON}
    if common["times"] is None and common["ttl"] is None:
        common["times"] = kind.times
    if (common["last"] or math.inf) < (common["first"] or 1):
        problem = f"the last request, {common['last']}, comes before the first, {common['first']}"
        raise ContractError([source.problem((*at, "last"), problem, "write first=2,last=4")])
    return Fault(kind, {**defaults, **own}, dict(given), **common)


def bounds_of(name: str) -> tuple[float, float]:
    """Return the least and the greatest value of a parameter that is a number."""
    most = {"probability": 1.0, "status": 599, "slots": 1000, "length": 1000}.get(name, _MOST_NUMBER)
    return 200 if name == "status" else 1 if name in _FROM_ONE else 0, most


def _wrong(name: str, value: Any, parameter: FaultParameter) -> str | None:
    """Return what to send instead of a value; None if it is valid."""
    if parameter.type is bool:
        return None if isinstance(value, bool) else "send true or false"
    if parameter.type is str:
        if isinstance(value, (str, int, float)) and not isinstance(value, bool):
            text = str(value)
            return None if text.isascii() and text.isprintable() and len(text) <= MOST_TEXT else "send printable ASCII"
        return "send a string"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        return "send a number"
    if parameter.type is int and not isinstance(value, int):
        return "send an integer"
    least, most = bounds_of(name)
    return None if least <= value <= most else f"send a number from {least} to {most:g}"
