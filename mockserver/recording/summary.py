"""Entries of the journal as rows of a list: what a reader needs to find one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import orjson

from agent_contract.printable import shorten
from mockserver.resources.sessions import text_of

#: `refused`: the request broke the contract. `fault`: a fault changed or replaced the reply.
Verdict: TypeAlias = Literal["answered", "refused", "fault", "hint"]
_SAID = 200  # characters of the last message


def is_refused(entry: Mapping[str, Any]) -> bool:
    """Return whether the mock refused the request of an entry."""
    return entry["reply"]["status"] >= 400 and bool(entry["violations"])


def verdict_of(entry: Mapping[str, Any]) -> Verdict:
    """Return what became of the request of a stored entry."""
    if is_refused(entry):
        return "refused"
    if entry.get("faults"):
        return "fault"
    return "hint" if entry.get("hints") else "answered"


def last_text(request: Mapping[str, Any]) -> str:
    """Return the text of the last message of a stored request; empty if it has none, or is not kept whole."""
    try:
        return str(text_of(orjson.loads(request.get("text", ""))["messages"][-1]))
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return ""


def summary_of(number: int, entry: Mapping[str, Any], scope: str) -> dict[str, Any]:
    """Return the row of a stored entry."""
    request, reply = entry["request"], entry["reply"]
    return {
        "number": number,
        "scope": scope or None,
        "time": entry["time"],
        "method": request["method"],
        "path": request["path"],
        "operation": entry["operation"],
        "agent": entry["agent"],
        "session": entry["session"],
        "status": reply["status"],
        "seconds": reply.get("seconds", 0.0),
        "streamed": "events" in reply,
        "verdict": verdict_of(entry),
        "clauses": entry["clauses"],
        "rule": entry.get("rule"),
        "faults": entry.get("faults", []),
        "said": shorten(last_text(request), _SAID),
    }
