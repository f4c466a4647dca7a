"""Rules: what an agent answers, and when. One model for Python, scenario files and the control interface."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Literal, Protocol, TypeAlias

from agent_contract.messages import JSON
from mockserver.faults.fault import Fault
from mockserver.generation.latency import Pace

#: What follows the last answer of a rule.
Then: TypeAlias = Literal["last", "repeat", "fail"]


@dataclass(frozen=True, slots=True)
class ToolResult:
    """A condition on the results of tools that a request ends with: the function's name, and a part of the result."""

    name: str | None = None
    contains: str | None = None


@dataclass(frozen=True, slots=True)
class When:
    """The conditions of a rule: all that are not None must hold. `scenario.schema.json` explains each."""

    agent: str | None = None
    user: str | None = None
    user_contains: str | None = None
    user_matches: str | None = None
    any_contains: str | None = None
    turn: int | None = None
    tool_result: ToolResult | bool | None = None
    model: str | None = None
    headers: Mapping[str, str] | None = None
    stream: bool | None = None
    body: str | Mapping[str, JSON] | None = None
    operation: str | None = None


@dataclass(frozen=True, slots=True)
class ScriptedCall:
    """A function call of an answer; `arguments` is text as it is sent."""

    name: str
    arguments: str = "{}"
    id: str | None = None


@dataclass(frozen=True, slots=True)
class ScriptedReply:
    """A reply that is sent as it is."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""


class Renderer(Protocol):
    """Makes the text of an answer from a request."""

    def render(self, question: Any, number: int) -> str:
        """Return the text for a request that gets the answer with this number, from 0."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer: at most one of `text`, `template`, `parts`, `refusal` and `raw`; without any it is computed.

    `parts` are text and function calls, in the order of a stream. Structured data is text: its JSON. `usage` replaces
    counts by name, `delay` is in seconds. `pace` replaces that of the mock, `delays` are seconds before each event of a
    stream, of which the last one repeats.
    """

    text: str | None = None
    template: Renderer | None = None
    parts: tuple[str | ScriptedCall, ...] = ()
    refusal: str | None = None
    raw: ScriptedReply | None = None
    fault: Fault | None = None
    finish_reason: str | None = None
    usage: Mapping[str, int] = field(default_factory=dict)
    delay: float = 0.0
    pace: Pace | None = None
    delays: tuple[float, ...] = ()

    @property
    def calls(self) -> tuple[ScriptedCall, ...]:
        """The function calls."""
        return tuple(part for part in self.parts if isinstance(part, ScriptedCall))

    @property
    def is_plain(self) -> bool:
        """Whether a reply is sent as it is, without a fault and at once."""
        return not (self.fault or self.delay or self.delays)

    @property
    def is_computed(self) -> bool:
        """Whether a mock must compute a part of the answer."""
        return bool(self.is_scripted or self.finish_reason or self.usage or self.pace)

    @property
    def is_scripted(self) -> bool:
        """Whether the rule, not the mock, decides the content."""
        return self.text is not None or bool(self.parts) or self.refusal is not None or self.template is not None


@dataclass(frozen=True, slots=True)
class Rule:
    """Answers with `answers`, one after the other, if `when` holds; after `times` answers it no longer matches.

    With `off_contract` the answers may break the contract. `given` is the rule as it was set.
    """

    name: str
    when: When = When()
    answers: tuple[Answer, ...] = (Answer(),)
    then: Then = "last"
    times: int | None = None
    off_contract: bool = False
    given: Mapping[str, JSON] = field(default_factory=dict)

    def answer(self, number: int) -> Answer | None:
        """Return the answer with this number, from 0; None if there are no more."""
        count = len(self.answers)
        if number < count:
            return self.answers[number]
        if self.then == "fail":
            return None
        return self.answers[number % count if self.then == "repeat" else -1]


def conditions(when: When) -> dict[str, Any]:
    """Return the conditions that are set, by name."""
    return {one.name: value for one in fields(When) if (value := getattr(when, one.name)) is not None}
