"""Which operations around the chat a deployment has. One that it lacks is `not supported`, not failed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from contract_tests.assertions import expect
from contract_tests.deployment.payloads import plain
from contract_tests.verdict import failed, not_supported, not_tested
from contract_tests.wire import stream_rules

if TYPE_CHECKING:
    from contract_tests.deployment.deployment import Deployment
    from contract_tests.wire.exchange import Exchange

#: Statuses of a server that lacks the operation or forbids it; the chat itself accepts the token.
_LACKING = (401, 403, 404, 405, 501)


def listed(deployment: Deployment, operation: str = "listAgents", /, **query: str) -> Exchange:
    """Return the reply to a list; raises the verdict `not supported` if the server has no such list."""
    plain = deployment.ask(operation)
    if plain.status in _LACKING:
        raise not_supported(f"the server has no such list: {plain.described()}")
    return deployment.ask(operation, query=query) if query else plain


def readable(deployment: Deployment) -> bool:
    """Return whether agents can be read by id, as shown by the agent under test."""
    return deployment.ask("getAgent").status == expect.OK


def page(exchange: Exchange) -> dict[str, Any]:
    """Return the JSON object of a list; a success without one fails."""
    value = exchange.json()
    if exchange.status != expect.OK or exchange.failure:
        raise not_tested(f"no list to look at: {exchange.described()}")
    if not isinstance(value, dict):
        raise failed("a list, which is an object", exchange.described(), exchange)
    return value


def items(exchange: Exchange) -> list[dict[str, Any]]:
    """Return the objects in a list's `data`."""
    data = page(exchange).get("data")
    return [item for item in data if isinstance(item, dict)] if isinstance(data, list) else []


def ids(exchange: Exchange) -> list[str]:
    """Return the ids in a list, in its order."""
    return [str(item.get("id")) for item in items(exchange)]


def conforming(deployment: Deployment, exchange: Exchange, *, within: str = "", without: str = "\0") -> None:
    """Require an answer as documented; only faults below `within` count, and none below `without`."""
    if exchange.given_up:
        raise not_tested(f"the answer was not read to its end: {exchange.described()}")
    faults = [fault for fault in deployment.conformity_of(exchange).faults(exchange) if fault.startswith(within)]
    if found := [fault for fault in faults if not fault.startswith(without)]:
        raise failed("an answer as the document describes it", "; ".join(found), exchange)


def changing(exchange: Exchange) -> Exchange:
    """Return the reply to a change; raises the verdict `not supported` if the server does not allow it."""
    if exchange.status in _LACKING:
        raise not_supported(f"the server does not do that: {exchange.described()}")
    return exchange


def models(deployment: Deployment, kind: str) -> list[str]:
    """Return the ids of the models of a kind, `COMPLETIONS` or `EMBEDDINGS`; models without a kind count as both."""
    return [str(item["id"]) for item in items(listed(deployment, "listModels")) if _may_be(item, kind)]


def _may_be(item: Mapping[str, Any], kind: str) -> bool:
    return "id" in item and item.get("model_type") in (None, kind)


def a_model(deployment: Deployment, kind: str) -> str:
    """Return a model of a kind, the agent's own if possible; raises the verdict `not supported` without one."""
    found = models(deployment, kind)
    own = own_model(deployment)
    if not found:
        raise not_supported(f"the list of models has none of {kind}")
    return own if own in found and kind == "COMPLETIONS" else found[0]


def own_model(deployment: Deployment) -> str:
    """Return the agent's model as it is configured if that can be read, else as answers name it."""
    read = deployment.ask("getAgent")
    value = read.json() if read.status == expect.OK else None
    model = value.get("model") if isinstance(value, dict) else None
    return model if isinstance(model, str) and model else answering_model(deployment)


def answering_model(deployment: Deployment) -> str:
    """Return the model that answers for the agent under test, by the name that the answer gives it."""
    return str(expect.answer(deployment.chat(plain())).get("model"))


def offered(exchange: Exchange, *known: int) -> Exchange:
    """Return the reply to a request; raises the verdict `not supported` if the server lacks the operation.

    `known` are further statuses of a server that has the operation.
    """
    if exchange.status in _LACKING and exchange.status not in known:
        raise not_supported(f"the server has no such operation: {exchange.described()}")
    return exchange


def ends_with_done(exchange: Exchange) -> None:
    """Require a stream of chunks that ends with `[DONE]`."""
    if exchange.status != expect.OK or exchange.media_type != "text/event-stream":
        raise failed("a stream of events", exchange.described(), exchange)
    seen = exchange.events
    data = [event.data for event in seen.events]
    if not stream_rules.chunks(seen) or data[-1:] != ["[DONE]"] or data.count("[DONE]") != 1:
        raise failed("chunks, and [DONE] once and last", json.dumps(data[-2:]), exchange)
