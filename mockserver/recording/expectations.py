"""What a test expects of the requests that a mock has received, and what differs."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher, ndiff, unified_diff
from typing import Any

from mockserver.recording.recorded_request import RecordedRequest

_SHOWN = 300  # characters of a string in a message


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


def call_problem(
    requests: Sequence[RecordedRequest], wanted: Wanted, times: int | None = None, body: Mapping[str, Any] | None = None
) -> str:
    """Return why such requests were not sent, at least once or exactly `times`, each with the fields of `body`.

    Empty if they were. If none was sent, the nearest request is described.
    """
    found = [one for one in requests if not wanted.unmet(one)]
    if (not found) if times is None else len(found) != times:
        expected = "at least 1" if times is None else str(times)
        near = "" if found else wanted.nearest(requests)
        return "\n".join(filter(None, (f"calls with {wanted}: expected {expected}, got {len(found)}", near)))
    for one in found if body is not None else ():
        got = {name: one.json.get(name) if isinstance(one.json, dict) else None for name in body or {}}
        if got != body:
            return f"The body of a call with {wanted} differs:\n{differences(body, got)}"
    return ""


def order_problem(requests: Sequence[RecordedRequest], parts: Sequence[str]) -> str:
    """Return why requests whose last messages contain these strings did not come in this order; empty if they did."""
    said = [one.text for one in requests]
    rest = iter(said)
    for text in parts:
        if not any(text in other for other in rest):
            return f"The order of requests differs at {text!r}:\n{differences([*parts], said)}"
    return ""


def tool_problem(
    requests: Sequence[RecordedRequest], name: str, arguments: Any = None, result: str | None = None
) -> str:
    """Return why the client did not run the function `name` and send its result; empty if it did.

    With `arguments`, the call had exactly these; with `result`, the result contains it.
    """
    calls = {id: (called, given) for one in requests for id, called, given in one.calls()}
    done = [(*calls[id], text) for one in requests for id, text in one.results() if id in calls]
    mine = [one for one in done if one[0] == name]
    if not mine:
        ran = ", ".join(dict.fromkeys(one[0] for one in done)) or "none"
        asked = ", ".join(dict.fromkeys(called for called, _ in calls.values())) or "none"
        return f"The client sent no result of {name}. Calls of the mock: {asked}. Results of the client: {ran}."
    if arguments is not None and all(given != arguments for _, given, _ in mine):
        return f"The arguments of {name} differ:\n{differences(arguments, mine[-1][1])}"
    if result is not None and all(result not in text for _, _, text in mine):
        return f"The result of {name} is {mine[-1][2]!r}, which does not contain {result!r}."
    return ""


def usage_problem(requests: Sequence[RecordedRequest], max_tokens: int) -> str:
    """Return why the replies together did not use at most `max_tokens`; empty if they did.

    A stream that reports no usage is a problem.
    """
    for number, one in enumerate(requests, 1):
        if one.is_stream and not one.total_tokens:
            why = "is a stream that reports no usage. Send stream_options={'include_usage': True}."
            return f"The reply to request {number} {why}"
    used = sum(one.total_tokens for one in requests)
    return f"total_tokens: expected at most {max_tokens}, got {used}" if used > max_tokens else ""


def differences(wanted: Any, got: Any) -> str:
    """Return the lines that differ between two JSON values."""
    before, after = (json.dumps(value, indent=2, ensure_ascii=False, sort_keys=True) for value in (wanted, got))
    lines = unified_diff(before.splitlines(), after.splitlines(), "expected", "got", lineterm="", n=2)
    return "\n".join(lines)
