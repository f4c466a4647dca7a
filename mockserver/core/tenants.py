"""Tenants: tokens that are bound to scopes, so that teams can share a mock without seeing each other."""

from __future__ import annotations

import hmac
from collections.abc import Iterable

from agent_contract.messages import Request
from agent_contract.value_class import value_class


@value_class(frozen=True, slots=True)
class Tenant:
    """A token, and the scopes that it may use: the one named `scopes`, and those that `covers` adds."""

    token: str
    scopes: str

    def covers(self, scope: str) -> bool:
        """Return whether a scope is the tenant's: `team` covers `team` and `team-1`, but not `teams`."""
        rest = scope.removeprefix(self.scopes)
        return scope.startswith(self.scopes) and not rest[:1].isalnum()


def bearer_of(request: Request) -> bytes:
    """Return the bearer token of a request, empty if it has none."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip().encode("utf-8", "surrogatepass") if scheme.lower() == "bearer" else b""


def tenant_of(tenants: Iterable[Tenant], request: Request) -> Tenant | None:
    """Return the tenant whose token a request has, if any."""
    given = bearer_of(request)
    return next((one for one in tenants if hmac.compare_digest(given, one.token.encode())), None)
