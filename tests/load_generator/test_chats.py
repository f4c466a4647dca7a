"""The bodies of a load test are the contract's, every agent accepts them, and no two are equal."""

from __future__ import annotations

from itertools import islice

import httpx

from agent_contract import load_contract
from load_generator.chats import chat_operation, chats_of, with_other_words
from mockserver import MockTransport

CONTRACT = load_contract()
CHATS = chats_of(CONTRACT)


def test_users_send_several_plain_and_several_streamed_chats() -> None:
    assert len(CHATS.plain) >= 5
    assert len(CHATS.streamed) >= 2
    assert not any(body.get("stream") for body in CHATS.plain)


def test_agents_of_every_kind_answer_every_chat() -> None:
    path = chat_operation(CONTRACT).path
    with httpx.Client(transport=MockTransport(), base_url="http://mock") as client:
        for body in (*CHATS.plain, *CHATS.streamed):
            sent = next(with_other_words((body,), "user"))
            for agent in ("demo", "demo-open", "demo-tools", "demo-knowledge"):
                assert client.post(path.format(agent_id=agent), json=sent).status_code == 200, (agent, sent)


def test_no_two_chats_have_the_same_last_message() -> None:
    bodies = [next(with_other_words(CHATS.plain, "a")), *islice(with_other_words(CHATS.plain, "b"), 100)]
    assert len({str(body["messages"][-1]) for body in bodies}) == 101


def test_the_examples_of_the_contract_stay_as_they_are() -> None:
    before = repr(CHATS)
    list(islice(with_other_words(CHATS.plain, "user"), 50))
    assert repr(CHATS) == before
