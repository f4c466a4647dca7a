"""Control operations on scopes: list them, reset one or all."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from agent_contract.messages import Reply
from mockserver.control.pagination import page_of
from mockserver.core import keys
from mockserver.core.context import Context, Settings
from mockserver.core.outcome import Outcome, Rejection, Reset
from mockserver.core.scopes import known_scopes
from mockserver.core.tenants import Tenant
from mockserver.core.transaction import Transaction
from mockserver.operations.session_store import live_sessions
from mockserver.stores import Store

#: The cursor of the default scope, which has no name. It sorts before all names, and none begins with a space.
_DEFAULT = " "


def list_scopes(context: Context, now_in: Callable[[str], float], tenant: Tenant | None = None) -> Outcome:
    """Return a page of the scopes, each with how much it contains; of a tenant, its own.

    `now_in` returns the time in a scope.
    """
    store, settings = context.transaction.store, context.settings
    rows = scopes_of(store, tenant, str(context.call.parameters.get("after", "")))

    def shown(row: tuple[str, float | None]) -> dict[str, Any]:
        return _shown(Transaction(store, row[0]), settings, row[1], now_in)

    return page_of("scopes", rows, context.call, lambda row: row[0] or _DEFAULT, shown)


def reset(context: Context, tenant: Tenant | None = None) -> Outcome:
    """Delete everything in the scope, or in all scopes; raises `Rejection` if a tenant asks for all."""
    kind = Reset.ALL if context.call.parameters["all"] else Reset.SCOPE
    if kind is Reset.ALL and tenant is not None:
        raise only_for_operators("This token can't reset all scopes. Reset its scopes one by one.")
    return Outcome(Reply(204, {}, b""), reset=kind)


def count_sessions(store: Store) -> int:
    """Return the number of sessions in all scopes; some may have expired, and not yet be deleted."""
    return sum(Transaction(store, name).count(keys.SESSIONS) for name, _ in _scopes(store, ""))


def only_for_operators(why: str) -> Rejection:
    """Return the rejection of a request that needs a token without a tenant."""
    return Rejection(403, "", why, ("header", "authorization"))


def scopes_of(store: Store, tenant: Tenant | None, after: str = "") -> Iterator[tuple[str, float | None]]:
    """Yield the name of each scope with the time of its last use: all, or those of a tenant, its own first."""
    if tenant is None:
        yield from _scopes(store, after)
        return
    first = tenant.scopes
    if not after:
        yield first, None
    for name, used in known_scopes(store, "" if after == first else after):
        if tenant.covers(name) and name != first:
            yield name, used


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
