"""Worlds: how much is in each, and how one begins anew."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent_contract import Call
from agent_contract.messages import Reply
from mockserver.control.pagination import page_of
from mockserver.core.behaviour import Outcome, Setting, Turn, View, Write
from mockserver.core.scopes import USED, WORLDS, beginning, key_of, known_worlds, name_of
from mockserver.operations.session_store import SESSIONS
from mockserver.recording.journal import LOG
from mockserver.resources.agents import PREFIX

#: Leaves nothing in any world, and no world.
RESET = Outcome(Reply(204, {}, b""), cleared=(WORLDS, USED))


def list_worlds(call: Call, _setting: Setting, _turn: Turn, view: View) -> Outcome:
    """Return a page of the worlds, each with how much is in it."""
    rows = _worlds(view, str(call.parameters.get("after", "")))
    return page_of("worlds", rows, call, lambda row: row[0], lambda row: _shown(view, *row))


def reset(call: Call, _setting: Setting, _turn: Turn, _view: View) -> Outcome:
    """Forget all that is in a world, or in all of them."""
    if call.parameters["all"]:
        return RESET
    name = name_of(call.request)
    return Outcome(Reply(204, {}, b""), (Write(key_of(name), None),), (beginning(name),))


def _worlds(view: View, after: str) -> Iterator[tuple[str, float | None]]:
    if not after:
        yield "", None
    yield from known_worlds(view, after)


def _shown(view: View, name: str, used: float | None) -> dict[str, Any]:
    world = view.within(beginning(name))
    newest = world.entries(LOG, None, 1)
    return {
        "name": name or None,
        "used": used,
        "agents": world.count(PREFIX),
        "sessions": world.count(SESSIONS),
        "requests": newest[0][0] if newest else 0,
    }
