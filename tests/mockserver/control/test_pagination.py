"""Lists of the control interface: page by page they show what they show at once, and a page is never too long."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from mockserver.engine import Engine
from tests.mockserver.support.api_client import COMPLETER, ApiClient
from tests.mockserver.support.chat_client import engine
from tests.mockserver.support.control_client import Control

#: Three rows or more in each list: its path, the field with its rows, and the parameter that takes the cursor.
LISTS = [
    ("/agents", "agents", "after"),
    ("/sessions", "sessions", "after"),
    ("/requests", "requests", "before"),
    ("/scopes", "scopes", "after"),
]


@pytest.fixture(scope="module")
def full() -> Control:
    """A mock with created agents, sessions of several agents, and scopes."""
    player = engine()
    call = ApiClient(player)
    made = [call.agent(name=f"mine-{number}")["id"] for number in range(3)]
    for agent in ("demo", "demo", "demo-open", *made):
        call.chat(agent, create_session=True)
    for name in ("one", "other", "third"):
        ApiClient(player, name).chat("demo")
    return Control(player)


def pages(control: Control, path: str, cursor: str, limit: int) -> Iterator[dict[str, Any]]:
    """Yield the pages of a list, as a client follows them."""
    page = control.get(path, limit=str(limit))
    yield page
    while page["next"] is not None:
        page = control.get(path, limit=str(limit), **{cursor: str(page["next"])})
        yield page


@pytest.mark.parametrize(("path", "name", "cursor"), LISTS)
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_the_pages_of_a_list_have_each_row_once_in_its_order(
    full: Control, path: str, name: str, cursor: str, limit: int
) -> None:
    whole = full.get(path)
    found = [page[name] for page in pages(full, path, cursor, limit)]

    assert whole["next"] is None
    assert [row for rows in found for row in rows] == whole[name]
    assert {len(rows) for rows in found[:-1]} == {limit}
    assert 1 <= len(found[-1]) <= limit


@pytest.mark.parametrize(("path", "name"), [one[:2] for one in LISTS])
def test_a_page_that_ends_with_the_last_row_has_no_next(full: Control, path: str, name: str) -> None:
    count = len(full.get(path)[name])

    assert full.get(path, limit=str(count))["next"] is None
    assert full.get(path, limit=str(count - 1))["next"] is not None


def test_the_sessions_of_one_agent_are_read_page_by_page(full: Control) -> None:
    one, other = full.get("/sessions", agent="demo")["sessions"]
    first = full.get("/sessions", agent="demo", limit="1")

    assert first["sessions"] == [one]
    assert full.get("/sessions", agent="demo", limit="1", after=first["next"]) == {"sessions": [other], "next": None}


def summarized_session(player: Engine) -> str:
    """Return a session whose first messages gave way to a summary."""
    call = ApiClient(player)
    kept = {"session_max_length": 1000, "session_summarization_strategy": "summarize", "session_max_ttl": 3600}
    agent = call.post("/agents", {"model": COMPLETER, **kept})["id"]
    session: str = call.chat(agent, "word " * 300, create_session=True)["session_id"]
    for number in range(4):
        call.chat(agent, f"{number} " + "word " * 300, store_in_session=session)
    return session


@pytest.mark.parametrize("limit", [1, 2, 3])
def test_the_messages_of_a_session_with_a_summary_are_read_page_by_page(limit: int) -> None:
    player = engine()
    path = f"/sessions/{summarized_session(player)}"
    whole = Control(player).get(path)
    found = list(pages(Control(player), path, "after", limit))

    assert whole["messages"][0]["content"].startswith("Summary of ")
    assert len(whole["messages"]) >= 3
    assert [message for page in found for message in page["messages"]] == whole["messages"]
    assert [page["next"] for page in found[:-1]] == [limit * number for number in range(1, len(found))]


def test_a_session_is_found_among_those_of_all_agents(full: Control) -> None:
    listed = full.get("/sessions")["sessions"]

    assert [full.get(f"/sessions/{one['session']}")["agent"] for one in listed] == [one["agent"] for one in listed]
    assert len({one["agent"] for one in listed}) == 5
