"""Recordings in files: what is written can be read again, and nothing else is taken for one."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent_contract.messages import Exchange, Reply, Request
from agent_contract.redaction import redaction_of
from mockserver.faults.broken_reply import Piece
from mockserver.recording.recording import EVENT_STREAM, RecordingError, read_exchange, recording_json, redacted
from mockserver.recording.recording_folder import read_recordings, write_recording
from tests.docs.support.blocks import ROOT

TOKEN = "token-äö-0123456789"
_texts = st.text(st.characters(codec="utf-8"), max_size=20)
_bodies = st.one_of(
    st.binary(max_size=80),
    _texts.map(str.encode),
    st.recursive(
        st.none() | st.integers() | _texts, lambda inner: st.lists(inner) | st.dictionaries(_texts, inner)
    ).map(lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()),
    st.lists(_texts).map(lambda texts: b"".join(b"data: %s\n\n" % json.dumps(text).encode() for text in texts)),
)
_pieces = st.lists(st.builds(Piece, st.binary(min_size=1, max_size=9), delay=st.sampled_from([0.0, 0.25, 1.5])))


@given(_bodies, st.one_of(_bodies, _pieces.map(tuple)), st.sampled_from(["application/json", EVENT_STREAM]))
def test_what_is_written_can_be_read_again(sent: bytes, answered: bytes | tuple[Piece, ...], kind: str) -> None:
    request = Request("POST", "/a b", (("x", "1"), ("x", "ä")), {"content-type": "text/plain"}, sent)
    exchange = Exchange(request, Reply(201, {"content-type": kind}, answered, 0.5))
    text = json.dumps(recording_json(exchange))
    again = read_exchange(json.loads(text))
    assert again.request == request
    assert (again.reply.status, again.reply.delay, again.reply.content()) == (201, 0.5, exchange.reply.content())
    if not isinstance(answered, bytes):
        assert again.reply.body == answered


@given(st.lists(st.sampled_from([b"a", b"\xc3", b"\xa4", TOKEN.encode(), TOKEN.encode()[:9], TOKEN.encode()[9:]])))
def test_a_redacted_reply_has_as_many_pieces_and_the_text_of_the_redacted_whole(parts: list[bytes]) -> None:
    pieces = tuple(Piece(part, delay=0.5) for part in parts)
    hide = redaction_of((TOKEN,))
    exchange = redacted(Exchange(Request("GET", "/"), Reply(200, {}, pieces)), hide)
    assert [piece.delay for piece in exchange.reply.body] == [0.5] * len(parts)  # type: ignore[union-attr]
    assert exchange.reply.content() == hide.text(b"".join(parts).decode("latin-1")).encode("latin-1")


def test_every_fixture_can_be_read_as_a_recording() -> None:
    found = read_recordings(ROOT / "fixtures" / "exchanges")
    assert len(found) > 100
    stream = next(one for one in found if one.name == "stream.json").exchange.reply
    assert stream.content() == (ROOT / "fixtures" / "exchanges" / "stream.sse").read_bytes()


def test_recordings_are_read_in_the_order_in_which_they_were_written(tmp_path: Path) -> None:
    for number in (9_999, 2, 10_000):
        write_recording(tmp_path, number, Exchange(Request("GET", f"/{number}"), Reply(200, {}, b"")))
    assert [one.exchange.request.path for one in read_recordings(tmp_path)] == ["/2", "/9999", "/10000"]


def test_two_processes_do_not_write_one_file(tmp_path: Path) -> None:
    exchange = Exchange(Request("GET", "/"), Reply(200, {}, b""), "listAgents")
    names = [write_recording(tmp_path, 1, exchange) for _ in range(2)]
    assert names == ["0001-listAgents.json", "0002-listAgents.json"]


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("{", "Expecting property name"),
        ("[]", "it is not a JSON object"),
        ("{}", "'exchanges' is missing"),
        ('{"exchanges": [{"request": {}, "reply": {}}]}', "'method' is missing"),
        (
            '{"exchanges": [{"request": {"method": "GET", "path": "/", "headers": {}}, '
            '"reply": {"status": 200, "headers": {}, "text": "abc", "pieces": [[2, 0]]}}]}',
            "its pieces have 2 bytes, but its body has 3",
        ),
    ],
)
def test_a_file_that_is_not_a_recording_is_reported(tmp_path: Path, content: str, why: str) -> None:
    (tmp_path / "x.json").write_text(content, encoding="utf-8")
    with pytest.raises(RecordingError) as error:
        read_recordings(tmp_path)
    assert str(error.value).startswith(f"{tmp_path / 'x.json'} is not a recording: ")
    assert why in str(error.value)


def test_a_folder_that_does_not_exist_is_reported(tmp_path: Path) -> None:
    with pytest.raises(RecordingError, match=r"does not exist\. Record into it first: agent-contract proxy URL"):
        read_recordings(tmp_path / "x")
