"""What the terminal shows of each request."""

from __future__ import annotations

import io
import os
import re
from typing import Any

import pytest

from agent_contract.messages import Request
from mockserver.generation.latency import Pace
from mockserver.server.access_log import LoggedEngine, RequestLog, describe
from tests.mockserver.support.chat_client import NOW, OPERATION, engine, path_of, request
from tests.mockserver.support.scripting import TEST

HELLO: dict[str, Any] = {"messages": [{"role": "user", "content": "Hello!"}]}


def line(sent: Request, colour: bool = False, pace: Pace | None = None) -> str:
    return describe(engine(pace=pace).handle(sent), 0.0012, NOW, colour)


def test_a_request_is_a_line_with_time_method_path_status_and_duration() -> None:
    assert re.fullmatch(rf"\d\d:\d\d:\d\d  POST  {re.escape(path_of())}  200  1\.2 ms", line(request(HELLO)))


def test_a_stream_takes_as_long_as_its_delays() -> None:
    text = line(request({**HELLO, "stream": True, "max_tokens": 3}), pace=Pace(ttft=1, tps=2))
    assert text.endswith("200  2001.2 ms  6 events")


def test_a_refusal_names_its_clause_and_why() -> None:
    first, second = line(request({**HELLO, "model": "x"})).splitlines()
    assert "400" in first
    assert second.strip().startswith("chat.model-unexpected: Unexpected model")


def test_every_fault_of_a_body_is_named_with_what_was_sent() -> None:
    lines = line(request({**HELLO, "n": 0, "temperature": 3})).splitlines()
    assert [one.strip() for one in lines[1:]] == [
        "chat.temperature-above-maximum chat.n-below-minimum",
        "body/temperature: Input should be less than or equal to 2 (got 3)",
        "body/n: Input should be greater than or equal to 1 (got 0)",
    ]


@pytest.mark.parametrize(
    ("sent", "clause"),
    [
        (request(b""), "chat.body-missing"),
        (request(b"{"), "chat.body-malformed"),
        (request([]), "chat.body-not-an-object"),
        (request(HELLO, content_type="text/plain"), "chat.body-content-type"),
        (Request("POST", path_of(), body=b'{"messages": []}'), "chat.body-content-type-absent"),
        (request(b'{"messages": "\xff"}'), "chat.body-not-utf8"),
        (request(b"[" * 2000), "chat.body-too-deep"),
        (request({}), "chat.messages-required"),
        (request({"messages": [{}]}), "chat.message-role chat.message-content"),
        (request({"messages": ["x"]}), "chat.messages-items"),
        (request({"messages": [{"role": 1, "content": ""}]}), "chat.field-types"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_body_that_is_refused_names_the_clause_that_it_breaks(sent: Request, clause: str) -> None:
    assert line(sent).splitlines()[1].strip().partition(":")[0] == clause


def test_an_unknown_path_gets_the_nearest_known_one() -> None:
    reason = line(Request("POST", "/v1/assistants/demo/chat/completions")).splitlines()[1]
    assert reason.strip() == f"No such path. Did you mean {OPERATION.path}?"


def test_of_very_many_faults_some_are_named_and_the_rest_counted() -> None:
    lines = line(request({"messages": ["x"] * 50})).splitlines()
    assert lines[-1].strip() == "and 45 more"
    assert len(lines) < 10


def test_colour_is_for_terminals() -> None:
    assert "\x1b[" not in line(request(HELLO))
    assert "\x1b[32m200" in line(request(HELLO), colour=True)


@pytest.mark.parametrize(
    "sent",
    [Request("GET", "/\x1b[31m\r\nx"), Request("\x1b]0;x\x07", "/"), request({**HELLO, "model": "\x1b[2J\n\u202e"})],
    ids=["path", "method", "model"],
)
def test_nothing_that_is_sent_steers_the_terminal(sent: Request) -> None:
    assert not re.search(r"[^\n -~\u2026\ufffd]", line(sent))


def test_secrets_are_not_shown() -> None:
    assert "hunter2" not in line(request({**HELLO, "model": "x"}, authorization="Bearer hunter2"))


@pytest.mark.parametrize(("level", "shown"), [("debug", 2), ("info", 2), ("warning", 1), ("error", 0)])
def test_a_level_shows_all_or_the_refused_ones_or_none(level: str, shown: int) -> None:
    out = io.StringIO()
    log = RequestLog(level, out)
    logged = LoggedEngine(engine(), log)
    logged.reply(request(HELLO))
    logged.reply(Request("GET", "/nowhere"))
    log.close()
    assert out.getvalue().count(" ms") == shown


def test_a_failure_of_the_engine_is_a_line_with_its_place() -> None:
    out = io.StringIO()
    log = RequestLog("error", out)
    failing = engine()
    failing.api = None  # type: ignore[assignment]
    reply = LoggedEngine(failing, log).reply(request(HELLO))
    log.close()
    assert reply.status == 500
    assert "AttributeError at engine.py" in out.getvalue()
    assert [entry["reply"]["status"] for entry in failing.requests()] == [500]


def test_an_output_that_is_closed_costs_no_line() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as out:
        log = RequestLog("info", out)
        logged = LoggedEngine(engine(), log)
        for _ in range(100):
            assert logged.reply(Request("GET", "/nowhere")).status == 404
        log.close()


def test_a_token_is_not_in_the_line_and_neither_is_an_escape_sequence() -> None:
    sent = Request("GET", "/agents/my-token-12345\x1b[31m", (), {"x-auth": "my-token-12345"})
    assert "  /agents/[redacted]\\x1b[31m  " in line(sent)


def test_a_line_names_the_rule_and_the_faults_that_made_the_reply() -> None:
    player = engine()
    player.scripts.add("", {"rules": [{"name": "greeting", "answer": "Hi!"}], "faults": ["502:times=1", "cut"]}, TEST)
    texts = [describe(player.handle(request({**HELLO, "stream": True})), 0.0, NOW, False) for _ in range(2)]
    assert texts[0].splitlines()[0].endswith("502  0.0 ms  fault status-502")
    assert texts[1].endswith("events  rule greeting  fault cut")
