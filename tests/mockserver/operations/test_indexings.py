"""Indexings: one runs, one waits, and both follow the clock of the mock."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.build import create_engine
from tests.mockserver.support.api_client import ApiClient
from tests.mockserver.support.chat_client import CONTRACT, NOW, UNKNOWN, Clock
from tests.mockserver.support.knowledge_client import KnowledgeClient, id_of

TEXT = "Zebras have stripes."


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client(clock: Clock) -> KnowledgeClient:
    return KnowledgeClient(ApiClient(create_engine(CONTRACT, clock=clock)))


def states(client: KnowledgeClient, index: str) -> list[str]:
    return [one["state"] for one in client.api.get(f"{index}/indexings")["data"]]


def start(client: KnowledgeClient, index: str) -> Any:
    return client.api.answer("POST", f"{index}/indexings")


def test_an_upload_starts_an_indexing_that_ends_on_the_clock(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    document = client.uploaded(index, "a.txt", TEXT)
    path = f"{index}/indexings/{document['last_indexed_by_id']}"
    common = {"knowledge_base_id": index.split("/")[-3], "index_id": id_of(index), "created_at": NOW}
    pending = {"id": id_of(path), "object": "indexing", **common, "state": "PENDING"}
    assert client.api.get(path) == pending
    assert client.api.get(f"{index}/active-indexing") == pending
    clock.now += 0.5
    assert client.api.get(path) == {**pending, "state": "DONE", "completed_at": NOW}
    assert client.api.refusal("GET", f"{index}/active-indexing")[:2] == (404, "indexings.active-none")


def test_a_second_indexing_waits_and_a_third_is_refused(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    first, second = start(client, index), start(client, index)
    assert client.api.refusal("POST", f"{index}/indexings")[:2] == (409, "indexings.indexing-waiting")
    assert client.api.get(f"{index}/active-indexing")["id"] == first["id"]
    clock.now += 0.6
    assert client.api.get(f"{index}/active-indexing")["id"] == second["id"]
    clock.now += 0.4
    assert states(client, index) == ["DONE", "DONE"]


def test_uploads_join_the_indexing_that_waits(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    used = [client.uploaded(index, f"{name}.txt", TEXT)["last_indexed_by_id"] for name in "abcd"]
    assert len(set(used)) == 2
    assert used[1:] == [used[1]] * 3
    clock.now += 0.6
    documents = client.api.get(f"{index}/documents")["data"]
    assert sorted(one["state"] for one in documents) == ["DONE", "PENDING", "PENDING", "PENDING"]
    clock.now += 0.6
    assert {one["state"] for one in client.api.get(f"{index}/documents")["data"]} == {"DONE"}


def test_a_cancelled_indexing_ends_a_little_later_with_its_documents(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    document = client.uploaded(index, "a.txt", TEXT)
    path = f"{index}/indexings/{document['last_indexed_by_id']}"
    assert client.api.answer("POST", f"{path}/cancel")["state"] == "PENDING"
    clock.now += 0.2
    assert client.api.get(path)["state"] == "CANCELLED"
    read = client.api.get(f"{index}/documents/{document['id']}")
    assert (read["state"], read["reindexing_needed"]) == ("CANCELLED", True)
    clock.now += 100
    assert client.found(index, "stripes") == []


def test_another_indexing_indexes_the_documents_of_a_cancelled_one(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    document = client.uploaded(index, "a.txt", TEXT)
    client.api.answer("POST", f"{index}/indexings/{document['last_indexed_by_id']}/cancel", force="true")
    assert states(client, index) == ["CANCELLED"]
    start(client, index)
    clock.now += 1
    assert client.found(index, "stripes") == [TEXT]


def test_an_indexing_that_has_ended_stays_as_it_is_when_it_is_cancelled(client: KnowledgeClient, clock: Clock) -> None:
    index = client.index()
    indexing = start(client, index)
    clock.now += 1
    assert client.api.answer("POST", f"{index}/indexings/{indexing['id']}/cancel")["state"] == "DONE"
    assert states(client, index) == ["DONE"]


@pytest.mark.parametrize(("method", "end"), [("GET", ""), ("POST", "/cancel")])
def test_an_unknown_indexing_is_refused(client: KnowledgeClient, method: str, end: str) -> None:
    path = f"{client.index()}/indexings/{UNKNOWN}{end}"
    assert client.api.refusal(method, path)[:2] == (404, "indexings.indexing-unknown")


def test_the_indexings_of_an_index_are_deleted_with_it(client: KnowledgeClient) -> None:
    index = client.index()
    start(client, index)
    client.api.answer("DELETE", index)
    assert client.api.status("GET", f"{index}/indexings") == 404
