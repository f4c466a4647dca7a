"""Pages of what the interface lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

import orjson

from agent_contract import Call
from agent_contract.values import Reply
from mockserver.behaviour import Outcome, View
from mockserver.service import JSON_TYPE
from mockserver.worlds import beginning, name_of

_Row = TypeVar("_Row")


def world_of(call: Call, view: View) -> View:
    """Return what is seen of the world that a call names."""
    return view.within(beginning(name_of(call.request)))


def answer(value: dict[str, Any]) -> Outcome:
    """Return a reply with a value as JSON."""
    return Outcome(Reply(200, JSON_TYPE, orjson.dumps(value)))


def page_of(
    name: str, rows: Iterable[_Row], call: Call, cursor: Callable[[_Row], str | int], show: Callable[[_Row], Any]
) -> Outcome:
    """Return the first `limit` of some rows, and the cursor of the last one where there are more behind it."""
    limit = int(call.parameters["limit"])  # type: ignore[arg-type]  # checked by the schema
    found = list(islice(rows, limit + 1))
    page = found[:limit]
    following = cursor(page[-1]) if len(found) > limit else None
    return answer({name: [show(row) for row in page], "next": following})
