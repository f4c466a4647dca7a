"""The gateway of the control interface: it serves `openapi.json`, next to this module, like any other document."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import lru_cache, partial
from pathlib import Path

import orjson

from agent_contract import Contract
from agent_contract.contract import compile_contract
from agent_contract.document.document import read_document
from agent_contract.messages import JSON_TYPE, Reply
from mockserver.config import Config
from mockserver.control import HEALTH, READY
from mockserver.control.callbacks import list_callbacks, send_callback
from mockserver.control.contract_view import lint_scope, list_fault_kinds, show_contract
from mockserver.control.live import live_behaviour
from mockserver.control.origin import foreign
from mockserver.control.reasons import explain_request
from mockserver.control.request_formats import format_request
from mockserver.control.requests import check_requests, explain_requests, get_request, list_requests, list_summaries
from mockserver.control.resources import (
    create_session,
    delete_session,
    get_session,
    list_agents,
    list_sessions,
    reset_agent,
)
from mockserver.control.scopes import count_sessions, list_scopes, only_for_operators, reset
from mockserver.control.scripts import script_behaviours
from mockserver.core.context import Behaviour, Context
from mockserver.core.outcome import Outcome, Rejection
from mockserver.core.scripts import Scripts
from mockserver.core.tenants import Tenant, tenant_of
from mockserver.gateway.gateway import Gateway
from mockserver.recording.metrics import CONTENT_TYPE, Metrics

_DOCUMENT = Path(__file__).parent / "openapi.json"
#: Paths that `--control off` keeps: scripts wait for them, and they reveal nothing about requests.
_ALWAYS_ON = (HEALTH, READY)


def control_gateway(contract: Contract, config: Config, scripts: Scripts, metrics: Metrics | None = None) -> Gateway:
    """Return the gateway of the control interface; it refuses pages of other origins."""
    own = own_contract(config.control)

    def now_in(scope: str) -> float:
        return scripts.clock(scope).now()

    def at_its_time(behaviour: Callable[[Context, float], Outcome]) -> Behaviour:
        return lambda context: behaviour(context, now_in(context.transaction.scope))

    def tenant(context: Context) -> Tenant | None:
        return tenant_of(config.tenants, context.call.request)

    behaviours: dict[str, Behaviour] = {
        "getHealth": lambda _: _health(contract),
        "getReadiness": _readiness,
        "getDocument": lambda _: Outcome(Reply(200, JSON_TYPE, _document(config.control))),
        "explainRequests": lambda context: explain_requests(context, contract),
        "listSessions": at_its_time(list_sessions),
        "getSession": at_its_time(get_session),
        "createSession": at_its_time(create_session),
        "deleteSession": at_its_time(delete_session),
        "getMetrics": lambda context: _metrics(context, metrics, tenant(context)),
        "listScopes": lambda context: list_scopes(context, now_in, tenant(context)),
        "explainRequest": lambda context: explain_request(context, contract, scripts),
        "formatRequest": lambda context: format_request(context, contract),
        "streamRequests": live_behaviour(tenant),
        "reset": lambda context: reset(context, tenant(context)),
        "getContract": lambda _: show_contract(contract),
        "listCallbacks": lambda _: list_callbacks(contract),
        "sendCallback": lambda context: send_callback(context, contract, config.play),
        **_BEHAVIOURS,
        **script_behaviours(scripts),
    }
    tokens = config.control_tokens or config.tokens
    return Gateway(
        own,
        behaviours,
        tokens,
        _open(own),
        config.limits.body,
        foreign=partial(foreign, allowed=config.allowed_hosts),
        answers_head=True,
        tenants=config.tenants,
    )


@lru_cache(maxsize=2)
def own_contract(whole: bool = True) -> Contract:
    """Return the contract of the control interface, compiled once; without `whole`, only the paths always on."""
    document = read_document(_DOCUMENT)
    if not whole:
        root: dict[str, dict[str, object]] = document.files[""]  # type: ignore[assignment]
        root["paths"] = {path: item for path, item in root["paths"].items() if path in _ALWAYS_ON}
    return compile_contract(document)[0]


@lru_cache(maxsize=2)
def _document(whole: bool) -> bytes:
    return orjson.dumps(own_contract(whole).document)


@lru_cache(maxsize=2)
def _open(contract: Contract) -> frozenset[str]:
    return frozenset(operation.id for operation in contract.operations.values() if not operation.security)


def _health(contract: Contract) -> Outcome:
    body = {"status": "ok", "title": contract.title, "version": contract.version, "contract": contract.digest}
    return Outcome(Reply(200, JSON_TYPE, orjson.dumps(body)))


def _readiness(context: Context) -> Outcome:
    context.transaction.store.ready()
    return Outcome(Reply(200, JSON_TYPE, b'{"status":"ready"}'))


def _metrics(context: Context, metrics: Metrics | None, tenant: Tenant | None) -> Outcome:
    if tenant is not None:
        raise only_for_operators("This token can't read the metrics: they count the requests of all tenants.")
    if metrics is None:
        raise Rejection(404, "", "Nothing is counted. Start the mock with --metrics.", ("path",))
    store = context.transaction.store
    text = metrics.exposition(lambda: count_sessions(store))
    return Outcome(Reply(200, {"content-type": CONTENT_TYPE}, text))


_BEHAVIOURS: Mapping[str, Behaviour] = {
    "listOwnAgents": list_agents,
    "resetAgent": reset_agent,
    "listRequests": list_requests,
    "getRequest": get_request,
    "checkRequests": check_requests,
    "listSummaries": list_summaries,
    "listFaultKinds": list_fault_kinds,
    "lintSessions": lint_scope,
}
