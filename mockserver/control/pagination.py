"""Pages of lists in the control interface."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import islice
from types import MappingProxyType
from typing import Any, TypeVar

from agent_contract import Call
from mockserver.core.outcome import Outcome, json_outcome

_Row = TypeVar("_Row")


def page_of(
    name: str,
    rows: Iterable[_Row],
    call: Call,
    cursor: Callable[[_Row], str | int],
    show: Callable[[_Row], Any],
    more: Mapping[str, Any] = MappingProxyType({}),
) -> Outcome:
    """Return the first `limit` rows under `name`, and the cursor of the last one as `next` if more follow.

    The fields of `more` come first.
    """
    limit = int(call.parameters["limit"])  # type: ignore[arg-type]  # checked by the schema
    found = list(islice(rows, limit + 1))
    page = found[:limit]
    following = cursor(page[-1]) if len(found) > limit else None
    return json_outcome({**more, name: [show(row) for row in page], "next": following})
