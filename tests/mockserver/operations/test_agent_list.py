"""The list of agents: its order, its pages, its filters."""

from __future__ import annotations

from typing import Any

import pytest

from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.resources.agents import BUILT_IN, LIBRARY
from mockserver.stores import MemoryStore
from tests.mockserver.support.api_client import ApiClient
from tests.mockserver.support.chat_client import CONTRACT, UNKNOWN, Clock, engine

INDEX = LIBRARY.id


@pytest.fixture
def five() -> ApiClient:
    """A mock with no other agents than a, b, c, d and e, created in this order, a second each."""
    clock = Clock()
    call = ApiClient(create_engine(CONTRACT, Config(agents={}), clock=clock))
    for name in "abcde":
        call.agent(name=name)
        clock.now += 1
    return call


def names(page: Any) -> str:
    return "".join(agent["name"] for agent in page["data"])


def ids(call: ApiClient) -> dict[str, str]:
    return {agent["name"]: agent["id"] for agent in call.get("/agents")["data"]}


def test_a_list_has_configured_and_created_agents_the_oldest_first(call: ApiClient) -> None:
    call.agent(name="new")
    page = call.get("/agents")
    assert [agent["name"] for agent in page["data"]] == [*(one.name for one in BUILT_IN), "new"]
    assert page == {
        "object": "list",
        "data": page["data"],
        "has_more": False,
        "num_objects": None,
        "first_id": page["data"][0]["id"],
        "last_id": page["data"][-1]["id"],
    }
    assert call.get("/assistants") == page


@pytest.mark.parametrize(
    ("query", "there", "has_more"),
    [
        ({}, "abcde", False),
        ({"order": "asc"}, "abcde", False),
        ({"order": "desc"}, "edcba", False),
        ({"limit": "2"}, "ab", True),
        ({"limit": "5"}, "abcde", False),
        ({"limit": "999"}, "abcde", False),
        ({"offset": "2"}, "cde", False),
        ({"offset": "2", "limit": "2"}, "cd", True),
        ({"offset": "4294967296"}, "", False),
        ({"after": "b"}, "cde", False),
        ({"after": "b", "limit": "2"}, "cd", True),
        ({"after": "b", "limit": "1", "offset": "1"}, "d", True),
        ({"after": "b", "order": "desc"}, "a", False),
        ({"after": "e"}, "", False),
        ({"before": "d"}, "abc", False),
        ({"before": "d", "limit": "2"}, "bc", True),
        ({"before": "d", "order": "desc"}, "e", False),
        ({"before": "a"}, "", False),
        ({"after": "a", "before": "e"}, "bcd", False),
        ({"after": "a", "before": "e", "limit": "1"}, "b", True),
        ({"after": "d", "before": "b"}, "", False),
        ({"name": "c"}, "c", False),
        ({"name": ""}, "", False),
        ({"name": "c", "after": "c"}, "", False),
    ],
)
def test_a_page_has_the_agents_that_are_asked_for(five: ApiClient, query: Any, there: str, has_more: bool) -> None:
    by_name = ids(five)
    sent = {name: by_name[text] if name in {"after", "before"} else text for name, text in query.items()}
    page = five.get("/agents", **sent)
    assert (names(page), page["has_more"]) == (there, has_more)
    ends = [by_name[there[0]], by_name[there[-1]]] if there else [None, None]
    assert [page["first_id"], page["last_id"]] == ends
    assert page["num_objects"] is None


def test_all_pages_together_are_the_list(five: ApiClient) -> None:
    seen, query = "", {"limit": "2"}
    while True:
        page = five.get("/agents", **query)
        seen += names(page)
        if not page["has_more"]:
            break
        query["after"] = page["last_id"]
    assert seen == "abcde"


@pytest.mark.parametrize(("query", "number"), [({}, 5), ({"limit": "1", "offset": "3"}, 5), ({"name": "c"}, 1)])
def test_the_number_of_agents_is_said_where_it_is_asked_for(five: ApiClient, query: Any, number: int) -> None:
    assert five.get("/agents", set_num_objects="true", **query)["num_objects"] == number
    assert five.get("/agents", set_num_objects="false", **query)["num_objects"] is None


def test_an_empty_list_has_ends_that_are_null(five: ApiClient) -> None:
    page = five.get("/agents", name="nobody")
    assert (page["data"], page["has_more"]) == ([], False)
    assert [page[name] for name in ("num_objects", "first_id", "last_id")] == [None, None, None]


def test_agents_are_chosen_by_their_index(five: ApiClient) -> None:
    link = {"link_type": "GENERIC_MCP_TOOL_LINK", "tool_id": UNKNOWN}
    five.agent(name="x", index_id=INDEX.upper())
    five.agent(name="y", tools=[{**link, "tool_id": LIBRARY.search_tool()}])
    five.agent(name="z", tools=[link, {**link, "tool_id": LIBRARY.search_tool().upper()}])
    assert names(five.get("/agents", index_id=INDEX)) == "x"
    assert names(five.get("/agents", knowledge_base_id=LIBRARY.knowledge_base().upper())) == "xyz"
    assert names(five.get("/agents", index_id=UNKNOWN)) == names(five.get("/agents", knowledge_base_id=UNKNOWN)) == ""


@pytest.mark.parametrize("cursor", ["after", "before"])
@pytest.mark.parametrize(("value", "clause"), [("demo", "invalid"), ("", "invalid"), ("x" * 300, "invalid")])
def test_a_cursor_must_be_an_id(call: ApiClient, cursor: str, value: str, clause: str) -> None:
    status, clause, detail = call.refusal("GET", "/agents", **{cursor: value})
    assert (status, clause) == (400, "agents.cursor-invalid")
    assert detail.startswith("An invalid ID was passed for paginating results")
    assert len(detail) < 250


def test_a_cursor_that_names_no_agent_is_refused(call: ApiClient) -> None:
    assert call.refusal("GET", "/agents", after=UNKNOWN)[:2] == (400, "agents.after-unknown")
    assert call.refusal("GET", "/agents", before=UNKNOWN)[:2] == (400, "")


def test_a_cursor_may_be_in_capitals(five: ApiClient) -> None:
    assert names(five.get("/agents", after=ids(five)["d"].upper())) == "e"


@pytest.mark.parametrize(
    "query",
    [
        {"limit": "0"},
        {"limit": "1000"},
        {"limit": "many"},
        {"limit": ""},
        {"offset": "-1"},
        {"offset": "4294967297"},
        {"order": "up"},
        {"set_num_objects": "perhaps"},
        {"index_id": "no"},
        {"knowledge_base_id": "no"},
    ],
)
def test_a_query_that_breaks_its_schema_is_refused_and_named(call: ApiClient, query: dict[str, str]) -> None:
    status, _, detail = call.refusal("GET", "/assistants", **query)
    assert (status, detail[0]["loc"]) == (422, ["query", *query])


def test_agents_of_one_second_are_in_one_order_always(call: ApiClient) -> None:
    made = [call.agent()["id"] for _ in range(20)]
    listed = [agent["id"] for agent in call.get("/agents")["data"]]
    assert listed == [agent["id"] for agent in call.get("/agents", order="desc")["data"]][::-1]
    assert listed[-20:] == sorted(made)


def test_more_agents_are_listed_than_the_store_gives_at_once() -> None:
    """A bound that was lowered leaves more agents than it allows."""
    store = MemoryStore()
    for number in range(1_050):
        key = f"scope//agent/00000000-0000-4000-8000-{number:012}"
        store.put(key, b'{"created_at":%d,"model":"m","name":"%d"}' % (number, number), None, pinned=True)
    page = ApiClient(engine(Config(agents={}), store=store)).get("/agents", offset="1048", set_num_objects="true")
    assert ([agent["name"] for agent in page["data"]], page["num_objects"]) == (["1048", "1049"], 1050)
