"""Checks before the first clause that the deployment answers, and finds the reason if it doesn't."""

from __future__ import annotations

from typing import TYPE_CHECKING

from contract_tests.deployment.cold_start import COLD, Notify, warm_up
from contract_tests.deployment.payloads import plain
from contract_tests.wire.exchange import Exchange

if TYPE_CHECKING:
    from contract_tests.deployment.client import DeploymentClient

METHOD_NOT_ALLOWED = 405
_REDIRECTS = range(300, 400)
_SERVER_ERRORS = range(500, 600)


def reason_not_to_test(client: DeploymentClient, unknown_agent: str, warmup: float, notify: Notify) -> str:
    """Return why the deployment can't be judged, or an empty string; `unknown_agent` is an id that no agent has.

    One plain request is sent; more of them, for `warmup` seconds, if a gateway reports that no model is ready,
    or if nothing answers; and up to three more if the answer is 404.
    """
    exchange = warm_up(client, warmup, notify).exchange
    if not exchange.status:
        return f"{client.target.root} is unreachable: {exchange.failure}"
    if exchange.status in (401, 403):
        return _token(client, exchange)
    if exchange.status in (404, METHOD_NOT_ALLOWED):
        return _not_found(client, exchange, unknown_agent)
    if exchange.status in _REDIRECTS:
        return f"{exchange.url} redirects to {exchange.header('location')}: give the URL that it leads to"
    if exchange.status in _SERVER_ERRORS:
        waited = f", after {warmup:g} s of waiting" if exchange.status in COLD else ""
        return f"the server fails on a plain request{waited}: {exchange.described()}"
    return ""


def still_alive(client: DeploymentClient) -> str:
    """Return why the deployment no longer answers a plain request that it answered before, or an empty string."""
    if client.budget.left <= 0:
        return ""
    client.budget.spend()
    first = client.chat(plain())
    exchange = client.send(first.request, first.url)
    if not exchange.status:
        return f"{client.target.root} no longer answers: {exchange.failure}"
    if exchange.status in (401, 403):
        return f"the server no longer takes the token: {exchange.described()}"
    return ""


def _token(client: DeploymentClient, exchange: Exchange) -> str:
    if client.credentials:
        return f"the server refuses the token: {exchange.described()}"
    return f"the server asks for a token ({exchange.described()}): give one with --token-env VARIABLE"


def _not_found(client: DeploymentClient, exchange: Exchange, unknown_agent: str) -> str:
    """Distinguish an unknown path from an unknown agent: compare with requests in which surely only one is unknown."""
    agent = dict(client.target.parameters).get("agent_id", "")
    other_agent = client.chat(plain(), parameters={"agent_id": unknown_agent})
    other_path = client.get(f"{exchange.url}-unknown")
    like_agent = _likeness(other_agent, unknown_agent) == _likeness(exchange, agent)
    like_path = _likeness(other_path, agent) == _likeness(exchange, agent)
    # A path that exists refuses GET, whatever the agent is.
    there = client.get(exchange.url).status == METHOD_NOT_ALLOWED
    if exchange.status == METHOD_NOT_ALLOWED or (like_path and not like_agent):
        reason = f"the server has no such path: {exchange.url}; is the base URL right?"
    elif there or (like_agent and not like_path):
        reason = f"the server knows no agent {agent!r}: give one with --agent-id"
    else:
        reason = f"the server has no such path ({exchange.url}), or no agent {agent!r}: it answers both alike"
    return f"{reason} ({exchange.described()})"


def _likeness(exchange: Exchange, agent: str) -> tuple[int, str, str]:
    text = exchange.body.decode("utf-8", "replace")
    return exchange.status, exchange.media_type, text.replace(agent, "{agent}").replace(exchange.request.path, "{path}")
