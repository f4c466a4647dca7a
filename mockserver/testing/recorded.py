"""Requests that a mock has received, for the assertions of tests."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, ndiff, unified_diff
from functools import cached_property
from typing import Any

from agent_contract.messages import Exchange
from mockserver.resources.sessions import calls_of, text_of

_AGENT = re.compile(r"/(?:agents|assistants)/([^/]+)")
_SHOWN = 300  # characters of a string in a message
_RESULTS = ("tool", "function")


@dataclass(frozen=True)
class RecordedRequest:
    """A request with its reply. `names` are what its agent is called; `exchange` holds everything as it was sent."""

    exchange: Exchange
    names: frozenset[str] = frozenset()

    @property
    def method(self) -> str:
        """The method."""
        return self.exchange.request.method

    @property
    def path(self) -> str:
        """The path, without a scope."""
        return self.exchange.request.path

    @property
    def headers(self) -> dict[str, str]:
        """The headers; names are in lower case."""
        return dict(self.exchange.request.headers)

    @property
    def status(self) -> int:
        """The status of the reply."""
        return self.exchange.reply.status

    @property
    def rule(self) -> str:
        """The name of the rule that answered; empty if the answer was computed."""
        return self.exchange.rule

    @property
    def faults(self) -> tuple[str, ...]:
        """The names of the faults of the reply."""
        return self.exchange.faults

    @property
    def clauses(self) -> tuple[str, ...]:
        """The clauses that the request broke."""
        return self.exchange.clauses

    @property
    def is_refused(self) -> bool:
        """Whether the mock refused the request."""
        return self.status >= 400 and bool(self.exchange.violations)

    @property
    def is_stream(self) -> bool:
        """Whether the reply is a stream that was answered."""
        return self.status == 200 and not isinstance(self.exchange.reply.body, bytes)

    @property
    def agent(self) -> str:
        """The agent's name or id as the path has it; empty if it has none."""
        found = _AGENT.search(self.path)
        return found[1] if found else ""

    @cached_property
    def json(self) -> Any:
        """The body; None if it is not JSON."""
        return _parsed(self.exchange.request.body)

    @cached_property
    def reply_json(self) -> list[Any]:
        """The JSON values of the reply: one, or one for each event of a stream."""
        body = self.exchange.reply.body
        parts = [body] if isinstance(body, bytes) else [event.data for event in body]
        return [value for part in parts if (value := _parsed(part)) is not None]

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The messages of the body."""
        found = self.json.get("messages") if isinstance(self.json, dict) else None
        return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []

    @property
    def text(self) -> str:
        """The text of the last message; empty if there is none."""
        return _text(self.messages[-1]) if self.messages else ""

    @property
    def session(self) -> str:
        """The session that the request names, or that the reply creates; empty for none."""
        named = self.json.get("store_in_session") if isinstance(self.json, dict) else None
        created = (value.get("session_id") for value in self.reply_json if isinstance(value, dict))
        return str(named or next(filter(None, created), ""))

    @property
    def total_tokens(self) -> int:
        """The total tokens in the reply's usage; 0 if it has none."""
        usages = [value.get("usage") for value in self.reply_json if isinstance(value, dict)]
        return max((usage.get("total_tokens") or 0 for usage in usages if isinstance(usage, dict)), default=0)

    def calls(self) -> Iterator[tuple[str, str, Any]]:
        """Yield id, name and arguments of each tool call in the messages and in the reply."""
        for message in self.messages:
            yield from ((id, name, _arguments(text)) for id, name, text in calls_of(message))
        whole: dict[tuple[int, int], list[str]] = {}
        for value in self.reply_json:
            for choice in value.get("choices") or () if isinstance(value, dict) else ():
                part = choice.get("message") or choice.get("delta") or {}
                for place, call in enumerate(part.get("tool_calls") or ()):
                    function = call.get("function") or {}
                    found = whole.setdefault((choice.get("index", 0), call.get("index", place)), ["", "", ""])
                    found[0] = call.get("id") or found[0]
                    found[1] = function.get("name") or found[1]
                    found[2] += function.get("arguments") or ""
        yield from ((id, name, _arguments(text)) for id, name, text in whole.values())

    def results(self) -> Iterator[tuple[str, str]]:
        """Yield the id of the call and the text of each result of a tool in the messages."""
        for message in self.messages:
            if message.get("role") in _RESULTS:
                yield str(message.get("tool_call_id")), _text(message)


def differences(wanted: Any, got: Any) -> str:
    """Return the lines that differ between two JSON values."""
    before, after = (json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) for value in (wanted, got))
    lines = unified_diff(before.splitlines(), after.splitlines(), "expected", "got", lineterm="", n=2)
    return "\n".join(lines)


@dataclass(frozen=True)
class Wanted:
    """The requests that an assertion looks for; None for any."""

    agent: str | None = None
    session: str | None = None
    contains: str | None = None

    def __str__(self) -> str:
        given = ", ".join(f"{name}={value!r}" for name, value in vars(self).items() if value is not None)
        return given or "any request"

    def unmet(self, one: RecordedRequest) -> dict[str, tuple[str, str]]:
        """Return the fields that a request does not fulfil, each with what was expected and what it has."""
        unmet = {}
        if self.agent is not None and self.agent not in one.names:
            unmet["agent"] = self.agent, one.agent
        if self.session is not None and self.session != one.session:
            unmet["session"] = self.session, one.session
        if self.contains is not None and not any(self.contains in str(each.get("content")) for each in one.messages):
            unmet["contains"] = self.contains, one.text
        return unmet

    def nearest(self, requests: Sequence[RecordedRequest]) -> str:
        """Return the request that lacks least, with each field that differs; empty if there are no requests."""
        ranked = [(self._distance(one), number, one) for number, one in enumerate(requests, 1)]
        if not ranked:
            return ""
        _, number, one = min(ranked, key=lambda entry: entry[:2])
        lines = [f"The nearest request is number {number}:"]
        for name, (expected, got) in self.unmet(one).items():
            lines.append(f"  {name}: expected {expected[:_SHOWN]!r}, got {got[:_SHOWN]!r}")
            if name == "contains":
                lines += [f"    {line.rstrip()}" for line in ndiff([expected[:_SHOWN]], [got[:_SHOWN]])]
        return "\n".join(lines)

    def _distance(self, one: RecordedRequest) -> float:
        unmet = self.unmet(one)
        likeness = SequenceMatcher(None, *unmet["contains"]).ratio() if "contains" in unmet else 0
        return len(unmet) - likeness


def _text(message: dict[str, Any]) -> str:
    try:
        return text_of(message)
    except (KeyError, TypeError):
        return ""


def _arguments(text: str) -> Any:
    value = _parsed(text.encode())
    return text if value is None else value


def _parsed(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
