"""Indexes of knowledge bases: created, read and searched with `--manage`."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_contract.messages import JSON
from contract_tests.assertions import expect
from contract_tests.assertions.agents import fields_of
from contract_tests.assertions.knowledge import (
    QUESTION,
    a_base,
    a_base_in_use,
    an_index,
    another_base,
    create_index,
    indexed,
    made,
    path_of,
    path_of_document,
    second,
    settled,
)
from contract_tests.assertions.resources import changing, conforming, ids, items, offered
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.managed_objects import as_text
from contract_tests.verdict import failed, no_further_finding, not_tested
from contract_tests.wire.exchange import Exchange

#: What a create is refused for, by the clause's name; null leaves a field out.
REFUSED: dict[str, dict[str, JSON]] = {
    "endpoint-required": {"embeddings_model_endpoint": None},
    "splitting-required": {"text_splitting": None},
    "chunk-size-required": {"chunk_size": None},
    "chunk-size-bound": {"chunk_size": 99},
    "overlap-bound": {"chunk_overlap": -1},
    "name-length": {"name": "n" * 257},
}


@pytest.mark.clause("indexes.create")
def test_an_index_is_created(deployment: Deployment) -> None:
    """In a knowledge base of the run's own."""
    exchange = an_index(deployment)
    if exchange.status in (expect.BAD_REQUEST, expect.UNPROCESSABLE):
        raise not_tested(f"the values of text_splitting are not published: {exchange.described()}")
    expect.status(exchange, 200, 201)
    made(exchange, "index")


@pytest.mark.clause("indexes.create-status")
def test_a_create_is_answered_with_201(deployment: Deployment) -> None:
    """As that of a knowledge base is."""
    exchange = an_index(deployment)
    made(exchange, "index")
    expect.status(exchange, 201)


@pytest.mark.clause("indexes.conforms")
def test_a_created_index_has_its_form(deployment: Deployment) -> None:
    """In the answer to the create."""
    exchange = an_index(deployment)
    made(exchange, "index")
    conforming(deployment, exchange)


@pytest.mark.clause("indexes.conforms")
def test_each_index_in_a_list_has_its_form(deployment: Deployment) -> None:
    """Those of the run's own knowledge base."""
    exchange = listed_indexes(deployment)
    if not items(exchange):
        raise no_further_finding("the list is empty")
    conforming(deployment, exchange, within="data/")


@pytest.mark.clause("indexes.created-fields")
def test_a_created_index_has_what_was_sent(deployment: Deployment) -> None:
    """Each field as it was, and its knowledge base."""
    exchange = an_index(deployment)
    value, sent = made(exchange, "index"), json.loads(exchange.request.body)
    wanted = {**sent, "knowledge_base_id": made(a_base(deployment))["id"]}
    wrong = {name: value.get(name) for name in wanted if value.get(name) != wanted[name]}
    if wrong:
        raise failed(as_text({name: wanted[name] for name in wrong}), as_text(wrong), exchange)


@pytest.mark.clause("indexes.object")
def test_a_created_index_has_its_object_type(deployment: Deployment) -> None:
    """A server may leave it out."""
    exchange = an_index(deployment)
    if made(exchange, "index").get("object", "index") != "index":
        raise failed('object "index"', as_text(made(exchange, "index").get("object")), exchange)


@pytest.mark.clause("indexes.limits-accepted")
def test_the_smallest_numbers_are_accepted(deployment: Deployment) -> None:
    """Chunks of 100 tokens without an overlap."""
    exchange = an_index(deployment)
    if exchange.status in (expect.BAD_REQUEST, expect.UNPROCESSABLE) and b"chunk" not in exchange.body:
        raise not_tested(f"something else is refused: {exchange.described()}")
    expect.status(exchange, 200, 201)


@pytest.mark.clause("indexes.overlap-default")
def test_the_default_overlap_is_none(deployment: Deployment) -> None:
    """A server may leave it out."""
    exchange = create_index(deployment, made(another_base(deployment))["id"], "-2")
    if made(exchange, "index").get("chunk_overlap", 0) != 0:
        raise failed("chunk_overlap 0", as_text(made(exchange, "index").get("chunk_overlap")), exchange)


@pytest.mark.parametrize(
    "fields",
    [pytest.param(fields, marks=pytest.mark.clause(f"indexes.{name}"), id=name) for name, fields in REFUSED.items()],
)
def test_an_invalid_index_is_refused(deployment: Deployment, fields: dict[str, JSON]) -> None:
    """One that differs in a field is created."""
    made(an_index(deployment), "index")
    exchange = create_index(deployment, made(a_base(deployment))["id"], "-invalid", **fields)
    expect.status(exchange, expect.UNPROCESSABLE)


@pytest.mark.clause("indexes.endpoint-unknown")
def test_an_index_of_an_unknown_model_is_refused(deployment: Deployment) -> None:
    """The published page documents no status."""
    made(an_index(deployment), "index")
    fields: dict[str, JSON] = {"embeddings_model_endpoint": "no-such-model"}
    exchange = create_index(deployment, made(a_base(deployment))["id"], "-invalid", **fields)
    expect.status(exchange, expect.BAD_REQUEST)


@pytest.mark.clause("indexes.created-listed")
def test_a_created_index_is_listed(deployment: Deployment) -> None:
    """In its own knowledge base."""
    index = made(an_index(deployment), "index")
    exchange = listed_indexes(deployment)
    if index["id"] not in ids(exchange):
        raise failed(f"a list with {index['id']}", f"one of {len(ids(exchange))} others", exchange)


@pytest.mark.clause("indexes.get")
def test_a_created_index_is_answered_as_it_was_created(deployment: Deployment) -> None:
    """Field by field, but for what may change by itself."""
    index = made(an_index(deployment), "index")
    exchange = offered(deployment.ask("getIndex", parameters=path_of(index)), expect.NOT_FOUND)
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange)
    names = ("id", "name", "description", "embeddings_model_endpoint", "chunk_size", "knowledge_base_id", "created_at")
    found = {name for name in names if name in index and fields_of(exchange).get(name) != index[name]}
    if found:
        raise failed(f"as it was created: {as_text(index)}", f"other {', '.join(sorted(found))}", exchange)


@pytest.mark.clause("indexes.num-documents")
def test_a_new_index_has_no_documents(deployment: Deployment) -> None:
    """A server may leave the number out."""
    index = made(an_index(deployment), "index")
    exchange = deployment.ask("getIndex", parameters=path_of(index))
    if fields_of(exchange).get("num_documents", 0) not in (0, None):
        raise failed("num_documents 0", as_text(fields_of(exchange).get("num_documents")), exchange)


@pytest.mark.clause("indexes.status")
def test_a_new_index_is_available(deployment: Deployment) -> None:
    """A server may need a moment for it."""
    index = made(an_index(deployment), "index")
    exchange = deployment.ask("getIndex", parameters=path_of(index))
    if fields_of(exchange).get("status") != "AVAILABLE":
        raise failed('status "AVAILABLE"', as_text(fields_of(exchange).get("status")), exchange)


@pytest.mark.clause("indexes.index-unknown")
@pytest.mark.parametrize("operation", ["getIndex", "searchIndex"])
def test_an_unknown_index_is_refused(deployment: Deployment, operation: str) -> None:
    """Of a knowledge base that exists."""
    base = made(a_base(deployment))["id"]
    unknown = {"knowledge_base_id": base, "index_id": deployment.unknown_id("index")}
    body: JSON = {"text": "?"} if operation == "searchIndex" else None
    exchange = deployment.ask(operation, body, parameters=unknown)
    if exchange.status in (401, 403, 405, 501):
        raise no_further_finding(f"the server does not do that: {exchange.described()}")
    expect.status(exchange, expect.NOT_FOUND)


@pytest.mark.clause("indexes.update")
def test_an_update_changes_the_description(deployment: Deployment) -> None:
    """Some deployments have no such operation."""
    index = made(create_index(deployment, made(another_base(deployment))["id"], "-2"), "index")
    changed = changing(deployment.ask("updateIndex", {"description": "It was changed."}, parameters=path_of(index)))
    expect.status(changed, expect.OK)
    exchange = deployment.ask("getIndex", parameters=path_of(index), again=1)
    if fields_of(exchange).get("description") != "It was changed.":
        raise failed("the new description", as_text(fields_of(exchange).get("description")), changed, exchange)


@pytest.mark.clause("indexes.embedding-kept")
def test_an_update_does_not_change_how_an_index_embeds(deployment: Deployment) -> None:
    """A server may refuse the update, or ignore the field."""
    index = made(create_index(deployment, made(another_base(deployment))["id"], "-2"), "index")
    update = changing(deployment.ask("updateIndex", {"chunk_size": 500}, parameters=path_of(index)))
    exchange = deployment.ask("getIndex", parameters=path_of(index), again=2)
    if fields_of(exchange).get("chunk_size") != index.get("chunk_size"):
        raise failed(f"chunk_size {index.get('chunk_size')}", as_text(exchange.json()), update, exchange)


@pytest.mark.clause("indexes.delete")
def test_a_deleted_index_is_gone(deployment: Deployment) -> None:
    """Some deployments have no such operation."""
    index = made(create_index(deployment, made(another_base(deployment))["id"], "-3"), "index")
    expect.status(changing(deployment.ask("deleteIndex", parameters=path_of(index))), expect.OK, 204)
    expect.status(deployment.ask("getIndex", parameters=path_of(index), again=1), expect.NOT_FOUND)


@pytest.mark.clause("indexes.delete-linked")
def test_an_index_that_an_agent_uses_is_not_deleted(deployment: Deployment) -> None:
    """As its knowledge base is not."""
    _, index = a_base_in_use(deployment)
    expect.status(changing(deployment.ask("deleteIndex", parameters=path_of(index))), 409)


@pytest.mark.clause("indexes.search")
def test_a_search_is_answered_with_chunks(deployment: Deployment) -> None:
    """With none, if the index is empty."""
    exchange = searched(deployment, {"text": "borrowed books"})
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange)


@pytest.mark.clause("indexes.search-text-required")
def test_a_search_without_a_text_is_refused(deployment: Deployment) -> None:
    """Another search of the same index is answered."""
    expect.status(searched(deployment, {"text": "borrowed books"}), expect.OK)
    expect.status(searched(deployment, {"top_k": 1}), expect.UNPROCESSABLE)


@pytest.mark.clause("indexes.search-form")
def test_a_chunk_has_all_its_fields(deployment: Deployment) -> None:
    """Of an uploaded document."""
    exchange = found(deployment, {"text": QUESTION})
    for chunk in chunks(exchange):
        missing = {"text", "score", "document_id", "origin_name", "origin_ref", "media_type"} - chunk.keys()
        if missing:
            raise failed("a chunk with all fields", f"one without {', '.join(sorted(missing))}", exchange)


@pytest.mark.clause("indexes.search-top-k")
def test_a_search_finds_no_more_than_top_k_chunks(deployment: Deployment) -> None:
    """One, though two documents share a word with the text."""
    exchange = found(deployment, {"text": "lighthouse", "top_k": 1})
    if len(chunks(exchange)) != 1:
        raise failed("one chunk", f"{len(chunks(exchange))} chunks", exchange)


@pytest.mark.clause("indexes.search-top-k-default")
def test_a_search_finds_two_chunks_by_default(deployment: Deployment) -> None:
    """Though three documents share a word with the text."""
    exchange = found(deployment, {"text": "lighthouse"})
    if len(chunks(exchange)) > 2:
        raise failed("two chunks", f"{len(chunks(exchange))} chunks", exchange)


@pytest.mark.clause("indexes.search-cutoff")
def test_a_search_leaves_out_chunks_below_the_cutoff(deployment: Deployment) -> None:
    """The cutoff is between the scores of two chunks, or above that of the only one."""
    exchange = found(deployment, {"text": "lighthouse", "top_k": 3})
    scores = sorted(
        (one["score"] for one in chunks(exchange) if isinstance(one.get("score"), int | float)), reverse=True
    )
    if not scores:
        raise not_tested("the chunks have no scores")
    cutoff = (scores[0] + scores[-1]) / 2 if scores[0] > scores[-1] else scores[0] + abs(scores[0]) * 0.01 + 1e-6
    fewer = found(deployment, {"text": "lighthouse", "top_k": 3, "similarity_cutoff": cutoff}, none_too=True)
    below = [one.get("score") for one in chunks(fewer) if one.get("score", cutoff) < cutoff]
    if below:
        raise failed(f"no chunk with a score below {cutoff}", as_text(below), exchange, fewer)


@pytest.mark.clause("indexes.search-unknown-keys")
def test_unknown_keys_of_a_search_are_ignored(deployment: Deployment) -> None:
    """The names are those that other services have."""
    expect.status(found(deployment, {"text": QUESTION, "query": "nothing", "top_n": 0}), expect.OK)


def chunks(exchange: Exchange) -> list[dict[str, Any]]:
    """Return the chunks that a search has found."""
    listed = fields_of(exchange).get("chunks")
    return [one for one in listed if isinstance(one, dict)] if isinstance(listed, list) else []


def found(deployment: Deployment, body: JSON, none_too: bool = False) -> Exchange:
    """Search uploaded documents when they are indexed; raises `not tested` if nothing is found, unless it may be."""
    document = fields_of(indexed(deployment))
    last = second(deployment)
    settled(deployment, "getDocument", {**path_of_document(last), "document_id": last["id"]})
    exchange = offered(deployment.ask("searchIndex", body, parameters=path_of_document(document)))
    if not none_too and exchange.status == expect.OK and not chunks(exchange):
        raise not_tested(f"the search finds nothing; the document is {document.get('state')}")
    return exchange


def searched(deployment: Deployment, body: JSON) -> Exchange:
    """Search the run's own index; raises the verdict `not supported` if the server has no such operation."""
    index = made(an_index(deployment), "index")
    return offered(deployment.ask("searchIndex", body, parameters=path_of(index)))


def listed_indexes(deployment: Deployment) -> Exchange:
    """List the indexes of the run's own knowledge base, after one was created."""
    index = made(an_index(deployment), "index")
    own = {"knowledge_base_id": str(index.get("knowledge_base_id"))}
    return offered(deployment.ask("listIndexes", parameters=own))
