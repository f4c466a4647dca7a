"""Documents: uploaded, indexed on the clock of the mock, found, and deleted."""

from __future__ import annotations

import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest

from agent_contract.messages import Request
from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.core.context import IndexingSettings
from mockserver.core.limits import Limits
from mockserver.generation.retrieval import search_tool_of
from tests.mockserver.support.api_client import ApiClient
from tests.mockserver.support.chat_client import CONTRACT, NOW, UNKNOWN, Clock
from tests.mockserver.support.knowledge_client import BUILT_IN, LOCAL, KnowledgeClient, id_of

TEXT = "Zebras have stripes. They live in herds."


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> KnowledgeClient:
    return clocked(clock)


def clocked(clock: Clock, config: Config | None = None) -> KnowledgeClient:
    return KnowledgeClient(ApiClient(create_engine(CONTRACT, config, clock=clock)))


def indexing(**settings: Any) -> Config:
    return Config(indexing=IndexingSettings(**settings))


def test_an_uploaded_document_describes_its_file(client: KnowledgeClient) -> None:
    index = client.index()
    document = client.uploaded(index, "zebras.txt", TEXT)
    assert document == {
        "id": document["id"],
        "object": "document",
        "origin_name": "zebras.txt",
        "origin_ref": "zebras.txt",
        "media_type": "text/plain",
        "knowledge_base_id": index.split("/")[-3],
        "index_id": id_of(index),
        "created_at": NOW,
        "size_bytes": len(TEXT),
        "hash_sha256": hashlib.sha256(TEXT.encode()).hexdigest(),
        "state": "PENDING",
        "last_indexed_by_id": document["last_indexed_by_id"],
        "reindexing_needed": False,
    }
    assert client.api.get(f"{index}/documents/{document['id']}") == document
    assert client.api.get(f"{index}/documents")["data"] == [document]
    assert client.api.get(f"{index}/documents", name="zebras.txt")["data"] == [document]
    assert client.api.get(f"{index}/documents", name="other")["data"] == []


def test_a_document_is_found_when_its_indexing_has_ended(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    document = client.uploaded(index, "zebras.txt", TEXT)
    assert client.found(index, "stripes") == []
    clock.now += 0.5
    assert client.found(index, "stripes") == [TEXT]
    read = client.api.get(f"{index}/documents/{document['id']}")
    assert (read["state"], read["last_embedded_at"]) == ("DONE", NOW)
    described = client.api.get(index)
    assert (described["num_documents"], described["last_indexed_at"], described["status"]) == (1, NOW, "AVAILABLE")
    assert described["last_indexed_by_id"] == document["last_indexed_by_id"]


def test_a_chat_cites_an_uploaded_document(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    document = client.uploaded(index, "zebras.txt", TEXT)
    clock.now += 1
    agent = client.api.agent(index_id=id_of(index))
    answer = client.api.chat(agent["id"], "What do zebras have?")
    (cited,) = answer["index_context_info"]
    assert (cited["text"], cited["metadata"]["document_id"]) == (TEXT, document["id"])
    assert TEXT in answer["choices"][0]["message"]["content"]


def test_an_agent_that_is_linked_to_the_search_tool_finds_the_document(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    client.uploaded(index, "zebras.txt", TEXT)
    clock.now += 1
    link = {"link_type": "GENERIC_MCP_TOOL_LINK", "tool_id": search_tool_of(id_of(index))}
    agent = client.api.agent(tools=[link])
    assert client.api.chat(agent["id"], "zebras")["index_context_info"][0]["text"] == TEXT
    base = index.split("/")[-3]
    assert client.api.get("/agents", knowledge_base_id=base)["data"][0]["id"] == agent["id"]


def test_a_document_of_the_configuration_is_done_and_more_can_be_added(client: KnowledgeClient, clock: Clock) -> None:
    assert {one["state"] for one in client.api.get(f"{BUILT_IN}/documents")["data"]} == {"DONE"}
    client.uploaded(BUILT_IN, "renewals.txt", "Renewals are possible by telephone.")
    clock.now += 1
    assert client.found(BUILT_IN, "telephone") == ["Renewals are possible by telephone."]
    assert len(client.found(BUILT_IN, "borrowed")) == 1
    loans = client.api.get(f"{BUILT_IN}/documents", name="loans.txt")["data"][0]
    client.api.answer("DELETE", f"{BUILT_IN}/documents/{loans['id']}")
    assert client.found(BUILT_IN, "borrowed") == []


def test_a_long_document_is_divided_into_chunks(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index(chunk_size=100)
    client.uploaded(index, "long.txt", " ".join(f"Sentence {n} is about topic{n}." for n in range(60)))
    clock.now += 1
    (found,) = client.found(index, "topic42")
    assert "topic42" in found
    assert len(found) < 1000


def test_markdown_and_html_are_read(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    client.uploaded(index, "a.md", "# Lemurs\n\nLemurs *leap*.", "text/markdown")
    page = (
        "<html><head><title>Okapi</title><script>var okapi = 'secret'</script></head><p>Okapis <b>hide</b>.</p></html>"
    )
    client.uploaded(index, "b.html", page, "application/octet-stream")
    clock.now += 2
    assert client.found(index, "lemurs") == ["# Lemurs\n\nLemurs *leap*."]
    assert client.found(index, "okapis") == ["Okapi\nOkapis hide."]
    assert client.found(index, "secret") == []


def pdf_of(text: str) -> bytes:
    """Return a PDF of one page."""
    drawn = f"BT /F1 12 Tf 72 720 Td ({text}) Tj ET".encode()
    objects = (
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [3 0 R] /Count 1 >>",
        b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 612 792] /Contents 4 0 R"
        b" /Resources << /Font << /F1 << /Type /Font /Subtype /Type1 /BaseFont /Helvetica >> >> >> >>",
        b"<< /Length %d >>\nstream\n%s\nendstream" % (len(drawn), drawn),
    )
    body, places = b"%PDF-1.4\n", list[int]()
    for number, content in enumerate(objects, 1):
        places.append(len(body))
        body += b"%d 0 obj\n%s\nendobj\n" % (number, content)
    table = b"".join(b"%010d 00000 n \n" % place for place in places)
    end = b"xref\n0 5\n0000000000 65535 f \n%strailer\n<< /Size 5 /Root 1 0 R >>\nstartxref\n%d\n%%%%EOF\n"
    return body + end % (table, len(body))


def test_pdf_is_read(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    client.uploaded(index, "okapi.pdf", pdf_of("Okapis hide in the forest."), "application/pdf")
    clock.now += 1
    assert client.found(index, "okapis") == ["Okapis hide in the forest."]


@pytest.mark.parametrize(
    ("name", "content", "media_type", "status", "clause"),
    [
        ("a.txt", "", "text/plain", 422, "documents.file-empty"),
        ("a.png", "PNG", "image/png", 422, "documents.unprocessable"),
        ("a.txt", b"caf\xe9", "text/plain", 422, "documents.unprocessable"),
        ("a.pdf", b"not a PDF", "application/pdf", 422, "documents.unprocessable"),
    ],
)
def test_a_file_that_can_not_be_read_is_refused(
    client: KnowledgeClient, name: str, content: bytes | str, media_type: str, status: int, clause: str
) -> None:
    exchange = client.upload(client.index(), name, content, media_type)
    assert (exchange.reply.status, exchange.clauses) == (status, (clause,))


def test_a_form_without_a_file_is_refused(client: KnowledgeClient) -> None:
    exchange = client.upload(client.index(), "a.txt", TEXT, part="other")
    (item,) = json.loads(exchange.reply.content())["detail"]
    assert (exchange.reply.status, exchange.clauses) == (422, ("documents.file-required",))
    assert item["loc"] == ["body", "file"]


@pytest.mark.parametrize("content_type", ["multipart/form-data", "application/json", "text/plain"])
def test_a_body_that_is_not_a_form_is_refused(client: KnowledgeClient, content_type: str) -> None:
    path = f"{client.index()}/documents"
    exchange = client.api.checked(Request("POST", path, (), {"content-type": content_type}, b"{}"))
    assert exchange.reply.status in {400, 422}


def test_a_name_that_the_knowledge_base_has_already_is_refused(client: KnowledgeClient) -> None:
    base = client.base()
    client.uploaded(client.index(base), "a.txt", TEXT)
    exchange = client.upload(client.index(base), "a.txt", "Other.")
    assert (exchange.reply.status, exchange.clauses) == (409, ("documents.duplicate-name",))
    client.uploaded(client.index(), "a.txt", TEXT)


def test_one_of_two_uploads_of_a_name_at_once_is_refused(client: KnowledgeClient) -> None:
    index = client.index()
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda _: client.upload(index, "a.txt", TEXT).reply.status, range(8))
        assert sorted(found) == [201, *[409] * 7]


def test_an_upload_to_a_knowledge_base_of_data_sources_is_refused(client: KnowledgeClient) -> None:
    index = client.index(client.base(**{**LOCAL, "data_origin_type": "DATA_SOURCES"}))
    assert client.upload(index, "a.txt", TEXT).clauses == ("documents.upload-origin",)


def test_a_file_of_ten_mib_is_accepted_and_a_larger_one_refused(client: KnowledgeClient) -> None:
    index, most = client.index(), Limits().upload
    assert client.uploaded(index, "a.txt", b"a " * (most // 2))["size_bytes"] == most
    exchange = client.upload(index, "b.txt", b"a" * (most + 1))
    assert (exchange.reply.status, exchange.clauses) == (413, ("documents.file-too-large",))
    assert client.upload(index, "c.txt", b"a" * (most + 100_000)).reply.status == 413


def test_a_large_body_that_is_not_an_upload_is_still_refused(client: KnowledgeClient) -> None:
    body = b"a" * (Limits().body + 1)
    path = "/api/v1/compatibility/openai/v1/agents/demo/chat/completions"
    headers = {"content-type": "multipart/form-data; boundary=b"}
    assert client.api.checked(Request("POST", path, (), headers, body)).reply.status == 413


def test_a_document_without_a_word_fails(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    document = client.uploaded(index, "a.txt", "... --- ...")
    clock.now += 1
    read = client.api.get(f"{index}/documents/{document['id']}")
    assert (read["state"], read["reindexing_needed"]) == ("FAILED", True)
    assert client.api.get(index)["status"] == "ERROR"
    assert client.api.get(index.partition("/indexes")[0])["status"] == "ERROR"


def test_the_configuration_can_make_indexings_fail(clock: Clock) -> None:
    client = clocked(clock, indexing(failing=("*.broken",), seconds=10))
    index = client.index()
    document = client.uploaded(index, "a.broken", TEXT, "text/plain")
    clock.now += 9.9
    assert client.api.get(f"{index}/documents/{document['id']}")["state"] == "PENDING"
    clock.now += 0.1
    assert client.api.get(f"{index}/documents/{document['id']}")["state"] == "FAILED"
    assert client.found(index, "stripes") == []


def test_an_upload_can_wait_for_an_indexing_that_the_client_starts(clock: Clock) -> None:
    client = clocked(clock, indexing(on_upload=False))
    index = client.index()
    client.uploaded(index, "a.txt", TEXT)
    clock.now += 100
    assert client.found(index, "stripes") == []
    assert client.api.get(f"{index}/indexings")["data"] == []
    client.api.post(f"{index}/indexings", None)
    clock.now += 1
    assert client.found(index, "stripes") == [TEXT]


def test_a_deleted_document_is_gone(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    document = client.uploaded(index, "a.txt", TEXT)
    clock.now += 1
    path = f"{index}/documents/{document['id']}"
    assert client.api.answer("DELETE", path)["deleted"] is True
    assert client.api.status("GET", path) == 404
    assert client.found(index, "stripes") == []
    client.uploaded(index, "a.txt", TEXT)


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_document_is_refused(client: KnowledgeClient, method: str) -> None:
    path = f"{client.index()}/documents/{UNKNOWN}"
    assert client.api.refusal(method, path)[:2] == (404, "documents.document-unknown")


def test_a_full_index_refuses_more_documents(clock: Clock) -> None:
    client = clocked(clock, replace(Config(), limits=replace(Limits(), resources=4)))
    reply = client.upload(BUILT_IN, "a.txt", TEXT).reply
    assert reply.status == 400
    assert b"at most 4 documents" in reply.content()
