"""Knowledge bases: listed, and with `--manage` created, changed and deleted."""

from __future__ import annotations

import json
import time

import pytest

from agent_contract.messages import JSON
from contract_tests.assertions import expect
from contract_tests.assertions.agents import fields_of
from contract_tests.assertions.clock import A_DAY, server_time
from contract_tests.assertions.knowledge import (
    BASES,
    a_base,
    a_base_in_use,
    another_base,
    create_base,
    made,
    refused_body,
)
from contract_tests.assertions.resources import changing, conforming, ids, items, listed
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.managed_objects import as_text
from contract_tests.verdict import failed, no_further_finding, not_supported, not_tested
from contract_tests.wire.exchange import Exchange

#: What a create is refused for, by the clause's name; null leaves a field out.
REFUSED: dict[str, dict[str, JSON]] = {
    "origin-required": {"data_origin_type": None},
    "policy-required": {"index_refresh_policy": None},
    "origin-unknown": {"data_origin_type": "SOMEWHERE"},
    "name-length": {"name": "n" * 257},
}


@pytest.mark.clause("knowledge-bases.create")
def test_a_knowledge_base_is_created(deployment: Deployment) -> None:
    """It is answered with 201."""
    exchange = a_base(deployment)
    if exchange.status in (expect.BAD_REQUEST, expect.UNPROCESSABLE):
        raise not_tested(f"the policies of knowledge bases are not published: {exchange.described()}")
    expect.status(exchange, 201)
    made(exchange)


@pytest.mark.clause("knowledge-bases.conforms")
def test_a_created_knowledge_base_has_its_form(deployment: Deployment) -> None:
    """In the answer to the create."""
    exchange = a_base(deployment)
    made(exchange)
    conforming(deployment, exchange)


@pytest.mark.clause("knowledge-bases.conforms")
def test_each_knowledge_base_in_a_list_has_its_form(deployment: Deployment) -> None:
    """All that exist, also those of others; their status has a clause of its own."""
    exchange = listed(deployment, BASES)
    if not items(exchange):
        raise no_further_finding("the list is empty")
    conforming(deployment, exchange, within="data/")


@pytest.mark.clause("knowledge-bases.created-fields")
def test_a_created_knowledge_base_has_what_was_sent(deployment: Deployment) -> None:
    """Each field as it was."""
    exchange = a_base(deployment)
    value, sent = made(exchange), json.loads(exchange.request.body)
    wrong = {
        name: value.get(name) for name in ("name", "description", "data_origin_type") if value.get(name) != sent[name]
    }
    if wrong:
        raise failed(as_text({name: sent[name] for name in wrong}), as_text(wrong), exchange)


@pytest.mark.clause("knowledge-bases.object")
def test_a_created_knowledge_base_has_its_object_type(deployment: Deployment) -> None:
    """A server may leave it out."""
    exchange = a_base(deployment)
    if made(exchange).get("object", "knowledge_base") != "knowledge_base":
        raise failed('object "knowledge_base"', as_text(made(exchange).get("object")), exchange)


@pytest.mark.clause("knowledge-bases.created-at")
def test_a_created_knowledge_base_has_its_time_of_creation(deployment: Deployment) -> None:
    """By the server's own clock if a reply has a `Date`."""
    exchange = a_base(deployment)
    moment, date = made(exchange).get("created_at"), server_time(exchange)
    now = time.time() if date is None else date
    if not isinstance(moment, int) or abs(now - moment) > A_DAY:
        raise failed(f"created_at near {int(now)}", as_text(moment), exchange)


@pytest.mark.clause("knowledge-bases.created-listed")
def test_a_created_knowledge_base_is_listed(deployment: Deployment) -> None:
    """Among the newest, or the oldest if the server ignores the order."""
    base = made(a_base(deployment))
    exchange = listed(deployment, BASES, order="desc", limit="999")
    if base["id"] not in [*ids(exchange), *ids(listed(deployment, BASES, order="asc", limit="999"))]:
        raise failed(f"a list with {base['id']}", f"one of {len(ids(exchange))} others", exchange)


@pytest.mark.clause("knowledge-bases.get")
def test_a_created_knowledge_base_is_answered_as_it_was_created(deployment: Deployment) -> None:
    """Field by field, but for what may change by itself."""
    base = made(a_base(deployment))
    exchange = read(deployment, base["id"])
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange)
    names = ("id", "name", "description", "data_origin_type", "index_refresh_policy", "created_at")
    found = {name for name in names if name in base and fields_of(exchange).get(name) != base[name]}
    if found:
        raise failed(f"as it was created: {as_text(base)}", f"other {', '.join(sorted(found))}", exchange)


@pytest.mark.clause("knowledge-bases.status")
def test_each_knowledge_base_has_a_known_status(deployment: Deployment) -> None:
    """All that exist, also those of others."""
    exchange = listed(deployment, BASES)
    if not items(exchange):
        raise not_tested("the list is empty")
    for item in items(exchange):
        if item.get("status") not in ("AVAILABLE", "ERROR", "NOT_CONFIGURED"):
            raise failed("AVAILABLE, ERROR or NOT_CONFIGURED", as_text(item.get("status")), exchange)


@pytest.mark.clause("knowledge-bases.base-unknown")
@pytest.mark.parametrize("operation", ["getKnowledgeBase", "updateKnowledgeBase", "deleteKnowledgeBase"])
def test_an_unknown_knowledge_base_is_refused(deployment: Deployment, operation: str) -> None:
    """If there are any at all."""
    listed(deployment, BASES)
    unknown = {"knowledge_base_id": deployment.unknown_id("knowledge base")}
    body: JSON = {"description": "?"} if operation == "updateKnowledgeBase" else None
    exchange = deployment.ask(operation, body, parameters=unknown)
    if exchange.status in (401, 403, 405, 501):
        raise no_further_finding(f"the server does not do that: {exchange.described()}")
    expect.status(exchange, expect.NOT_FOUND)


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param(fields, marks=pytest.mark.clause(f"knowledge-bases.{name}"), id=name)
        for name, fields in REFUSED.items()
    ],
)
def test_an_invalid_knowledge_base_is_refused(deployment: Deployment, fields: dict[str, JSON]) -> None:
    """One that differs in a field is created."""
    body = refused_body(deployment, **fields)
    expect.status(changing(deployment.ask("createKnowledgeBase", body)), expect.UNPROCESSABLE)


@pytest.mark.clause("knowledge-bases.update")
def test_an_update_changes_what_it_has_and_nothing_else(deployment: Deployment) -> None:
    """The description; looked at in the answer and once more."""
    base = made(another_base(deployment))
    own = {"knowledge_base_id": base["id"]}
    changed = changing(deployment.ask("updateKnowledgeBase", {"description": "It was changed."}, parameters=own))
    expect.status(changed, expect.OK)
    wanted = {
        "name": base.get("name"),
        "description": "It was changed.",
        "data_origin_type": base.get("data_origin_type"),
    }
    for exchange in (changed, read(deployment, base["id"], again=1)):
        found = {name: fields_of(exchange).get(name) for name in wanted}
        if found != wanted:
            raise failed(as_text(wanted), as_text(found), exchange)


@pytest.mark.clause("knowledge-bases.origin-kept")
def test_an_update_does_not_change_the_origin(deployment: Deployment) -> None:
    """A server may refuse the update, or ignore the field."""
    base = made(create_base(deployment, "-3"))
    own = {"knowledge_base_id": base["id"]}
    update = changing(deployment.ask("updateKnowledgeBase", {"data_origin_type": "DATA_SOURCES"}, parameters=own))
    expect.no_server_error(update)
    exchange = read(deployment, base["id"])
    if fields_of(exchange).get("data_origin_type") != "LOCAL_FILES":
        raise failed(
            "data_origin_type LOCAL_FILES", as_text(fields_of(exchange).get("data_origin_type")), update, exchange
        )


@pytest.mark.clause("knowledge-bases.delete")
def test_a_deletion_names_what_it_has_deleted(deployment: Deployment) -> None:
    """The knowledge base was created for it."""
    id, exchange = deleted(deployment)
    expect.status(exchange, expect.OK)
    found = {name: fields_of(exchange).get(name) for name in ("id", "deleted")}
    if found != {"id": id, "deleted": True}:
        raise failed(as_text({"id": id, "deleted": True}), as_text(exchange.json()), exchange)


@pytest.mark.clause("knowledge-bases.deleted-gone")
def test_a_deleted_knowledge_base_is_gone(deployment: Deployment) -> None:
    """Neither found nor listed."""
    id, exchange = deleted(deployment)
    if exchange.status != expect.OK:
        raise not_supported(f"the server does not delete it: {exchange.described()}")
    expect.status(read(deployment, id), expect.NOT_FOUND)
    after = listed(deployment, BASES, order="desc", limit="999")
    if id in ids(after):
        raise failed(f"a list without {id}", "one with it", after)


@pytest.mark.clause("knowledge-bases.linked-agents")
def test_a_knowledge_base_counts_the_agents_that_use_it(deployment: Deployment) -> None:
    """One agent uses its index."""
    base, _ = a_base_in_use(deployment)
    exchange = read(deployment, base["id"])
    if fields_of(exchange).get("num_linked_agents") != 1:
        raise failed("num_linked_agents 1", as_text(fields_of(exchange).get("num_linked_agents")), exchange)


@pytest.mark.clause("knowledge-bases.delete-linked")
def test_a_knowledge_base_that_an_agent_uses_is_not_deleted(deployment: Deployment) -> None:
    """It can still be read afterwards."""
    base, _ = a_base_in_use(deployment)
    own = {"knowledge_base_id": base["id"]}
    exchange = changing(deployment.ask("deleteKnowledgeBase", parameters=own))
    expect.status(exchange, 409)
    expect.status(read(deployment, base["id"], again=2), expect.OK)


def read(deployment: Deployment, base: str, again: int = 0) -> Exchange:
    """Read a knowledge base; raises the verdict `not supported` if the server has no such operation."""
    exchange = deployment.ask("getKnowledgeBase", parameters={"knowledge_base_id": base}, again=again)
    if exchange.status in (405, 501):
        raise not_supported(f"the server does not do that: {exchange.described()}")
    return exchange


def deleted(deployment: Deployment) -> tuple[str, Exchange]:
    """Delete a knowledge base that was created for it; return its id and the exchange."""
    base = made(create_base(deployment, "-4"))
    exchange = changing(deployment.ask("deleteKnowledgeBase", parameters={"knowledge_base_id": base["id"]}))
    return base["id"], exchange
