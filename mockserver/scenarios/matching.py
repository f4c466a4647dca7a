"""Compares rules with requests: every condition is compiled when its rule is set."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile
from typing import Any, NamedTuple

import jsonschema_rs

from mockserver.resources.sessions import Message, calls_of, text_of, user_texts
from mockserver.scenarios.body_paths import PathInvalid, compile_path, same
from mockserver.scenarios.rule import Rule, ToolResult, When, conditions

#: The regular expressions of rules run in linear time. A compiled one has at most this many bytes.
_PATTERN_BYTES = 1024 * 1024
_RESULTS = ("tool", "function")


@dataclass(frozen=True, slots=True)
class Question:
    """What rules see of a request; `agents` are the addresses of its agent.

    `earlier` returns the messages of its session, the latest first; it is called only if a condition needs them.
    """

    agents: tuple[str, ...]
    messages: Sequence[Message]
    earlier: Callable[[], Sequence[Message]]
    model: str
    stream: bool
    headers: Mapping[str, str]
    body: Any = None
    operation: str = ""

    @property
    def user(self) -> str:
        """The text of the user's last message."""
        said = next(user_texts(reversed(self.messages)), None)
        return next(user_texts(self.earlier()), "") if said is None else said

    @property
    def turn(self) -> int:
        """The number of the user's messages in the session and in the request."""
        return sum(message["role"] == "user" for said in (self.earlier(), self.messages) for message in said)

    def results(self) -> Iterator[tuple[str, str]]:
        """Yield the function's name and the text of each result that the request ends with."""
        ending = list(takewhile(lambda message: message["role"] in _RESULTS, reversed(self.messages)))
        said = (*self.earlier(), *self.messages) if ending else ()
        names = {id: name for one in said for id, name, _ in calls_of(one)}
        for message in ending:
            yield names.get(str(message.get("tool_call_id"))) or str(message.get("name") or ""), text_of(message)


class Condition(NamedTuple):
    """A compiled condition: its name, the value that it wants, what it looks at, and whether that is right."""

    name: str
    wanted: Any
    seen: Callable[[Question], Any]
    holds: Callable[[Any], bool]


class PatternInvalid(ValueError):
    """A regular expression can't be compiled; the message is why, `remedy` what to do."""

    remedy = "write it without backreferences and look-around, in the syntax of RE2"


class ConditionInvalid(ValueError):
    """The condition `name` can't be compiled because of `why`; `remedy` is what to do."""

    def __init__(self, name: str, why: str, remedy: str) -> None:
        super().__init__(why)
        self.name, self.remedy = name, remedy


def compile_conditions(when: When) -> tuple[Condition, ...]:
    """Return the conditions, compiled; raises `ConditionInvalid`."""
    compiled = []
    for name, value in conditions(when).items():
        try:
            compiled.append(_CONDITIONS[name](value))
        except (PatternInvalid, PathInvalid) as error:
            raise ConditionInvalid(name, str(error), error.remedy) from None
    return tuple(compiled)


@dataclass(frozen=True, slots=True)
class CompiledRule:
    """A rule with its conditions. `id` is unique in its scope."""

    id: str
    rule: Rule
    conditions: tuple[Condition, ...]

    def failed(self, question: Question) -> Condition | None:
        """Return the first condition that does not hold; None if the rule matches."""
        return next((one for one in self.conditions if not one.holds(one.seen(question))), None)

    def held(self, question: Question) -> int:
        """Return how many conditions hold."""
        return sum(one.holds(one.seen(question)) for one in self.conditions)


def nearest_rule(rules: Sequence[CompiledRule], question: Question) -> tuple[CompiledRule, Condition | None]:
    """Return the rule of which most conditions hold, with the first that does not; None for it if all do."""
    nearest = max(rules, key=lambda one: one.held(question))
    return nearest, nearest.failed(question)


def _user(wanted: str) -> Condition:
    return Condition("user", wanted, lambda question: question.user, lambda seen: seen == wanted)


def _user_contains(wanted: str) -> Condition:
    return Condition("user_contains", wanted, lambda question: question.user, lambda seen: wanted in seen)


def _user_matches(wanted: str) -> Condition:
    options = jsonschema_rs.RegexOptions(size_limit=_PATTERN_BYTES)
    try:
        pattern = jsonschema_rs.Draft202012Validator({"pattern": wanted}, pattern_options=options)
    except ValueError:
        raise PatternInvalid(f'"{wanted}" is not a regular expression that runs in linear time') from None
    return Condition("user_matches", wanted, lambda question: question.user, pattern.is_valid)


def _any_contains(wanted: str) -> Condition:
    return Condition(
        "any_contains",
        wanted,
        lambda question: [text_of(message) for message in question.messages],
        lambda seen: any(wanted in text for text in seen),
    )


def _agent(wanted: str) -> Condition:
    return Condition("agent", wanted, lambda question: question.agents, lambda seen: wanted in seen)


def _operation(wanted: str) -> Condition:
    return Condition("operation", wanted, lambda question: question.operation, lambda seen: seen == wanted)


def _turn(wanted: int) -> Condition:
    return Condition("turn", wanted, lambda question: question.turn, lambda seen: seen == wanted)


def _tool_result(wanted: ToolResult | bool) -> Condition:
    def holds(seen: list[tuple[str, str]]) -> bool:
        if isinstance(wanted, bool):
            return bool(seen) is wanted
        return any(
            (wanted.name is None or wanted.name == name) and (wanted.contains is None or wanted.contains in text)
            for name, text in seen
        )

    return Condition("tool_result", wanted, lambda question: list(question.results()), holds)


def _model(wanted: str) -> Condition:
    return Condition("model", wanted, lambda question: question.model, lambda seen: seen == wanted)


def _headers(wanted: Mapping[str, str]) -> Condition:
    lower = {name.lower(): value for name, value in wanted.items()}
    return Condition(
        "headers",
        wanted,
        lambda question: {name: question.headers.get(name) for name in lower},
        lambda seen: seen == lower,
    )


def _stream(wanted: bool) -> Condition:
    return Condition("stream", wanted, lambda question: question.stream, lambda seen: seen is wanted)


def _body(wanted: str | Mapping[str, Any]) -> Condition:
    paths = {wanted: None} if isinstance(wanted, str) else wanted
    queries = {path: compile_path(path) for path in paths}

    def holds(seen: Mapping[str, list[Any]]) -> bool:
        if isinstance(wanted, str):
            return bool(seen[wanted])
        return all(any(same(value, one) for one in seen[path]) for path, value in wanted.items())

    return Condition(
        "body",
        wanted,
        lambda question: {path: query(question.body) for path, query in queries.items()},
        holds,
    )


_CONDITIONS: Mapping[str, Callable[[Any], Condition]] = {
    "agent": _agent,
    "user": _user,
    "user_contains": _user_contains,
    "user_matches": _user_matches,
    "any_contains": _any_contains,
    "turn": _turn,
    "tool_result": _tool_result,
    "model": _model,
    "headers": _headers,
    "stream": _stream,
    "body": _body,
    "operation": _operation,
}
