"""Control operations on scopes: list them, reset one or all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from agent_contract.messages import Reply
from mockserver.control.pagination import page_of
from mockserver.core import keys
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Reset
from mockserver.core.scopes import known_scopes
from mockserver.core.transaction import Transaction
from mockserver.stores import Store

#: The cursor of the default scope, which has no name. It sorts before all names, and none begins with a space.
_DEFAULT = " "


def list_scopes(context: Context) -> Outcome:
    """Return a page of the scopes, each with how much it contains."""
    store, after = context.transaction.store, str(context.call.parameters.get("after", ""))
    rows = _scopes(store, after)
    return page_of("scopes", rows, context.call, lambda row: row[0] or _DEFAULT, lambda row: _shown(store, *row))


def reset(context: Context) -> Outcome:
    """Delete everything in the scope, or in all scopes."""
    kind = Reset.ALL if context.call.parameters["all"] else Reset.SCOPE
    return Outcome(Reply(204, {}, b""), reset=kind)


def _scopes(store: Store, after: str) -> Iterator[tuple[str, float | None]]:
    if not after:
        yield "", None
    yield from known_scopes(store, after)


def _shown(store: Store, name: str, used: float | None) -> dict[str, Any]:
    scope = Transaction(store, name)
    newest = scope.entries(keys.JOURNAL, None, 1)
    return {
        "name": name or None,
        "used": used,
        "agents": scope.count(keys.AGENTS),
        "sessions": scope.count(keys.SESSIONS),
        "requests": newest[0][0] if newest else 0,
    }
