"""Knowledge bases: created, listed, read, changed and deleted."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mockserver.build import create_engine
from mockserver.resources.agents import LIBRARY
from mockserver.stores import open_store
from tests.mockserver.support.api_client import ApiClient
from tests.mockserver.support.chat_client import CONTRACT, NOW, UNKNOWN, Clock, engine, limited
from tests.mockserver.support.knowledge_client import BASES, BUILT_IN, LOCAL, KnowledgeClient, id_of


def test_a_created_knowledge_base_is_answered_as_it_was_sent(call: ApiClient) -> None:
    sent = {"name": "handbook", "description": "How we work.", **LOCAL}
    base = call.post(BASES, sent)
    times = {"created_at": NOW, "last_updated_at": NOW}
    assert base == {"id": base["id"], "object": "knowledge_base", **sent, **times}
    links = {"status": "NOT_CONFIGURED", "num_linked_data_sources": 0, "num_linked_agents": 0}
    assert call.get(f"{BASES}/{base['id']}") == {**base, **links}


def test_the_indexes_of_the_configuration_have_a_knowledge_base(call: ApiClient) -> None:
    (base,) = call.get(BASES)["data"]
    assert (base["id"], base["name"]) == (LIBRARY.knowledge_base(), "library")
    assert (base["status"], base["num_linked_agents"]) == ("AVAILABLE", 1)


def test_a_list_has_pages(call: ApiClient) -> None:
    made = [call.post(BASES, {**LOCAL, "name": name})["id"] for name in "ab"]
    first = call.get(BASES, limit="2", set_num_objects="true")
    assert (len(first["data"]), first["has_more"], first["num_objects"]) == (2, True, 3)
    second = call.get(BASES, after=first["last_id"])
    assert [base["id"] for base in [*first["data"], *second["data"]][1:]] == sorted(made)
    assert [base["name"] for base in call.get(BASES, name="b")["data"]] == ["b"]


def test_knowledge_bases_are_listed_in_the_order_of_their_creation() -> None:
    clock = Clock()
    call = ApiClient(create_engine(CONTRACT, clock=clock))
    for name in "zay":
        call.post(BASES, {**LOCAL, "name": name})
        clock.now += 0.25
    assert [base["name"] for base in call.get(BASES)["data"]] == ["library", "z", "a", "y"]


@pytest.mark.parametrize(
    ("body", "clause"),
    [
        ({"index_refresh_policy": {"policy_type": "M"}}, "knowledge-bases.origin-required"),
        ({"data_origin_type": "LOCAL_FILES"}, "knowledge-bases.policy-required"),
        ({**LOCAL, "data_origin_type": "MAGIC"}, "knowledge-bases.origin-unknown"),
        ({**LOCAL, "name": "n" * 257}, "knowledge-bases.name-length"),
    ],
)
def test_an_invalid_knowledge_base_is_refused(call: ApiClient, body: dict[str, Any], clause: str) -> None:
    assert call.refusal("POST", BASES, body)[:2] == (422, clause)


def test_a_policy_that_is_nested_too_deeply_to_be_stored_is_refused(call: ApiClient) -> None:
    deep: Any = []
    for _ in range(300):
        deep = [deep]
    assert call.status("POST", BASES, {**LOCAL, "index_refresh_policy": {"policy_type": "M", "more": deep}}) == 400


def test_an_update_changes_what_it_has_and_null_unsets(call: ApiClient) -> None:
    base = KnowledgeClient(call).base(name="a", description="b")
    assert "description" not in call.post(base, {"name": "c", "description": None})
    assert call.get(base)["name"] == "c"
    assert call.refusal("POST", base, {"data_origin_type": "DATA_SOURCES"})[:2] == (400, "knowledge-bases.origin-kept")
    assert call.status("POST", base, {"data_origin_type": "LOCAL_FILES"}) == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_an_unknown_knowledge_base_is_refused(call: ApiClient, method: str) -> None:
    assert call.refusal(method, f"{BASES}/{UNKNOWN}")[:2] == (404, "knowledge-bases.base-unknown")


def test_a_deleted_knowledge_base_is_gone_with_its_indexes(call: ApiClient) -> None:
    client = KnowledgeClient(call)
    base = client.base()
    index = client.index(base)
    assert call.answer("DELETE", base) == {"id": id_of(base), "object": "knowledge_base.deleted", "deleted": True}
    assert [call.status("GET", path) for path in (base, index)] == [404, 404]


def test_a_knowledge_base_that_an_agent_uses_is_not_deleted(call: ApiClient) -> None:
    client = KnowledgeClient(call)
    base = client.base()
    agent = call.agent(name="reader", index_id=id_of(client.index(base)))
    status, clause, why = call.refusal("DELETE", base)
    assert (status, clause) == (409, "knowledge-bases.delete-linked")
    assert "reader" in why
    assert call.get(base)["num_linked_agents"] == 1
    call.answer("DELETE", f"/agents/{agent['id']}")
    assert call.status("DELETE", base) == 200


def test_a_configured_knowledge_base_can_be_deleted_when_no_agent_uses_it(call: ApiClient) -> None:
    base = BUILT_IN.partition("/indexes")[0]
    call.answer("DELETE", "/agents/demo-knowledge")
    assert call.status("DELETE", base) == 200
    assert [call.status("GET", path) for path in (base, BUILT_IN)] == [404, 404]
    assert call.get(BASES)["data"] == []


def test_a_full_list_refuses_more_knowledge_bases() -> None:
    call = ApiClient(limited(resources=1))
    assert call.refusal("POST", BASES, LOCAL)[:2] == (400, "control.create-bound")


def test_each_scope_has_its_own_knowledge_bases(call: ApiClient) -> None:
    other = ApiClient(call.engine, scope="other")
    base = KnowledgeClient(other).base()
    assert other.status("GET", base) == 200
    assert call.status("GET", base) == 404


def test_knowledge_bases_outlive_the_process(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'state.db'}"
    with closing(open_store(address)) as store:
        base = KnowledgeClient(ApiClient(engine(store=store))).base(name="kept")
    with closing(open_store(address)) as store:
        assert ApiClient(engine(store=store)).get(base)["name"] == "kept"
