"""Indexings: started, read and cancelled with `--manage`."""

from __future__ import annotations

from typing import Any

import pytest

from contract_tests.assertions import expect
from contract_tests.assertions.agents import fields_of
from contract_tests.assertions.knowledge import (
    CONTENT,
    ENDED,
    a_document,
    create_base,
    create_index,
    made,
    path_of,
    path_of_document,
    settled,
    upload,
)
from contract_tests.assertions.resources import changing, conforming, ids, offered
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.managed_objects import as_text
from contract_tests.verdict import failed, no_further_finding, not_tested
from contract_tests.wire.exchange import Exchange

KNOWN = ("PENDING", *ENDED)


@pytest.mark.clause("indexings.upload-starts")
def test_an_upload_starts_an_indexing(deployment: Deployment) -> None:
    """It is listed; some deployments index only when they are asked to."""
    path = path_of_document(made(a_document(deployment), "document"))
    exchange = offered(deployment.ask("listIndexings", parameters=path))
    conforming(deployment, exchange)
    if not ids(exchange):
        raise failed("an indexing", "none", exchange)


@pytest.mark.clause("indexings.create")
def test_two_indexings_can_be_started(deployment: Deployment) -> None:
    """One runs, the other waits."""
    for exchange in started(deployment)[:2]:
        expect.status(exchange, 200, 201, 202)


@pytest.mark.clause("indexings.conforms")
def test_a_started_indexing_has_its_form(deployment: Deployment) -> None:
    """In the answer to the create."""
    exchange = started(deployment)[0]
    made(exchange, "indexing")
    conforming(deployment, exchange)


@pytest.mark.clause("indexings.object")
def test_a_started_indexing_has_its_object_type(deployment: Deployment) -> None:
    """The published page does not name it."""
    exchange = started(deployment)[0]
    if made(exchange, "indexing").get("object") != "indexing":
        raise failed('object "indexing"', as_text(made(exchange, "indexing").get("object")), exchange)


@pytest.mark.clause("indexings.indexing-waiting")
def test_a_third_indexing_is_refused(deployment: Deployment) -> None:
    """While the first one runs and the second one waits."""
    first, waiting, third = started(deployment)
    made(waiting, "indexing")
    running = deployment.ask("getIndexing", parameters=own(made(first, "indexing")), again=100)
    if fields_of(running).get("state") in ENDED:
        raise not_tested("the first indexing has ended meanwhile")
    expect.refused(third)


@pytest.mark.clause("indexings.get")
def test_an_indexing_is_answered_under_its_id(deployment: Deployment) -> None:
    """It has its form, and is of the same index."""
    indexing = made(started(deployment)[0], "indexing")
    exchange = offered(deployment.ask("getIndexing", parameters=own(indexing)), expect.NOT_FOUND)
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange)
    if fields_of(exchange).get("id") != indexing["id"]:
        raise failed(f"the indexing {indexing['id']}", as_text(exchange.json()), exchange)


@pytest.mark.clause("indexings.state")
def test_an_indexing_has_a_known_state(deployment: Deployment) -> None:
    """Right after it was started."""
    exchange = started(deployment)[0]
    if made(exchange, "indexing").get("state") not in KNOWN:
        raise failed(" or ".join(KNOWN), as_text(made(exchange, "indexing").get("state")), exchange)


@pytest.mark.clause("indexings.indexing-unknown")
def test_an_unknown_indexing_is_refused(deployment: Deployment) -> None:
    """Of an index that exists."""
    path = path_of_document(made(started(deployment)[0], "indexing"))
    unknown = {**path, "indexing_id": deployment.unknown_id("indexing")}
    exchange = deployment.ask("getIndexing", parameters=unknown)
    if exchange.status in (401, 403, 405, 501):
        raise no_further_finding(f"the server does not do that: {exchange.described()}")
    expect.status(exchange, expect.NOT_FOUND)


@pytest.mark.clause("indexings.active")
def test_the_active_indexing_is_one_that_has_not_ended(deployment: Deployment) -> None:
    """Right after one was started in an index of its own."""
    path = path_of(an_index(deployment, "-9"))
    started_one = made(changing(deployment.ask("createIndexing", parameters=path)), "indexing")
    exchange = offered(deployment.ask("getActiveIndexing", parameters=path), expect.NOT_FOUND)
    if exchange.status == expect.NOT_FOUND:
        raise not_tested("the indexing has ended meanwhile")
    conforming(deployment, exchange)
    if fields_of(exchange).get("id") != started_one["id"]:
        raise failed(f"the indexing {started_one['id']}", as_text(exchange.json()), exchange)


@pytest.mark.clause("indexings.active-none")
def test_no_indexing_is_active_in_a_new_index(deployment: Deployment) -> None:
    """Nothing was uploaded."""
    path = path_of(an_index(deployment, "-10"))
    expect.status(offered(deployment.ask("getActiveIndexing", parameters=path), expect.NOT_FOUND), expect.NOT_FOUND)


@pytest.mark.clause("indexings.cancel")
def test_an_indexing_can_be_cancelled(deployment: Deployment) -> None:
    """Right after an upload has started it."""
    exchange, _ = cancelled(deployment)
    expect.status(exchange, 200, 202, 204)


@pytest.mark.clause("indexings.cancelled")
def test_a_cancelled_indexing_ends_as_cancelled(deployment: Deployment) -> None:
    """Its document does too."""
    exchange, document = cancelled(deployment)
    expect.status(exchange, 200, 202, 204)
    last = settled(deployment, "getIndexing", path_of_indexing(exchange))
    if fields_of(last).get("state") == "DONE":
        raise not_tested("the indexing was done before it was cancelled")
    read = settled(deployment, "getDocument", {**path_of_document(document), "document_id": str(document["id"])})
    for one in (last, read):
        if fields_of(one).get("state") != "CANCELLED":
            raise failed("state CANCELLED", as_text(fields_of(one).get("state")), exchange, one)


def an_index(deployment: Deployment, label: str) -> dict[str, Any]:
    """Create an index in a knowledge base of its own."""
    return made(create_index(deployment, made(create_base(deployment, label))["id"], label), "index")


def started(deployment: Deployment) -> tuple[Exchange, Exchange, Exchange]:
    """Start three indexings of an index of their own, one after the other; return the exchanges."""
    path = path_of(an_index(deployment, "-8"))
    first, waiting, third = (changing(deployment.ask("createIndexing", parameters=path, again=n)) for n in range(3))
    if first.status == expect.BAD_REQUEST:
        raise not_tested(f"uploads alone start indexings: {first.described()}")
    return first, waiting, third


def own(indexing: dict[str, Any]) -> dict[str, str]:
    """Return the parameters of a path that names an indexing."""
    return {**path_of_document(indexing), "indexing_id": str(indexing["id"])}


def path_of_indexing(exchange: Exchange) -> dict[str, str]:
    """Return the parameters of the path that a cancel was sent to."""
    parts = exchange.request.path.split("/")
    return {"knowledge_base_id": parts[-6], "index_id": parts[-4], "indexing_id": parts[-2]}


def cancelled(deployment: Deployment) -> tuple[Exchange, dict[str, Any]]:
    """Upload a document, and cancel its indexing at once; return the exchange and the document."""
    path = path_of(an_index(deployment, "-11"))
    document = made(upload(deployment, path, "cancelled.txt", CONTENT), "document")
    indexing = document.get("last_indexed_by_id") or fields_of(
        deployment.ask("getActiveIndexing", parameters=path)
    ).get("id")
    if not indexing:
        raise not_tested("no indexing is known that could be cancelled")
    return changing(deployment.ask("cancelIndexing", parameters={**path, "indexing_id": str(indexing)})), document
