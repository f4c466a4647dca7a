"""Agents: created, read, changed and deleted."""

from __future__ import annotations

import json
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from mockserver.resources.agents import BUILT_IN
from mockserver.stores import MemoryStore, open_store
from tests.mockserver.support.api_client import COMPLETER, ApiClient
from tests.mockserver.support.chat_client import NOW, UNKNOWN, Clock, details, engine, limited

DEMO = BUILT_IN[0]
TOOL = "5b4d1701-92d5-4a61-8e2f-1f0b7c92d503"
LINK = {"link_type": "GENERIC_MCP_TOOL_LINK", "tool_id": TOOL}


def test_a_created_agent_is_answered_as_it_was_sent(call: ApiClient) -> None:
    sent = {
        "model": "mistral-7b",
        "name": "support",
        "description": "Answers customers.",
        "instructions": "Be brief.",
        "metadata": {"team": "blue"},
        "session_max_ttl": 60,
        "session_max_length": 5000,
        "session_summarization_strategy": "summarize",
        "chat_system_instruction_mode": "system-message",
        "completion_role": "assistant",
        "index_id": "1f0b7c92-d503-4a61-8e2f-903c5b4d1701",
        "index_top_n": 3,
        "index_similarity_cutoff": 0.5,
        "index_reference_format": "structured",
        "index_reference_delimiter": "---",
        "tools": [
            {
                "link_type": "PAIS_KNOWLEDGE_BASE_INDEX_SEARCH_TOOL_LINK",
                "tool_id": TOOL,
                "top_n": 3,
                "similarity_cutoff": 0.25,
            },
            {"link_type": "GENERIC_MCP_TOOL_LINK", "tool_id": TOOL},
        ],
        "agent_type": "chat",
    }
    reply = call.exchange("POST", "/agents", sent).reply
    agent = json.loads(reply.content())
    assert reply.status == 201
    assert list(agent) == ["id", "object", "created_at", "status", *sent]
    assert {name: agent[name] for name in sent} == sent
    assert uuid.UUID(agent["id"]).version == 4
    assert (agent["object"], agent["created_at"]) == ("agent", NOW)
    assert call.get(f"/agents/{agent['id']}") == agent


def test_a_model_is_all_that_a_create_needs_and_the_sessions_settings_are_filled_in(call: ApiClient) -> None:
    agent = call.agent()
    assert agent["model"] == COMPLETER
    assert {"session_max_ttl", "session_max_length", "session_summarization_strategy"} <= agent.keys()
    assert "name" not in agent


def test_null_and_unlisted_fields_of_a_create_count_as_absent(call: ApiClient) -> None:
    agent = call.agent(name=None, session_max_ttl=None, temperature=1, tools=[{**LINK, "c": 1, "top_n": None}])
    assert "name" not in agent
    assert "temperature" not in agent
    assert agent["session_max_ttl"] == call.agent()["session_max_ttl"]
    assert agent["tools"] == [LINK]


def test_an_agent_is_available(call: ApiClient) -> None:
    created = call.agent()
    assert {call.get(f"/agents/{id}")["status"] for id in ("demo", created["id"])} == {"AVAILABLE"}


def test_unset_optional_fields_are_left_out(call: ApiClient) -> None:
    assert None not in call.agent().values()


def test_a_tool_link_needs_the_uuid_of_a_tool(call: ApiClient) -> None:
    reply = call.exchange("POST", "/agents", {"model": COMPLETER, "tools": [{**LINK, "tool_id": "weather"}]}).reply
    assert details(reply) == [(["body", "tools", 0, "tool_id"], "uuid_parsing")]


@pytest.mark.parametrize("number", [10**40, -(10**40), 5.0])
def test_a_number_that_json_readers_differ_on_is_cut_to_one_that_they_agree_on(call: ApiClient, number: float) -> None:
    agent = call.agent(session_max_length=number, index_similarity_cutoff=number)
    assert isinstance(agent["session_max_length"], int)
    assert abs(agent["session_max_length"]) < 2**53
    assert call.chat(agent["id"], create_session=True)["session_id"]


@pytest.mark.parametrize("path", ["agents", "assistants"])
def test_an_agent_is_found_under_both_paths_whichever_created_it(call: ApiClient, path: str) -> None:
    agent = call.post(f"/{path}", {"model": COMPLETER})
    assert call.get(f"/agents/{agent['id']}") == call.get(f"/assistants/{agent['id'].upper()}") == agent


def test_a_created_agent_answers_by_its_own_settings(call: ApiClient) -> None:
    plain, told = call.agent(), call.agent(model="mistral-7b", instructions="Be brief.")
    answer = call.chat(told["id"])
    assert answer["model"] == "mistral-7b"
    assert answer["usage"]["prompt_tokens"] == call.chat(plain["id"])["usage"]["prompt_tokens"] + 3
    assert call.status("POST", f"/agents/{told['id']}/chat/completions", _hello(model=COMPLETER)) == 400


def _hello(**fields: Any) -> dict[str, Any]:
    return {"messages": [{"role": "user", "content": "Hello!"}], **fields}


@pytest.mark.parametrize("address", ["demo", DEMO.id, DEMO.id.upper()])
def test_a_configured_agent_is_got_by_its_name_and_its_id(call: ApiClient, address: str) -> None:
    agent = call.get(f"/agents/{address}")
    assert (agent["id"], agent["name"], agent["model"]) == (DEMO.id, "demo", COMPLETER)


def test_an_update_changes_what_it_has_and_nothing_else(call: ApiClient) -> None:
    agent = call.agent(name="support", metadata={"a": "1"})
    changed = call.post(f"/agents/{agent['id']}", {"description": "New.", "metadata": {"b": "2"}})
    assert changed == {**agent, "description": "New.", "metadata": {"b": "2"}}
    assert list(changed)[4:8] == ["model", "name", "description", "metadata"]
    assert call.get(f"/assistants/{agent['id']}") == changed
    assert call.post(f"/agents/{agent['id']}", {}) == changed


def test_an_update_with_null_unsets_a_field_but_not_the_model(call: ApiClient) -> None:
    agent = call.agent(name="support", description="Old.")
    changed = call.post(f"/agents/{agent['id']}", {"description": None, "session_max_ttl": None, "model": None})
    assert changed == {name: agent[name] for name in agent if name not in {"description", "session_max_ttl"}}


def test_a_configured_agent_is_changed_and_keeps_its_name_and_roles(call: ApiClient) -> None:
    before = call.get("/agents/demo-open")
    call.post("/agents/demo-open", {"name": "renamed", "instructions": "Be brief."})
    assert call.get("/agents/demo-open") == {**before, "name": "renamed", "instructions": "Be brief."}
    body = {"messages": [{"role": "system", "content": "Hello!"}], "model": "any"}
    assert call.status("POST", "/agents/demo-open/chat/completions", body) == 200


def test_of_many_updates_at_once_none_is_lost(call: ApiClient) -> None:
    agent = call.agent()
    names = ["name", "description", "instructions", "index_reference_format", "agent_type", "completion_role"] * 5
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda name: call.post(f"/agents/{agent['id']}", {name: name}), names))
    now = call.get(f"/agents/{agent['id']}")
    assert {name: now[name] for name in names} == {name: name for name in names}


@pytest.mark.parametrize(
    ("body", "location"),
    [
        ({"session_max_ttl": 0}, ["body", "session_max_ttl"]),
        ({"metadata": {"a": 1}}, ["body", "metadata", "a"]),
        ({"index_id": "no"}, ["body", "index_id"]),
    ],
)
def test_an_update_is_held_to_the_bounds_of_a_create(call: ApiClient, body: Any, location: list[str]) -> None:
    agent = call.agent()
    for path, sent in ((f"/agents/{agent['id']}", body), ("/agents", {"model": COMPLETER, **body})):
        status, _, detail = call.refusal("POST", path, sent)
        assert (status, detail[0]["loc"]) == (422, location)
    assert call.get(f"/agents/{agent['id']}") == agent


def test_a_deleted_agent_is_gone_everywhere(call: ApiClient) -> None:
    agent = call.agent(name="support")
    gone = call.answer("DELETE", f"/agents/{agent['id']}")
    assert gone == {"id": agent["id"], "object": "agent.deleted", "deleted": True}
    for method, path, body in (
        ("GET", "", None),
        ("POST", "", {}),
        ("DELETE", "", None),
        ("POST", "/chat/completions", _hello()),
        ("POST", "/completions", {"prompt": "Hello!"}),
    ):
        assert call.status(method, f"/assistants/{agent['id']}{path}", body) == 404
    assert agent["id"] not in [one["id"] for one in call.get("/agents")["data"]]


def test_a_deleted_configured_agent_stays_away_under_its_name_too(call: ApiClient) -> None:
    assert call.answer("DELETE", "/agents/demo")["id"] == DEMO.id
    status, clause, detail = call.refusal("GET", "/agents/demo")
    assert (status, clause) == (404, "chat.agent-unknown")
    assert "Known agents: demo-open, " in detail


def test_an_agents_sessions_go_with_it_and_no_others() -> None:
    store = MemoryStore(clock=Clock())
    call = ApiClient(engine(store=store))
    agent = call.agent()
    for id in (agent["id"], "demo"):
        call.chat(id, create_session=True)
    assert len(store.items("scope//session/")) == 2
    call.answer("DELETE", f"/agents/{agent['id']}")
    assert [key.split("/")[2:4] for key, _ in store.items("scope//")] == [["session", DEMO.id]]


def test_an_agent_does_not_go_to_make_room_for_sessions() -> None:
    call = ApiClient(engine(store=MemoryStore(items=1, clock=Clock())))
    agent = call.agent()
    for _ in range(3):
        call.chat(agent["id"], create_session=True)
    assert call.get(f"/agents/{agent['id']}") == agent


def test_an_agent_exists_only_in_its_scope(call: ApiClient) -> None:
    other = ApiClient(call.engine, scope="other")
    agent = call.agent()
    call.answer("DELETE", "/agents/demo")
    assert other.status("GET", f"/agents/{agent['id']}") == 404
    assert other.status("GET", "/agents/demo") == 200


def test_one_agent_more_than_the_bound_is_refused_until_one_goes() -> None:
    call = ApiClient(limited(agents=len(BUILT_IN) + 2))
    first, _ = call.agent(), call.agent()
    status, clause, detail = call.refusal("POST", "/assistants", {"model": COMPLETER})
    assert (status, clause) == (400, "agents.create-bound")
    assert f"at most {len(BUILT_IN) + 2} agents" in detail
    for gone in (f"/agents/{first['id']}", "/agents/demo"):
        call.answer("DELETE", gone)
        call.agent()
        assert call.status("POST", "/agents", {"model": COMPLETER}) == 400


def test_an_agent_of_more_bytes_than_the_bound_is_refused() -> None:
    call = ApiClient(limited(agent=2000))
    agent = call.agent(instructions="x" * 1000)
    for path in ("/agents", f"/agents/{agent['id']}"):
        status, _, detail = call.refusal("POST", path, {"model": COMPLETER, "instructions": "x" * 2000})
        assert status == 413
        assert "limit of 2000" in detail
    assert call.get(f"/agents/{agent['id']}") == agent


def test_the_same_seed_gives_the_same_ids() -> None:
    assert ApiClient(engine(seed=7)).agent() == ApiClient(engine(seed=7)).agent()
    assert ApiClient(engine(seed=7)).agent()["id"] != ApiClient(engine(seed=8)).agent()["id"]


def test_agents_outlive_the_process_in_a_file(tmp_path: Path) -> None:
    address = f"sqlite:///{tmp_path / 'state.db'}"
    with closing(engine(store=open_store(address))) as first:
        agent = ApiClient(first).agent(name="support")
        ApiClient(first).answer("DELETE", "/agents/demo")
        ApiClient(first).post("/agents/demo-open", {"description": "Changed."})
    with closing(engine(store=open_store(address))) as second:
        call = ApiClient(second)
        assert call.get(f"/agents/{agent['id']}") == agent
        assert call.get("/agents/demo-open")["description"] == "Changed."
        assert call.status("GET", "/agents/demo") == 404
        assert call.agent()["id"] != agent["id"]


@pytest.mark.parametrize("address", [UNKNOWN, "nobody", "x" * 500])
def test_an_unknown_agent_is_not_found(call: ApiClient, address: str) -> None:
    for method, body in (("GET", None), ("POST", {}), ("DELETE", None)):
        status, clause, detail = call.refusal(method, f"/agents/{address}", body)
        assert (status, clause) == (404, "chat.agent-unknown")
        assert detail.startswith("No agent found with the specified ID")
        assert len(detail) < 400
