"""The mock's own interface, under `/__mock__/`: no part of the contract, and open without a token."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import orjson

from agent_contract import Contract
from agent_contract.values import Reply, Request

PREFIX = "/__mock__/"


def _health(contract: Contract) -> Reply:
    body = {"status": "ok", "title": contract.title, "version": contract.version, "contract": contract.digest}
    return Reply(200, {"content-type": "application/json"}, orjson.dumps(body))


#: By path, and there by method.
ROUTES: Mapping[str, Mapping[str, Callable[[Contract], Reply]]] = {
    PREFIX + "health": {"GET": _health},
}


def reply(contract: Contract, request: Request) -> Reply | None:
    """Return the reply to a request under the prefix, None for any other."""
    if not request.path.startswith(PREFIX):
        return None
    methods = ROUTES.get(request.path)
    if methods is None:
        return _refuse(404, "There is nothing at this path.", {})
    if request.method not in methods:
        allow = ", ".join(methods)
        return _refuse(405, f"This path has no such method, but {allow}.", {"allow": allow})
    return methods[request.method](contract)


def _refuse(status: int, why: str, headers: dict[str, str]) -> Reply:
    return Reply(status, {"content-type": "application/json", **headers}, orjson.dumps({"detail": why}))
