from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any

import pytest

from agent_contract.messages import Reply, Request
from mockserver import load_engine
from mockserver.engine import Engine
from server_defects.catalogue import DEFECTS, Defect
from server_defects.player import PLAYABLE, DefectiveEngine, play
from tests.server_defects.support.requests import CALLED, CHAT, HELLO, SESSION, post, single_requests

NAMED = {defect.name: defect for defect in DEFECTS}
#: Ids and times, which differ from run to run.
IDS = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|call_[0-9a-f]+|\b[1-9]\d{9}\b")


def playing(*names: str) -> Engine | DefectiveEngine:
    return play(load_engine(), [NAMED[name] for name in names])


def chat(engine: Engine | DefectiveEngine, **body: Any) -> dict[str, Any]:
    reply = engine.handle(post(CHAT, {"messages": HELLO, **body})).reply
    assert reply.status == 200, reply.content()
    value: dict[str, Any] = json.loads(reply.content())
    return value


def replies(engine: Engine | DefectiveEngine) -> Iterator[Reply]:
    """Yield the replies to requests of many kinds, those of sessions last."""
    yield from (engine.handle(request).reply for request in single_requests())
    for stream in ({}, {"stream": True, "stream_options": {"include_usage": True}}):
        opened = [engine.handle(post(CHAT, {"messages": HELLO, "create_session": True, **stream})) for _ in range(2)]
        yield from (exchange.reply for exchange in opened)
        for exchange in opened:
            found = re.search(rb'"session_id": ?"([^"]+)"', exchange.reply.content())
            session = found[1].decode() if found else SESSION
            for messages in (HELLO, HELLO, CALLED, CALLED[-1:], HELLO):
                body = {"messages": messages, "store_in_session": session, **stream}
                yield engine.handle(post(CHAT, body)).reply
        yield engine.handle(post(CHAT, {"messages": HELLO, "create_session": True})).reply
        yield engine.handle(post(CHAT, {"messages": HELLO, **stream})).reply


def visible(engine: Engine | DefectiveEngine) -> list[object]:
    return [(one.status, one.headers, type(one), IDS.sub("", one.content().decode())) for one in replies(engine)]


@cache
def usual() -> list[object]:
    return visible(load_engine())


def of_every(number: int) -> Iterable[Defect]:
    """Return one defect of this number, so that a run takes seconds; the tests of `client-check` play all of them."""
    return PLAYABLE[::number]


def test_without_a_defect_nothing_changes() -> None:
    same = Defect("", "", "", "", {"leave": lambda status, headers, request: headers})
    assert visible(play(load_engine(), [same])) == usual()


@pytest.mark.parametrize("defect", of_every(12), ids=lambda defect: defect.name)
def test_a_defect_changes_what_a_client_sees_and_never_fails_by_itself(defect: Defect) -> None:
    found = visible(play(load_engine(), [defect]))
    assert len(found) == len(usual())
    assert found != usual()
    assert "internal_error" not in str(found)


def test_most_defects_can_be_played_by_a_mock() -> None:
    assert len(PLAYABLE) > 0.9 * len(DEFECTS)


def test_an_unknown_agent_gets_an_answer_from_a_server_that_does_not_look() -> None:
    request = post(CHAT.replace("demo", "nobody"), {"messages": HELLO})
    assert playing("agent-any-answers").handle(request).reply.status == 200


def test_a_session_that_is_forgotten_is_not_seen_in_the_counts() -> None:
    def tokens(engine: Engine | DefectiveEngine) -> list[int]:
        session = chat(engine, create_session=True)["session_id"]
        return [chat(engine, store_in_session=session)["usage"]["prompt_tokens"] for _ in range(2)]

    first, second = tokens(load_engine())
    assert first < second
    forgotten, again = tokens(playing("session-ignored"))
    assert forgotten == again < first


def test_an_unknown_session_is_refused_by_a_server_with_other_defects_of_sessions() -> None:
    request = post(CHAT, {"messages": HELLO, "store_in_session": SESSION})
    assert playing("session-ignored").handle(request).reply.status == 404


def test_a_limit_that_is_ignored_gives_the_whole_text() -> None:
    whole = chat(load_engine())
    limited = chat(playing("max-tokens-ignored"), max_tokens=3)
    assert limited["choices"][0]["message"] == whole["choices"][0]["message"]
    assert limited["usage"] == whole["usage"]


def test_a_limit_that_is_kept_leaves_the_reply_as_it_is() -> None:
    assert (
        chat(playing("max-tokens-ignored-in-streams"), max_tokens=3)["choices"]
        == chat(load_engine(), max_tokens=3)["choices"]
    )


def test_the_journal_has_one_entry_for_a_request_whose_text_is_made_elsewhere() -> None:
    engine = load_engine()
    chat(play(engine, [NAMED["max-tokens-ignored"]]), max_tokens=3)
    assert len(engine.requests()) == 1


def test_defects_are_played_together() -> None:
    answer = chat(playing("created-zero", "object-of-a-chunk"))
    assert (answer["created"], answer["object"]) == (0, "chat.completion.chunk")


def test_the_control_interface_stays_as_it_is() -> None:
    request = Request("GET", "/__mock__/health")
    assert playing("get-answered").handle(request).reply == load_engine().handle(request).reply
