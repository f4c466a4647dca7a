"""The answer as a stream: its chunks, their order, and their delays."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from mockserver.generation.latency import Pace
from mockserver.generation.tokenizer import count_tokens
from tests.mockserver.support.chat_client import ChatClient, engine


def choices_of(chunks: Iterable[Any], index: int) -> list[Any]:
    return [choice for chunk in chunks for choice in chunk["choices"] if choice["index"] == index]


def joined(chunks: Iterable[Any], index: int = 0) -> str:
    return "".join(choice["delta"].get("content", "") for choice in choices_of(chunks, index))


@pytest.mark.parametrize("n", [1, 3])
def test_each_choice_has_role_then_content_then_finish(ask: ChatClient, n: int) -> None:
    chunks = ask.chunks("Teach me about the sea.", n=n)
    for index in range(n):
        role, *content, finish = choices_of(chunks, index)
        assert role["delta"] == {"role": "assistant", "content": ""}
        assert all(piece["delta"].keys() == {"content"} for piece in content)
        assert finish["delta"] == {}
        assert [piece["finish_reason"] for piece in (role, *content, finish)] == [None] * (len(content) + 1) + ["stop"]


@pytest.mark.parametrize(
    "fields", [{}, {"n": 3}, {"max_tokens": 4}, {"stop": ["."]}, {"stop": ["e"], "n": 2}, {"seed": 4, "temperature": 2}]
)
def test_the_pieces_make_up_the_plain_answer(ask: ChatClient, fields: dict[str, Any]) -> None:
    plain = ask.answer("Teach me about the sea.", **fields)["choices"]
    chunks = ask.chunks("Teach me about the sea.", **fields)
    assert [joined(chunks, index) for index in range(len(plain))] == [one["message"]["content"] for one in plain]
    finishes = [choices_of(chunks, index)[-1]["finish_reason"] for index in range(len(plain))]
    assert finishes == [one["finish_reason"] for one in plain]


def test_a_piece_is_a_token(ask: ChatClient) -> None:
    contents = [one["delta"]["content"] for one in choices_of(ask.chunks("Teach me about the sea."), 0)[1:-1]]
    assert {count_tokens(content) for content in contents} == {1}


def test_choices_speak_in_turn(ask: ChatClient) -> None:
    chunks = ask.chunks("Teach me about the sea.", n=2)
    assert [chunk["choices"][0]["index"] for chunk in chunks[:6]] == [0, 1, 0, 1, 0, 1]


def test_all_chunks_are_of_one_answer(ask: ChatClient) -> None:
    chunks = ask.chunks(n=2, create_session=True, stream_options={"include_usage": True})
    for name in ("id", "created", "model", "object", "session_id"):
        assert len({chunk[name] for chunk in chunks}) == 1
    assert chunks[0]["object"] == "chat.completion.chunk"


def test_a_stream_has_no_session_id_unless_requested(ask: ChatClient) -> None:
    assert not any("session_id" in chunk for chunk in ask.chunks())


def test_usage_comes_in_one_chunk_just_before_the_end(ask: ChatClient) -> None:
    chunks = ask.chunks("Teach me about the sea.", n=2, stream_options={"include_usage": True})
    assert [chunk["choices"] == [] for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1]["usage"] == ask.answer("Teach me about the sea.", n=2)["usage"]


@pytest.mark.parametrize("options", [None, {}, {"include_usage": False}, {"include_usage": None}])
def test_usage_that_is_not_asked_for_is_not_sent(ask: ChatClient, options: dict[str, Any] | None) -> None:
    assert not any("usage" in chunk for chunk in ask.chunks(stream_options=options))


def test_usage_is_a_streams_own_affair(ask: ChatClient) -> None:
    assert ask.answer(stream_options={"include_usage": True})["choices"]


def test_what_an_answer_rests_on_comes_once_at_its_beginning(ask: ChatClient) -> None:
    chunks = ask.chunks("How long may I keep a book?", agent="demo-knowledge", n=2)
    assert ["index_context_info" in chunk for chunk in chunks] == [True] + [False] * (len(chunks) - 1)


def test_a_stream_is_not_to_be_cached(ask: ChatClient) -> None:
    headers = ask.reply(stream=True).headers
    assert headers["content-type"].startswith("text/event-stream")
    assert headers["cache-control"] == "no-cache"
    assert "content-length" not in headers


def test_an_answer_of_no_tokens_still_ends(ask: ChatClient) -> None:
    first = ask.content()[0]
    chunks = ask.chunks(stop=[first])
    assert joined(chunks) == ""
    assert choices_of(chunks, 0)[-1]["finish_reason"] == "stop"


def test_a_refused_stream_is_refused_as_a_plain_request_is(ask: ChatClient) -> None:
    assert ask.reply(stream=True, model="x").body == ask.reply(model="x").body


def test_delays_stand_between_the_tokens() -> None:
    reply = ChatClient(engine(pace=Pace(ttft=0.5, tps=4))).reply(stream=True, n=2, max_tokens=3)
    assert not isinstance(reply.body, bytes)
    assert reply.delay == 0.5
    assert [event.delay for event in reply.body] == [0, 0, 0, 0, 0.25, 0, 0.25, 0, 0, 0, 0]


def test_a_plain_answer_takes_as_long_as_its_longest_choice() -> None:
    reply = ChatClient(engine(pace=Pace(ttft=0.5, tps=4))).reply(n=2, max_tokens=3)
    assert reply.delay == 1.0


def test_a_refusal_does_not_wait() -> None:
    assert ChatClient(engine(pace=Pace(ttft=0.5, tps=4))).reply(model="x").delay == 0
