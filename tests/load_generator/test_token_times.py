"""The times of a stream's tokens are read from its lines, without a socket and without a clock."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from load_generator.token_times import read_token_times


def lines(*events: tuple[float, object]) -> Iterator[tuple[float, bytes]]:
    for seconds, value in events:
        data = value if isinstance(value, str) else json.dumps(value)
        yield seconds, f"data: {data}\n".encode()
        yield seconds, b"\n"


def chunk(**delta: object) -> dict[str, object]:
    return {"choices": [{"index": 0, "delta": delta, "finish_reason": None}]}


def test_the_first_token_is_the_first_content_and_gaps_follow_it() -> None:
    times = read_token_times(
        lines(
            (0.1, chunk(role="assistant", content="")),
            (0.5, chunk(content="Hel")),
            (0.75, chunk(content="lo")),
            (1.75, chunk(content="!")),
            (2.0, {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}),
            (2.0, "[DONE]"),
        )
    )
    assert (times.first, times.gaps, times.problem) == (0.5, [0.25, 1.0], "")


def test_a_part_of_a_tool_call_is_a_token() -> None:
    times = read_token_times(lines((0.5, chunk(tool_calls=[{"index": 0}])), (0.5, "[DONE]")))
    assert (times.first, times.problem) == (0.5, "")


def test_comments_names_of_events_and_chunks_of_usage_are_not_tokens() -> None:
    rest = lines((1.0, {"choices": [], "usage": {"total_tokens": 3}}), (1.0, chunk(content="a")), (1.0, "[DONE]"))
    times = read_token_times([(0.1, b": waiting\n"), (0.2, b"event: message\n"), *rest])
    assert (times.first, times.gaps, times.problem) == (1.0, [], "")


@pytest.mark.parametrize(
    ("events", "problem"),
    [
        ([(0.1, chunk(content="a"))], "the stream ended without [DONE]"),
        ([(0.1, "[DONE]")], "the stream contains no token"),
        ([(0.1, "{"), (0.2, "[DONE]")], "the stream contains an error: an event is not JSON"),
        ([(0.1, "[1]"), (0.2, "[DONE]")], "the stream contains an error: an event is not an object"),
        ([(0.1, {"error": "overloaded"})], "the stream contains an error: overloaded"),
        ([(0.1, {"choices": [None]}), (0.2, "[DONE]")], "the stream contains no token"),
    ],
)
def test_a_broken_stream_is_a_failure(events: list[tuple[float, object]], problem: str) -> None:
    assert read_token_times(lines(*events)).problem == problem
