"""What was asked: the journal, by its numbers, agents, sessions, statuses and clauses."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from agent_contract import Call
from agent_contract.messages import JSON
from mockserver.control.pagination import page_of, world_of
from mockserver.core.behaviour import Outcome, Refused, Setting, Turn, View, answer
from mockserver.recording.journal import read, shown
from mockserver.resources.agents import id_of

_Entry = tuple[int, dict[str, Any]]


def list_requests(call: Call, setting: Setting, _turn: Turn, view: View) -> Outcome:
    """Return a page of the journal, newest first."""
    asked = dict(call.parameters)
    if "agent" in asked:
        asked["agent"] = id_of(setting.agents, str(asked["agent"]))
    before = call.parameters.get("before")
    entries = read(world_of(call, view), None if before is None else int(before))  # type: ignore[arg-type]
    return page_of("requests", _fitting(entries, asked), call, lambda row: row[0], lambda row: shown(*row))


def get_request(call: Call, _setting: Setting, _turn: Turn, view: View) -> Outcome | Refused:
    """Return one request of the journal."""
    number = int(call.parameters["number"])  # type: ignore[arg-type]  # checked by the schema
    for found, entry in read(world_of(call, view), number + 1):
        if found == number:
            return answer(shown(found, entry))
        break
    why = f"The journal of this world has no request {number}, or none any more."
    return Refused(404, "", why, ("path", "number"), None, number)


def _fitting(entries: Iterator[_Entry], asked: Mapping[str, JSON]) -> Iterator[_Entry]:
    for number, entry in entries:
        if _fits(entry, asked):
            yield number, entry


def _fits(entry: dict[str, Any], asked: Mapping[str, JSON]) -> bool:
    status = asked.get("status")
    return (
        ("agent" not in asked or entry["agent"] == asked["agent"])
        and ("session" not in asked or entry["session"] == str(asked["session"]).lower())
        and ("clause" not in asked or asked["clause"] in entry["clauses"])
        and (status is None or _matches(str(entry["reply"]["status"]), str(status)))
    )


def _matches(status: str, wanted: str) -> bool:
    return status[0] == wanted[0] if wanted.endswith("xx") else status == wanted
