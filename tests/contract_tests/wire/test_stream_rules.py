"""A stream is judged by its states: what is wrong is named, what is innocent is not."""

from __future__ import annotations

import json
from typing import Any

import pytest

from contract_tests.wire import sse, stream_rules

HEAD: dict[str, Any] = {"id": "a", "created": 1, "model": "m"}
DONE = "[DONE]"


def chunk(delta: dict[str, Any] | None = None, finish: str | None = None, index: Any = 0, **head: Any) -> str:
    choices = [] if delta is None else [{"index": index, "delta": delta, "finish_reason": finish}]
    return json.dumps({**HEAD, **head, "choices": choices})


ROLE, WORD, END = chunk({"role": "assistant", "content": ""}), chunk({"content": "Hi"}), chunk({}, "stop")


def rules(*events: str, n: int = 1, failure: str = "") -> set[str]:
    raw = "".join(f"data: {event}\n\n" for event in events)
    return {fault.rule for fault in stream_rules.faults(sse.read([(0.0, raw.encode())]), n, failure)}


INNOCENT = {
    "as usual": ([ROLE, WORD, END, DONE], 1),
    "no role": ([WORD, END, DONE], 1),
    "role and content together": ([chunk({"role": "assistant", "content": "Hi"}), END, DONE], 1),
    "role in every chunk until there is content": ([ROLE, ROLE, WORD, END, DONE], 1),
    "content and finish together": ([ROLE, chunk({"content": "Hi"}, "length"), DONE], 1),
    "nothing said": ([ROLE, chunk({}, "length"), DONE], 1),
    "null in place of content": ([chunk({"role": "assistant", "content": None}), END, DONE], 1),
    "empty content after the finish": ([WORD, END, chunk({"content": ""}), DONE], 1),
    "usage at the end": ([WORD, END, chunk(usage={"total_tokens": 1}), DONE], 1),
    "no id in one chunk": ([WORD, chunk({}, "stop", id=None), DONE], 1),
    "two choices in turn": ([WORD, chunk({"content": "Ho"}, index=1), END, chunk({}, "stop", 1), DONE], 2),
    "one choice after the other": ([WORD, END, chunk({"content": "Ho"}, index=1), chunk({}, "stop", 1), DONE], 2),
}
FAULTS = {
    "no done": ([WORD, END], {"done"}),
    "done twice": ([WORD, END, DONE, DONE], {"done"}),
    "done before the end": ([WORD, DONE, END], {"done"}),
    "no finish": ([WORD, DONE], {"finish"}),
    "two finishes": ([WORD, END, END, DONE], {"finish"}),
    "content after the finish": ([WORD, END, WORD, DONE], {"after-finish"}),
    "role after content": ([WORD, ROLE, END, DONE], {"role"}),
    "role in the last chunk": ([WORD, chunk({"role": "assistant"}, "stop"), DONE], {"role"}),
    "another id": ([WORD, chunk({}, "stop", id="b"), DONE], {"constant"}),
    "another time": ([WORD, chunk({}, "stop", created=2), DONE], {"constant"}),
    "another model": ([WORD, chunk({}, "stop", model="n"), DONE], {"constant"}),
    "an index too many": ([WORD, END, chunk({"content": "Ho"}, "stop", 1), DONE], {"index"}),
    "an index that is a string": ([WORD, END, chunk({}, "stop", "0"), DONE], {"index"}),
    "no JSON": ([WORD, "{", END, DONE], {"framing"}),
    "a list": ([WORD, "[]", END, DONE], {"framing"}),
    "another end": ([WORD, END, "done"], {"framing", "done"}),
}


@pytest.mark.parametrize(("events", "n"), INNOCENT.values(), ids=INNOCENT)
def test_an_innocent_stream_has_no_fault(events: list[str], n: int) -> None:
    assert rules(*events, n=n) == set()


@pytest.mark.parametrize(("events", "wanted"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_named_by_its_rule(events: list[str], wanted: set[str]) -> None:
    assert rules(*events) == wanted


def test_a_choice_that_never_comes_is_missed() -> None:
    assert rules(WORD, END, DONE, n=2) == {"index"}


def test_a_stream_that_breaks_off_lacks_its_end_alone() -> None:
    """What would have come later is not missed as well."""
    assert rules(ROLE, WORD, failure="the connection was closed") == {"done"}
    assert rules(ROLE, WORD, n=2) == {"done"}


def test_an_end_that_comes_twice_is_counted() -> None:
    raw = "".join(f"data: {event}\n\n" for event in (WORD, END, DONE, DONE))
    (fault,) = stream_rules.faults(sse.read([(0.0, raw.encode())]))
    assert fault.got == "[DONE] 2 times, as events 3, 4"


def test_done_without_its_blank_line_is_explained() -> None:
    raw = f"data: {WORD}\n\ndata: {END}\n\ndata: [DONE]\n"
    (fault,) = stream_rules.faults(sse.read([(0.0, raw.encode())]))
    assert fault.rule == "done"
    assert "blank line" in fault.got


def test_a_chunk_outside_a_data_line_is_told() -> None:
    raw = f"data: {WORD}\n\n{WORD}\n\ndata: {END}\n\ndata: [DONE]\n\n"
    assert [fault.rule for fault in stream_rules.faults(sse.read([(0.0, raw.encode())]))] == ["framing"]


def test_deltas_are_joined_choice_by_choice() -> None:
    raw = "".join(f"data: {event}\n\n" for event in (WORD, chunk({"content": "Ho"}, index=1), WORD))
    events = sse.read([(0.0, raw.encode())])
    assert (stream_rules.spoken(events), stream_rules.spoken(events, 1)) == ("HiHi", "Ho")


@pytest.mark.parametrize("event", ["null", '{"choices": 7}', '{"choices": [7, {"delta": 7}]}', '{"choices": [{}]}'])
def test_no_json_makes_it_fail(event: str) -> None:
    rules(event, DONE)
