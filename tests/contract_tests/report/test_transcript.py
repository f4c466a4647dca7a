"""A transcript is the same after it was carried from one process to another."""

from __future__ import annotations

import pytest

from agent_contract.messages import Request
from agent_contract.redaction import Redaction
from contract_tests.report.transcript import from_text, to_text, transcribed
from contract_tests.wire.exchange import Exchange


@pytest.mark.parametrize("body", [b"{}", "\u00fc \U0001f44b".encode(), b'"\\ud83d"', b"\xed\xa0\xbd", b"\xff\0", b""])
@pytest.mark.parametrize("header", ["plain", "half \ud83d", "\x1b[31m"])
def test_it_is_the_same_whatever_was_sent(body: bytes, header: str) -> None:
    request = Request("POST", "/", (), {"x-sent": header}, body)
    headers = (("content-type", "application/json"), ("x-got", header))
    exchange = Exchange(request, "http://a/", status=200, headers=headers, pieces=((0.0, body),), failure=header)
    found = (transcribed(exchange, Redaction()),)
    assert from_text(to_text(found)) == found
    assert from_text(to_text(())) == ()
