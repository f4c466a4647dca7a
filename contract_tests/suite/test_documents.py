"""Documents of indexes: uploaded, read, found and deleted with `--manage`."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from contract_tests.assertions import expect
from contract_tests.assertions.agents import create as create_agent
from contract_tests.assertions.agents import created as agent_created
from contract_tests.assertions.agents import fields_of
from contract_tests.assertions.knowledge import (
    CONTENT,
    DOCUMENT,
    QUESTION,
    a_document,
    a_form,
    an_index_of_documents,
    create_base,
    create_index,
    indexed,
    made,
    path_of,
    path_of_document,
    upload,
)
from contract_tests.assertions.resources import changing, conforming, ids, items, listed, offered
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.managed_objects import as_text
from contract_tests.deployment.payloads import plain
from contract_tests.verdict import failed, no_further_finding, not_supported, not_tested
from contract_tests.wire.exchange import Exchange

#: More than a server accepts.
TOO_LARGE = 10 * 1024 * 1024 + 1


@pytest.mark.clause("documents.upload")
def test_a_document_is_uploaded(deployment: Deployment) -> None:
    """A short text."""
    exchange = a_document(deployment)
    expect.status(exchange, 200, 201, 202)
    made(exchange, "document")


@pytest.mark.clause("documents.upload-status")
def test_an_upload_is_answered_with_201(deployment: Deployment) -> None:
    """As the create of a knowledge base is."""
    exchange = a_document(deployment)
    made(exchange, "document")
    expect.status(exchange, 201)


@pytest.mark.clause("documents.conforms")
def test_an_uploaded_document_has_its_form(deployment: Deployment) -> None:
    """In the answer to the upload."""
    exchange = a_document(deployment)
    made(exchange, "document")
    conforming(deployment, exchange)


@pytest.mark.clause("documents.created-fields")
def test_an_uploaded_document_describes_its_file(deployment: Deployment) -> None:
    """A server may leave out what it has not computed yet."""
    exchange = a_document(deployment)
    value = made(exchange, "document")
    index = path_of(an_index_of_documents(deployment))
    wanted = {"origin_name": DOCUMENT, "size_bytes": len(CONTENT), "hash_sha256": hashlib.sha256(CONTENT).hexdigest()}
    wrong = {name: value[name] for name in wanted if value.get(name) is not None and value[name] != wanted[name]}
    wrong |= {name: value.get(name) for name in index if value.get(name) != index[name]}
    if wrong:
        raise failed(as_text({**wanted, **index}), as_text(wrong), exchange)


@pytest.mark.clause("documents.object")
def test_an_uploaded_document_has_its_object_type(deployment: Deployment) -> None:
    """The published page does not name it."""
    exchange = a_document(deployment)
    if made(exchange, "document").get("object") != "document":
        raise failed('object "document"', as_text(made(exchange, "document").get("object")), exchange)


@pytest.mark.clause("documents.list")
def test_documents_are_listed(deployment: Deployment) -> None:
    """Each has its form."""
    exchange = listed_documents(deployment)
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange)


@pytest.mark.clause("documents.uploaded-listed")
def test_an_uploaded_document_is_listed(deployment: Deployment) -> None:
    """In its own index."""
    document = made(a_document(deployment), "document")
    exchange = listed_documents(deployment)
    if document["id"] not in ids(exchange):
        raise failed(f"a list with {document['id']}", f"one of {len(ids(exchange))} others", exchange)


@pytest.mark.clause("documents.get")
def test_an_uploaded_document_is_answered_under_its_id(deployment: Deployment) -> None:
    """Field by field, but for what may change by itself."""
    document = made(a_document(deployment), "document")
    exchange = offered(deployment.ask("getDocument", parameters=own(document)), expect.NOT_FOUND)
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange)
    names = ("id", "origin_name", "index_id", "size_bytes", "hash_sha256")
    found = {name for name in names if document.get(name) and fields_of(exchange).get(name) != document[name]}
    if found:
        raise failed(f"as it was uploaded: {as_text(document)}", f"other {', '.join(sorted(found))}", exchange)


@pytest.mark.clause("documents.state")
def test_a_document_is_done_when_it_is_indexed(deployment: Deployment) -> None:
    """Within half a minute."""
    first = made(a_document(deployment), "document")
    if first.get("state") not in ("PENDING", "DONE"):
        raise failed("state PENDING or DONE", as_text(first.get("state")), a_document(deployment))
    exchange = indexed(deployment)
    if fields_of(exchange).get("state") != "DONE":
        raise failed("state DONE", as_text(fields_of(exchange).get("state")), exchange)


@pytest.mark.clause("documents.searched")
def test_an_uploaded_document_is_found(deployment: Deployment) -> None:
    """By a question whose answer it contains."""
    document = done(deployment)
    exchange = offered(deployment.ask("searchIndex", {"text": QUESTION}, parameters=path_of_document(document)))
    if document["id"] not in exchange.body.decode(errors="replace"):
        raise failed(f"a chunk of {document['id']}", as_text(exchange.json()), exchange)


@pytest.mark.clause("documents.cited")
def test_a_chat_cites_an_uploaded_document(deployment: Deployment) -> None:
    """The agent was created with the index."""
    document = done(deployment)
    agent = agent_created(create_agent(deployment, "-6", index_id=document["index_id"]))
    body = plain(messages=[{"role": "user", "content": QUESTION}])
    exchange = deployment.chat(body, parameters={"agent_id": agent["id"]})
    expect.status(exchange, expect.OK)
    context = fields_of(exchange).get("index_context_info")
    if context is None:
        raise not_supported("answers have no index_context_info")
    if document["id"] not in as_cited(context):
        raise failed(f"index_context_info with {document['id']}", as_text(context), exchange)


@pytest.mark.clause("documents.document-unknown")
@pytest.mark.parametrize("operation", ["getDocument", "deleteDocument"])
def test_an_unknown_document_is_refused(deployment: Deployment, operation: str) -> None:
    """Of an index that exists."""
    unknown = {**path_of(an_index_of_documents(deployment)), "document_id": deployment.unknown_id("document")}
    exchange = deployment.ask(operation, parameters=unknown)
    if exchange.status in (401, 403, 405, 501):
        raise no_further_finding(f"the server does not do that: {exchange.described()}")
    expect.status(exchange, expect.NOT_FOUND)


@pytest.mark.clause("documents.duplicate-name")
def test_a_second_file_of_the_same_name_is_refused(deployment: Deployment) -> None:
    """Even if its content differs."""
    made(a_document(deployment), "document")
    path = path_of(an_index_of_documents(deployment))
    expect.status(upload(deployment, path, DOCUMENT, b"Something else."), 409)


@pytest.mark.clause("documents.file-required")
def test_an_upload_without_a_file_is_refused(deployment: Deployment) -> None:
    """The form has a part under another name."""
    made(a_document(deployment), "document")
    path = path_of(an_index_of_documents(deployment))
    expect.status(upload(deployment, path, "note.txt", b"A note.", field="note"), expect.UNPROCESSABLE)


@pytest.mark.clause("documents.file-empty")
def test_an_empty_file_is_refused(deployment: Deployment) -> None:
    """The published page does not mention it."""
    made(a_document(deployment), "document")
    path = path_of(an_index_of_documents(deployment))
    expect.status(upload(deployment, path, "empty.txt", b""), expect.UNPROCESSABLE)


@pytest.mark.clause("documents.unprocessable")
def test_a_file_that_is_not_a_document_is_refused(deployment: Deployment) -> None:
    """Random bytes with the media type of a program."""
    made(a_document(deployment), "document")
    path = path_of(an_index_of_documents(deployment))
    exchange = upload(deployment, path, "a.bin", bytes(range(256)), media_type="application/x-executable")
    expect.status(exchange, expect.UNPROCESSABLE)


@pytest.mark.clause("documents.file-too-large")
def test_a_file_of_more_than_10_mib_is_refused(deployment: Deployment) -> None:
    """By one byte; a gateway may close the connection instead."""
    made(a_document(deployment), "document")
    path = path_of(an_index_of_documents(deployment))
    body, variation = a_form("large.txt", b"A line of text.\n" * (TOO_LARGE // 16) + b".")
    exchange = deployment.ask("uploadDocument", body, parameters=path, **variation)
    if not exchange.status:
        raise not_tested(f"the server closes the connection: {exchange.described()}")
    expect.status(exchange, 413)


@pytest.mark.clause("documents.upload-origin")
def test_an_upload_to_a_knowledge_base_of_data_sources_is_refused(deployment: Deployment) -> None:
    """Its index is empty."""
    base = made(create_base(deployment, "-7", data_origin_type="DATA_SOURCES"))
    index = made(create_index(deployment, base["id"], "-7"), "index")
    expect.status(upload(deployment, path_of(index), DOCUMENT, CONTENT), expect.BAD_REQUEST)


@pytest.mark.clause("documents.delete")
def test_a_deleted_document_is_gone(deployment: Deployment) -> None:
    """Neither read nor found."""
    path = path_of(an_index_of_documents(deployment))
    document = made(upload(deployment, path, "gone.txt", b"Quagga."), "document")
    deletion = changing(deployment.ask("deleteDocument", parameters=own(document)))
    expect.status(deletion, expect.OK, 202, 204)
    expect.status(deployment.ask("getDocument", parameters=own(document), again=100), expect.NOT_FOUND)
    exchange = deployment.ask("searchIndex", {"text": "Quagga"}, parameters=path)
    if document["id"] in exchange.body.decode(errors="replace"):
        raise failed(f"no chunk of {document['id']}", as_text(exchange.json()), deletion, exchange)


def own(document: dict[str, Any]) -> dict[str, str]:
    """Return the parameters of a path that names a document."""
    return {**path_of_document(document), "document_id": str(document["id"])}


def done(deployment: Deployment) -> dict[str, Any]:
    """Return an uploaded document that is indexed; raises `not tested` without one."""
    exchange = indexed(deployment)
    document = fields_of(exchange)
    if document.get("state") != "DONE":
        raise not_tested(f"the document is not indexed after half a minute: {exchange.described()}")
    return document


def as_cited(context: object) -> str:
    """Return the ids of the documents in an answer's context."""
    found = [item.get("metadata") for item in context if isinstance(item, dict)] if isinstance(context, list) else []
    return " ".join(str(one.get("document_id")) for one in found if isinstance(one, dict))


def listed_documents(deployment: Deployment) -> Exchange:
    """List the documents of the run's own index, after one was uploaded."""
    document = made(a_document(deployment), "document")
    listed(deployment, "listKnowledgeBases")
    exchange = offered(deployment.ask("listDocuments", parameters=path_of_document(document)))
    items(exchange)
    return exchange
