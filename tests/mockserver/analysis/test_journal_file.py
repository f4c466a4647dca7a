"""A journal that was edited or damaged is read, or refused with a reason; nothing in it is an unexpected error."""

from __future__ import annotations

import copy
import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from mockserver.analysis.coverage import Coverage
from mockserver.analysis.coverage_report import as_html, as_text
from mockserver.analysis.journal_file import JournalError, read_journal_file
from mockserver.analysis.session_lint import lint_sessions
from mockserver.build import own_contract
from tests.mockserver.analysis.support.conversations import Conversation

CONTRACT = own_contract()
VALUES: tuple[Any, ...] = (None, True, 0, -1, 1.5, 1e300, "", "x", "true", [], [1], [[]], [{}], {}, {"a": 1}, 10**18)
EDITS = 1000


@pytest.fixture(scope="module")
def entries() -> list[dict[str, Any]]:
    chat = Conversation()
    session = chat.create("Hello!", n=2)
    chat.answer("And now?", store_in_session=session)
    chat.send("Hello!", create_session=True, stream=True, n=2)
    chat.create("Hello!", tools=[{"type": "function", "function": {"name": "get_time"}}], tool_choice="required")
    chat.send("Hello!", store_in_session="00000000-0000-4000-8000-0000000000fe")
    chat.send()
    return chat.engine.requests()


def places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, one in inner:
        yield from places(one, (*place, key))


def edited(entries: list[dict[str, Any]], draw: random.Random) -> bytes:
    """Return the journal with another value at one place."""
    value: Any = copy.deepcopy(entries)
    *parents, last = draw.choice([*places(value)][1:])
    holder = value
    for key in parents:
        holder = holder[key]
    holder[last] = draw.choice(VALUES)
    return orjson.dumps(value)


def test_an_edited_journal_causes_no_unexpected_error(entries: list[dict[str, Any]]) -> None:
    draw, refused = random.Random(0), 0
    for _ in range(EDITS):
        try:
            observations = read_journal_file(edited(entries, draw))
        except JournalError:
            refused += 1
            continue
        lint_sessions(observations)
        coverage = Coverage()
        for seen in observations:
            coverage.add(seen, CONTRACT)
        assert as_text(coverage, CONTRACT)
        assert as_html(coverage, CONTRACT)
    assert 0 < refused < EDITS / 2


def test_a_journal_is_read_in_the_order_of_the_requests(entries: list[dict[str, Any]]) -> None:
    numbers = [seen.number for seen in read_journal_file(orjson.dumps({"requests": entries}))]
    assert numbers == sorted(entry["number"] for entry in entries)
