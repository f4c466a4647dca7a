"""Pages of what the interface lists."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Any, TypeVar

from agent_contract import Call
from mockserver.core.behaviour import Outcome, View, answer
from mockserver.core.scopes import beginning, name_of

_Row = TypeVar("_Row")


def world_of(call: Call, view: View) -> View:
    """Return what is seen of the world that a call names."""
    return view.within(beginning(name_of(call.request)))


def page_of(
    name: str, rows: Iterable[_Row], call: Call, cursor: Callable[[_Row], str | int], show: Callable[[_Row], Any]
) -> Outcome:
    """Return the first `limit` of some rows, and the cursor of the last one where there are more behind it."""
    limit = int(call.parameters["limit"])  # type: ignore[arg-type]  # checked by the schema
    found = list(islice(rows, limit + 1))
    page = found[:limit]
    following = cursor(page[-1]) if len(found) > limit else None
    return answer({name: [show(row) for row in page], "next": following})
