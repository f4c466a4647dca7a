"""Indexes: created, listed, read, changed, deleted and searched."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mockserver.support.api_client import COMPLETER, ApiClient
from tests.mockserver.support.chat_client import NOW, UNKNOWN
from tests.mockserver.support.knowledge_client import BUILT_IN, EMBEDDING, KnowledgeClient, id_of

LOANS = "A borrowed book may be kept for four weeks, and twice as long once it is renewed."


@pytest.fixture
def client(call: ApiClient) -> KnowledgeClient:
    return KnowledgeClient(call)


def test_a_created_index_is_answered_as_it_was_sent(client: KnowledgeClient) -> None:
    sent = {"name": "small", "description": "Small chunks.", **EMBEDDING, "chunk_overlap": 10}
    path = f"{client.base()}/indexes"
    index = client.api.post(path, sent)
    base = id_of(path.removesuffix("/indexes"))
    rest = {"knowledge_base_id": base, "created_at": NOW, "num_documents": 0, "status": "AVAILABLE"}
    assert index == {"id": index["id"], "object": "index", **sent, **rest}
    read = client.api.get(f"{path}/{index['id']}")
    assert read.pop("knowledge_base")["id"] == base
    assert read == index
    assert client.api.get(path)["data"] == [index]


def test_a_knowledge_base_with_an_index_is_available(client: KnowledgeClient) -> None:
    base = client.base()
    client.index(base)
    assert client.api.get(base)["status"] == "AVAILABLE"


@pytest.mark.parametrize(
    ("fields", "status", "clause"),
    [
        ({"chunk_size": 99}, 422, "indexes.chunk-size-bound"),
        ({"chunk_overlap": -1}, 422, "indexes.overlap-bound"),
        ({"chunk_overlap": 51}, 400, "indexes.overlap-half"),
        ({"name": "n" * 257}, 422, "indexes.name-length"),
        ({"embeddings_model_endpoint": COMPLETER}, 400, "indexes.endpoint-unknown"),
        ({"embeddings_model_endpoint": "unknown"}, 400, "indexes.endpoint-unknown"),
        ({"hybrid_search": True}, 400, ""),
    ],
)
def test_an_invalid_index_is_refused(client: KnowledgeClient, fields: dict[str, Any], status: int, clause: str) -> None:
    path = f"{client.base()}/indexes"
    assert client.api.refusal("POST", path, {**EMBEDDING, **fields})[:2] == (status, clause)


def test_a_chunk_size_beyond_any_document_is_kept_as_a_large_one(client: KnowledgeClient) -> None:
    assert client.api.get(client.index(chunk_size=10**300))["chunk_size"] == 2**53 - 1


def test_an_index_is_found_in_its_own_knowledge_base_only(client: KnowledgeClient) -> None:
    index, other = client.index(), client.base()
    assert client.api.status("GET", f"{other}/indexes/{id_of(index)}") == 404
    assert client.api.get(f"{other}/indexes")["data"] == []


def test_an_unknown_index_is_refused(client: KnowledgeClient) -> None:
    path = f"{client.base()}/indexes/{UNKNOWN}"
    assert client.api.refusal("GET", path)[:2] == (404, "indexes.index-unknown")
    assert client.api.refusal("POST", f"{path}/search", {"text": "x"})[:2] == (404, "indexes.index-unknown")


def test_an_update_changes_name_and_description_but_not_how_it_embeds(client: KnowledgeClient) -> None:
    index = client.index(name="a", description="b")
    assert client.api.post(index, {"name": "c", "description": None, "chunk_size": 100})["name"] == "c"
    assert "description" not in client.api.get(index)
    assert client.api.refusal("POST", index, {"chunk_size": 200})[:2] == (400, "indexes.embedding-kept")


def test_an_index_is_deleted_unless_an_agent_uses_it(client: KnowledgeClient) -> None:
    index = client.index()
    agent = client.api.agent(index_id=id_of(index))
    assert client.api.refusal("DELETE", index)[:2] == (409, "indexes.delete-linked")
    client.api.answer("DELETE", f"/agents/{agent['id']}")
    assert client.api.answer("DELETE", index)["deleted"] is True
    assert client.api.status("GET", index) == 404


def test_a_search_finds_passages_of_the_configuration(client: KnowledgeClient) -> None:
    (chunk,) = client.api.post(f"{BUILT_IN}/search", {"text": "borrowed books", "top_k": 1})["chunks"]
    assert (chunk["text"], chunk["origin_name"], chunk["media_type"]) == (LOANS, "loans.txt", "text/plain")
    assert 0 < chunk["score"] < 1


def test_a_search_finds_two_chunks_by_default_and_top_k_at_most(client: KnowledgeClient) -> None:
    words = "book library children week"
    assert len(client.found(BUILT_IN, words)) == 2
    assert [len(client.found(BUILT_IN, words, top_k=most)) for most in (0, 1, 3)] == [0, 1, 3]
    assert client.found(BUILT_IN, words, top_k=-1) == []


def test_a_search_leaves_out_chunks_below_the_cutoff(client: KnowledgeClient) -> None:
    chunks = client.api.post(f"{BUILT_IN}/search", {"text": "book week"})["chunks"]
    best, other = (chunk["score"] for chunk in chunks)
    found = client.found(BUILT_IN, "book week", similarity_cutoff=(best + other) / 2)
    assert found == [chunks[0]["text"]]


def test_a_search_ignores_keys_that_are_not_documented(client: KnowledgeClient) -> None:
    assert client.found(BUILT_IN, "borrowed", query="opening hours", top_n=0) == [LOANS]
    assert client.api.refusal("POST", f"{BUILT_IN}/search", {"query": "x"})[:2] == (422, "indexes.search-text-required")


def test_an_agent_of_a_new_index_finds_nothing_in_it(client: KnowledgeClient) -> None:
    agent = client.api.agent(index_id=id_of(client.index()))
    assert client.api.chat(agent["id"], "borrowed books")["index_context_info"] == []
    listed = client.api.get("/agents", index_id=agent["index_id"])["data"]
    assert [one["id"] for one in listed] == [agent["id"]]
