"""Requests that a mock has received, with what the assertions of tests ask of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent_contract.messages import Event, Exchange, Reply, Request, Violation
from mockserver.resources.sessions import calls_of, text_of

_AGENT = re.compile(r"/(?:agents|assistants)/([^/]+)")
#: The `User-Agent` of requests that prepare a test: the package for Node sends it.
_PREPARING = "agent-contract-kit"
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
    def prepares(self) -> bool:
        """Whether the request prepares a test, and comes from no client."""
        return self.exchange.request.headers.get("user-agent") == _PREPARING

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


def from_entry(entry: Mapping[str, Any], names: frozenset[str] = frozenset()) -> RecordedRequest:
    """Return the request of a stored entry of the journal, which lacks the rest of a body over 8 KiB."""
    sent, reply = entry["request"], entry["reply"]
    events = reply.get("events")
    body = (
        _kept(reply) if events is None else tuple(Event(data.encode("utf-8", "replace"), name) for name, data in events)
    )
    query = tuple((name, value) for name, value in sent.get("query", ()))
    exchange = Exchange(
        Request(sent["method"], sent["path"], query, sent["headers"], _kept(sent)),
        Reply(reply["status"], reply["headers"], body),
        entry["operation"] or "",
        tuple(entry["clauses"]),
        tuple(map(_violation, entry["violations"])),
        rule=entry.get("rule") or "",
        faults=tuple(entry.get("faults", ())),
    )
    return RecordedRequest(exchange, names)


def _violation(stored: Mapping[str, str]) -> Violation:
    return Violation((stored["place"],), stored["rule"], stored["expected"], stored["got"], stored["pointer"])


def _kept(message: Mapping[str, Any]) -> bytes:
    return str(message.get("text", "")).encode("utf-8", "replace")


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
