"""Pages of the lists of the API: agents and all resources of the control plane take the same parameters."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol, TypeVar

from agent_contract.messages import JSON
from agent_contract.printable import shorten
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection, json_outcome
from mockserver.resources.agents import is_uuid


class Listed(Protocol):
    """What a list contains."""

    @property
    def id(self) -> str:
        """The id, a cursor of the list."""


_Item = TypeVar("_Item", bound=Listed)


def page_of(
    context: Context,
    items: Sequence[_Item],
    chosen: Callable[[Sequence[_Item]], Sequence[_Item]],
    show: Callable[[_Item], dict[str, Any]],
    noun: str,
) -> Outcome:
    """Return a page of `items`, which are sorted oldest first; `chosen` returns those that pass the filters.

    The order is: cursors, then filters, then `offset` and `limit`. `before` without `after` returns the last items
    before the cursor, so that a client can page backwards. Raises `Rejection` for an unknown cursor.
    """
    query = context.call.parameters
    if query["order"] == "desc":
        items = items[::-1]
    ids = [item.id for item in items]
    after, before = (_cursor_index(ids, name, query.get(name), noun) for name in ("after", "before"))
    start = 0 if after is None else after + 1
    found = chosen(items[start:before])[_integer(query["offset"]) :]
    limit = _integer(query["limit"])
    page = found[:limit] if before is None or start else found[-limit:]
    return json_outcome(
        {
            "object": "list",
            "data": [show(item) for item in page],
            "has_more": len(page) < len(found),
            "num_objects": len(chosen(items)) if query["set_num_objects"] else None,
            "first_id": page[0].id if page else None,
            "last_id": page[-1].id if page else None,
        }
    )


def _integer(value: JSON) -> int:
    return int(value)  # type: ignore[arg-type]  # checked by the schema


def _cursor_index(ids: Sequence[str], name: str, value: JSON, noun: str) -> int | None:
    """Return the index of the item that a cursor names, None without a cursor."""
    if value is None:
        return None
    text, location = str(value), ("query", name)
    if text.lower() in ids:
        return ids.index(text.lower())
    if not is_uuid(text):
        why = f'An invalid ID was passed for paginating results: {name} is "{shorten(text)}", which is not a uuid.'
        raise Rejection(400, "cursor-invalid", why, location, "a uuid", text)
    why = f"An invalid ID was passed for paginating results: {name} is {text}, and no {noun} has this id."
    raise Rejection(400, "after-unknown" if name == "after" else "", why, location, f"the id of a {noun}", text)
