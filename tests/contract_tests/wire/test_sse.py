"""Server-sent events are read as a browser reads them, however they arrive."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contract_tests.wire.sse import EventStream, ReceivedEvent, read

TEXT = 'data: {"a": "Grüße 👋"}\n\nevent: note\nid: 7\ndata: one\ndata: two\n\n: a comment\ndata: [DONE]\n\n'
DATA = ['{"a": "Grüße 👋"}', "one\ntwo", "[DONE]"]


def of(text: str | bytes) -> EventStream:
    return read([(0.0, text.encode() if isinstance(text, str) else text)])


def data(stream: EventStream) -> list[str]:
    return [event.data for event in stream.events]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@given(borders=st.lists(st.integers(0, 120)))
def test_any_line_end_and_any_border_give_the_same_events(end: str, borders: list[int]) -> None:
    """UTF-8 is cut in the middle of a character too, and CRLF between its two."""
    raw = TEXT.replace("\n", end).encode()
    cuts = [0, *sorted(min(border, len(raw)) for border in borders), len(raw)]
    pieces = [(float(at), raw[start:stop]) for at, (start, stop) in enumerate(pairwise(cuts))]
    stream = read(pieces)
    assert data(stream) == DATA
    assert stream.unfinished == ""
    assert stream.ignored == stream.garbled == ()


def test_mixed_line_ends_are_read() -> None:
    assert data(of("data: a\r\n\ndata: b\r\rdata: c\n\r\n")) == ["a", "b", "c"]


def test_name_and_id_belong_to_the_event_and_the_id_stays() -> None:
    """The id of an event is that of the last one that had one."""
    events = of("event: x\nid: 1\ndata: a\n\ndata: b\n\n").events
    assert events == (ReceivedEvent("a", "x", "1"), ReceivedEvent("b", "", "1"))


def test_an_event_without_data_is_skipped() -> None:
    assert of("event: ping\n\n: keep alive\n\nretry: 3000\n\ndata: a\n\n").events == (ReceivedEvent("a"),)


def test_one_space_after_the_colon_is_not_data() -> None:
    assert data(of("data:a\n\ndata:  b\n\ndata\ndata\n\n")) == ["a", " b", "\n"]


def test_a_byte_order_mark_is_passed_over() -> None:
    assert data(of(b"\xef\xbb\xbfdata: a\n\n")) == ["a"]


def test_an_event_that_no_blank_line_ends_is_never_seen() -> None:
    stream = of("data: a\n\ndata: [DONE]\n")
    assert data(stream) == ["a"]
    assert stream.unfinished == "[DONE]"
    assert of("data: a\n\ndata: [DO").unfinished == "[DO"


def test_lines_that_clients_ignore_are_kept_apart() -> None:
    assert of('{"a": 1}\n\ndata: a\n\n').ignored == ('{"a": 1}',)


def test_bytes_that_are_not_utf8_are_told() -> None:
    assert of(b"data: \xff\n\n").garbled == ("data: \ufffd",)


def test_the_time_of_an_event_is_that_of_its_last_line() -> None:
    stream = read([(1.0, b"data: a"), (2.0, b"\n\ndata: b\n"), (3.0, b"\n")])
    assert [event.at for event in stream.events] == [2.0, 3.0]


@given(st.lists(st.binary()))
def test_no_bytes_make_it_fail(pieces: list[bytes]) -> None:
    read([(0.0, piece) for piece in pieces])
