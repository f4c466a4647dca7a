"""Faults of recorded answers: the catalogue is that of the mock."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from agent_contract.cli import main
from agent_contract.document.errors import ContractError
from agent_contract.messages import Exchange, Reply, Request
from mockserver.build import create_engine, scenario_of, with_replay, with_store
from mockserver.config import Config
from mockserver.engine import Engine
from mockserver.faults.broken_reply import BrokenReply, Ending, Piece
from mockserver.faults.catalogue import KINDS
from mockserver.recording.recording_folder import write_recording
from mockserver.stores import MemoryStore
from tests.mockserver.support.chat_client import CONTRACT, Clock, engine, request, user

STREAM = {"content-type": "text/event-stream"}
#: Pieces whose borders are not those of events.
PIECES = (Piece(b'data: {"a"', delay=0.5), Piece(b": 1}\n\ndata: ", delay=0.25), Piece(b"[DONE]\n\n", delay=1.0))


def hello(fault: str = "", **fields: Any) -> Request:
    headers = {"x-mock-fault": fault} if fault else {}
    sent = request({"messages": [user("Hello!")], **fields})
    return replace(sent, headers={**sent.headers, **headers})


def replaying(folder: Path, reply: Reply | None = None, **settings: Any) -> Engine:
    recorded = reply or engine().reply(hello())
    write_recording(folder, 1, Exchange(hello(), recorded, "chat"))
    return with_replay(engine(), folder, **settings)


def control(mock: Engine, path: str, body: Any) -> Reply:
    sent = json.dumps(body).encode()
    return mock.reply(Request("POST", f"/__mock__/{path}", (), {"content-type": "application/json"}, sent))


def test_a_fault_answers_instead_of_the_recording_and_uses_none(tmp_path: Path) -> None:
    mock = replaying(tmp_path, strict=True)
    assert mock.reply(hello("status-429")).status == 429
    assert [mock.reply(hello()).status for _ in range(2)] == [200, 404]
    assert [(entry["faults"], entry["rule"]) for entry in mock.requests()][1:] == [
        ([], "0001-chat.json"),
        (["status-429"], None),
    ]


def test_a_fault_changes_a_recorded_answer(tmp_path: Path) -> None:
    mock = replaying(tmp_path)
    reply = mock.reply(hello("null-content"))
    assert json.loads(reply.content())["choices"][0]["message"]["content"] is None
    assert reply.headers["content-length"] == str(len(reply.content()))
    assert mock.requests()[0]["rule"] == "0001-chat.json"


def test_a_recorded_stream_is_cut_after_an_event_at_its_recorded_time(tmp_path: Path) -> None:
    reply = replaying(tmp_path, Reply(200, STREAM, PIECES, 2.0)).reply(hello("cut:after=1"))
    assert isinstance(reply, BrokenReply)
    assert (reply.ending, reply.delay, reply.content()) == (Ending.CLOSE, 2.0, b'data: {"a": 1}\n\n')
    assert [event.delay for event in reply.body] == [0.75]  # type: ignore[union-attr]


def test_a_fault_that_does_not_apply_leaves_every_piece_as_it_was(tmp_path: Path) -> None:
    reply = replaying(tmp_path, Reply(200, STREAM, PIECES, 2.0)).reply(hello("malformed-json"))
    assert (reply.body, reply.delay) == (PIECES, 2.0)


def test_a_fault_that_is_set_in_a_scope_is_for_recorded_answers_too(tmp_path: Path) -> None:
    mock = replaying(tmp_path)
    assert control(mock, "faults", {"fault": "503", "times": 1}).status == 200
    assert [mock.reply(hello()).status for _ in range(2)] == [503, 200]


def test_the_clock_of_a_scope_waits_for_recorded_delays(tmp_path: Path) -> None:
    mock = replaying(tmp_path, Reply(200, STREAM, PIECES, 2.0))
    assert control(mock, "clock", {"mode": "skipping"}).status == 200
    reply = mock.reply(hello())
    assert (type(reply).__name__, reply.body) == ("TimedReply", PIECES)


def test_a_request_that_was_not_recorded_has_the_faults_of_the_mock(tmp_path: Path) -> None:
    mock = replaying(tmp_path)
    assert mock.reply(hello("status-503", n=2)).status == 503
    assert mock.reply(hello("nothing")).status == 400


# What needs a computed answer

REFUSED = "session-ignored does not work in a replay: it changes the request, and the answer is recorded"


def test_a_fault_that_needs_a_computed_answer_is_refused_with_those_that_work(tmp_path: Path) -> None:
    mock = replaying(tmp_path)
    by_header = json.loads(mock.reply(hello("session-ignored")).content())["detail"]
    by_control = json.loads(control(mock, "faults", {"fault": "session-ignored"}).content())["detail"]
    for detail in (by_header, by_control):
        assert REFUSED in detail
        assert all(name in detail for name in KINDS)
    assert mock.reply(hello()).status == 200


def test_it_is_refused_at_the_start_too(tmp_path: Path) -> None:
    scenario = scenario_of(CONTRACT, Config(), None, ["session-ignored"])
    mock = create_engine(CONTRACT, Config(scenario=scenario), clock=Clock())
    write_recording(tmp_path, 1, Exchange(hello(), Reply(200, {}, b"{}"), "chat"))
    with pytest.raises(ContractError, match=REFUSED):
        with_replay(mock, tmp_path)
    ran = CliRunner().invoke(main, ["serve", "--replay", str(tmp_path), "--fault", "session-ignored"])
    assert (ran.exit_code, REFUSED in ran.output) == (2, True)


def test_another_store_keeps_what_a_replay_refuses(tmp_path: Path) -> None:
    mock = with_store(replaying(tmp_path), MemoryStore())
    assert control(mock, "faults", {"fault": "session-ignored"}).status == 400


def test_rules_and_faults_that_were_set_before_stay(tmp_path: Path) -> None:
    mock = engine()
    control(mock, "faults", {"fault": "503"})
    write_recording(tmp_path, 1, Exchange(hello(), Reply(200, {}, b"{}"), "chat"))
    assert with_replay(mock, tmp_path).reply(hello()).status == 503
