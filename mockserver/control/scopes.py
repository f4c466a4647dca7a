"""Control operations on scopes: list them, reset one or all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from agent_contract.messages import Reply
from mockserver.control.pagination import page_of
from mockserver.core import keys
from mockserver.core.context import Context, Settings
from mockserver.core.outcome import Outcome, Reset
from mockserver.core.scopes import known_scopes
from mockserver.core.transaction import Transaction
from mockserver.operations.session_store import live_sessions
from mockserver.stores import Store

#: The cursor of the default scope, which has no name. It sorts before all names, and none begins with a space.
_DEFAULT = " "


def list_scopes(context: Context, now_in: Callable[[str], float]) -> Outcome:
    """Return a page of the scopes, each with how much it contains; `now_in` returns the time in a scope."""
    store, settings = context.transaction.store, context.settings
    rows = _scopes(store, str(context.call.parameters.get("after", "")))

    def shown(row: tuple[str, float | None]) -> dict[str, Any]:
        return _shown(Transaction(store, row[0]), settings, row[1], now_in)

    return page_of("scopes", rows, context.call, lambda row: row[0] or _DEFAULT, shown)


def reset(context: Context) -> Outcome:
    """Delete everything in the scope, or in all scopes."""
    kind = Reset.ALL if context.call.parameters["all"] else Reset.SCOPE
    return Outcome(Reply(204, {}, b""), reset=kind)


def count_sessions(store: Store) -> int:
    """Return the number of sessions in all scopes; some may have expired, and not yet be deleted."""
    return sum(Transaction(store, name).count(keys.SESSIONS) for name, _ in _scopes(store, ""))


def _scopes(store: Store, after: str) -> Iterator[tuple[str, float | None]]:
    if not after:
        yield "", None
    yield from known_scopes(store, after)


def _shown(
    scope: Transaction, settings: Settings, used: float | None, now_in: Callable[[str], float]
) -> dict[str, Any]:
    newest = scope.entries(keys.JOURNAL, None, 1)
    return {
        "name": scope.scope or None,
        "used": used,
        "agents": scope.count(keys.AGENTS),
        "sessions": _count_sessions(scope, settings, now_in),
        "requests": newest[0][0] if newest else 0,
    }


def _count_sessions(scope: Transaction, settings: Settings, now_in: Callable[[str], float]) -> int:
    """Return the number of sessions; only if a test controls the clock must each be read."""
    if scope.get(keys.CLOCK) is None:
        return scope.count(keys.SESSIONS)
    return sum(1 for _ in live_sessions(scope, settings, keys.SESSIONS, "", now_in(scope.scope)))
