"""Requests that an engine answers together: each gets what it would get by itself."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Any, NoReturn

import pytest

from agent_contract.messages import Exchange, Reply, Request
from mockserver.build import create_engine
from mockserver.core.context import Context
from mockserver.core.player import Effort
from mockserver.engine import Engine
from mockserver.stores import MemoryStore, Store
from mockserver.stores.sqlite import SQLiteStore
from tests.mockserver.support.chat_client import CONTRACT, OPERATION, engine, request, stored_messages, user

MODELS = Request("GET", "/api/v1/compatibility/openai/v1/models")


@pytest.fixture
def new_engine(tmp_path: Path) -> Iterator[Callable[[str], Engine]]:
    """Returns an engine with a new file; another process that locks the file makes it wait for 10 ms."""
    with ExitStack() as stack:

        def opened(name: str) -> Engine:
            return engine(store=stack.enter_context(closing(SQLiteStore(tmp_path / name, timeout=0.01))))

        yield opened


def chat(text: str, **fields: Any) -> Request:
    return request({"messages": [user(text)], **fields})


def new_session(player: Engine) -> str:
    session: str = json.loads(player.reply(chat("Hello!", create_session=True)).content())["session_id"]
    return session


def said(store: Store, session: str) -> list[str]:
    """Return what the user has said in a session."""
    (key,) = [key for key, _ in store.items() if key.endswith(session)]
    return [message["content"] for message in stored_messages(store, key) if message["role"] == "user"]


def test_the_replies_and_the_journal_are_those_of_requests_one_after_another(
    new_engine: Callable[[str], Engine],
) -> None:
    together, alone = new_engine("together.db"), new_engine("alone.db")
    requests = [
        chat("One?"),
        request({"messages": 1}),
        chat("Two?", create_session=True),
        MODELS,
        chat("3?", stream=True),
    ]
    assert together.replies(requests) == [alone.reply(one) for one in requests]
    assert together.requests() == alone.requests()
    assert len(together.requests()) == len(requests)


def test_turns_of_one_session_are_all_kept(new_engine: Callable[[str], Engine]) -> None:
    player = new_engine("state.db")
    session, other = new_session(player), new_session(player)
    turns = [chat(f"Turn {number}.", store_in_session=session) for number in range(5)]
    replies = player.replies([*turns, chat("Elsewhere.", store_in_session=other)])
    assert {reply.status for reply in replies} == {200}
    assert said(player.store, session) == ["Hello!", *(f"Turn {number}." for number in range(5))]
    assert said(player.store, other) == ["Hello!", "Elsewhere."]
    assert len(player.requests()) == 8


def test_while_the_file_is_locked_only_requests_that_change_nothing_are_answered(
    new_engine: Callable[[str], Engine], tmp_path: Path
) -> None:
    player = new_engine("state.db")
    session = new_session(player)
    with closing(sqlite3.connect(tmp_path / "state.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        replies = player.replies([chat("Lost?", store_in_session=session), chat("Hello!"), MODELS])
        other.execute("ROLLBACK")
    assert [reply.status for reply in replies] == [503, 200, 200]
    assert "locked" in json.loads(replies[0].content())["detail"]
    assert said(player.store, session) == ["Hello!"]


def test_a_turn_and_its_entry_in_the_journal_are_written_together_or_not_at_all(
    new_engine: Callable[[str], Engine], tmp_path: Path
) -> None:
    player = new_engine("state.db")
    session = new_session(player)
    with closing(sqlite3.connect(tmp_path / "state.db")) as other:
        other.execute("CREATE TRIGGER full BEFORE INSERT ON entry BEGIN SELECT raise(ABORT, 'no entries'); END")
        other.commit()
    assert player.reply(chat("Lost?", store_in_session=session)).status == 503
    assert player.reply(MODELS).status == 200
    assert said(player.store, session) == ["Hello!"]


def test_the_listener_is_called_with_each_exchange(new_engine: Callable[[str], Engine]) -> None:
    heard: list[Exchange] = []
    player = new_engine("state.db")
    player.listener = heard.append
    replies = player.replies([MODELS, chat("Hello!")])
    assert [exchange.reply for exchange in heard] == replies


def test_a_request_with_an_unexpected_error_does_not_change_the_others(tmp_path: Path) -> None:
    def fail(_: Context) -> NoReturn:
        raise ValueError("a defect")

    with closing(SQLiteStore(tmp_path / "state.db")) as store:
        player = create_engine(CONTRACT, store=store, behaviours={OPERATION.id: fail})
        assert [reply.status for reply in player.replies([MODELS, chat("Hello!"), MODELS])] == [200, 500, 200]
        assert len(player.requests()) == 3


def test_a_store_that_does_not_group_writes_answers_one_after_another() -> None:
    replies: list[Reply] = [*engine(store=MemoryStore()).replies([MODELS, MODELS])]
    assert [reply.status for reply in replies] == [200, 200]


def test_only_plain_requests_are_answered_together(new_engine: Callable[[str], Engine]) -> None:
    player = new_engine("state.db")
    assert player.effort(chat("Hello!")) is Effort.GROUPED
    assert player.effort(chat("Hello!", n=2)) is Effort.COMPUTES
    assert player.effort(Request("GET", "/__mock__/ready")) is Effort.WAITS
