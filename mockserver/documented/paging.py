"""Filters, sorts and pages a list by the parameters that are usual for it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from agent_contract.messages import JSON

_LIMITS = (
    "limit",
    "per_page",
    "perPage",
    "page_size",
    "pageSize",
    "size",
    "max_results",
    "maxResults",
    "top",
    "$top",
    "count",
)
_OFFSETS = (
    "offset",
    "skip",
    "$skip",
    "start",
    "startIndex",
    "start_index",
)
_PAGES = (
    "page",
    "pageNumber",
    "page_number",
    "p",
)
_AFTER = (
    "after",
    "starting_after",
    "cursor",
    "page_token",
    "pageToken",
    "next_token",
    "nextToken",
    "continue",
    "marker",
)
_BEFORE = (
    "before",
    "ending_before",
)
_SORTS = (
    "sort",
    "sort_by",
    "sortBy",
    "order_by",
    "orderBy",
    "$orderby",
)
_ORDERS = (
    "order",
    "direction",
    "sort_order",
    "sortOrder",
    "dir",
)
_TOTALS = (
    "total",
    "total_count",
    "totalCount",
    "total_items",
    "totalItems",
    "total_results",
    "totalResults",
    "count",
    "size",
)
_MORE = (
    "has_more",
    "hasMore",
    "has_next",
    "hasNext",
)
_NEXT = (
    "next_cursor",
    "nextCursor",
    "next_page_token",
    "nextPageToken",
    "next_token",
    "nextToken",
    "last_id",
    "cursor",
)
_USED = frozenset((*_LIMITS, *_OFFSETS, *_PAGES, *_AFTER, *_BEFORE, *_SORTS, *_ORDERS))
_DEFAULT_SIZE = 100


@dataclass(frozen=True, slots=True)
class ItemPage:
    """A page of a list: its items with their ids, how many there are in all, and whether more follow."""

    items: tuple[tuple[str, dict[str, JSON]], ...]
    total: int
    more: bool


def page_of(items: Mapping[str, dict[str, JSON]], parameters: Mapping[str, JSON]) -> ItemPage:
    """Return the page of items, by id, that parameters ask for."""
    listed = list(items.items())
    for name, wanted in parameters.items():
        if name not in _USED and isinstance(wanted, (str, int, float, bool, list)):
            known = [pair for pair in listed if name in pair[1]]
            if known and not any(isinstance(pair[1][name], (dict, list)) for pair in known):
                allowed = wanted if isinstance(wanted, list) else [wanted]
                listed = [pair for pair in known if pair[1][name] in allowed]
    listed = _sorted(listed, parameters)
    total = len(listed)
    names = [identity for identity, _ in listed]
    for keys, after in ((_AFTER, True), (_BEFORE, False)):
        cursor = _first(parameters, keys)
        if cursor is not None and str(cursor) in names:
            at = names.index(str(cursor))
            listed = listed[at + 1 :] if after else listed[:at]
    size = _number(parameters, _LIMITS, _DEFAULT_SIZE)
    begin = _number(parameters, _OFFSETS, 0) + max(_number(parameters, _PAGES, 1) - 1, 0) * size
    shown = listed[begin : begin + size]
    return ItemPage(tuple(shown), total, begin + size < len(listed))


def page_fields(envelope: Mapping[str, JSON], page: ItemPage) -> dict[str, JSON]:
    """Return the fields of a documented list that speak of the page: totals, cursors, whether more follow."""
    fields: dict[str, JSON] = {}
    ids = [id for id, _ in page.items]
    for name, value in envelope.items():
        if name in _TOTALS and isinstance(value, int) and not isinstance(value, bool):
            fields[name] = page.total if name not in ("count", "size") else len(page.items)
        elif name in _MORE and isinstance(value, bool):
            fields[name] = page.more
        elif name in _NEXT and (isinstance(value, str) or value is None):
            fields[name] = ids[-1] if ids and (page.more or name == "last_id") else None
        elif name == "first_id":
            fields[name] = ids[0] if ids else None
    return fields


def _sorted(
    listed: list[tuple[str, dict[str, JSON]]], parameters: Mapping[str, JSON]
) -> list[tuple[str, dict[str, JSON]]]:
    wanted = _first(parameters, _SORTS)
    order = str(_first(parameters, _ORDERS) or "").lower()
    descending = order.startswith("desc")
    if isinstance(wanted, str) and wanted:
        name, _, direction = wanted.replace(":", " ").partition(" ")
        descending = descending or name.startswith("-") or direction.lower() == "desc"
        name = name.lstrip("+-")
        known = [pair for pair in listed if name in pair[1]]
        if known:
            rest = [pair for pair in listed if name not in pair[1]]
            return sorted(known, key=lambda pair: _sort_key(pair[1][name]), reverse=descending) + rest
        return listed
    return listed[::-1] if descending else listed


def _sort_key(value: JSON) -> tuple[int, float, str]:
    if isinstance(value, (int, float)):
        return 0, float(value), ""
    return 1, 0.0, str(value)


def _first(parameters: Mapping[str, JSON], names: Sequence[str]) -> JSON:
    return next((parameters[name] for name in names if name in parameters), None)


def _number(parameters: Mapping[str, JSON], names: Sequence[str], default: int) -> int:
    value = _first(parameters, names)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else default
