"""Ctrl-C ends a run at once, whatever is under way, with what was judged so far."""

from __future__ import annotations

import signal
import subprocess
import time

import pytest

from contract_tests.assertions.sessions import together
from contract_tests.verdict import NotPassed, not_tested
from contract_tests.wire.exchange import Exchange
from tests.contract_tests.support.commands import COMMAND, environment
from tests.contract_tests.support.servers import Stalling, serving

#: Between the signal and the end of the process, in seconds: the table takes a part of it.
AT_ONCE = 2.0


@pytest.mark.parametrize(
    ("pattern", "times", "clause"),
    [
        pytest.param(b'"temperature": -1', 1, "chat.temperature-below-minimum", id="one request"),
        pytest.param(b". Remember this list", 2, "chat.session-concurrent", id="two at once"),
    ],
)
def test_an_interruption_waits_for_no_answer(pattern: bytes, times: int, clause: str) -> None:
    server = Stalling(pattern, times)
    with serving(server.answer) as url:
        process = subprocess.Popen(
            [*COMMAND, "verify", url, "--agent-id=a", "--clause=chat.messages-empty", f"--clause={clause}"],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert server.reached.wait(100)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
        took = time.monotonic() - began
        server.ended.set()
    assert process.returncode == 130
    assert output.rstrip().endswith("exit 130: interrupted; the verdicts so far are above")
    assert " passed " in output
    assert took < AT_ONCE


def test_calls_that_are_made_together_keep_their_order_and_their_faults() -> None:
    first, second = (Exchange.__new__(Exchange) for _ in range(2))
    assert all(a is b for a, b in zip(together([lambda: first, lambda: second]), (first, second), strict=True))

    def fail() -> Exchange:
        raise not_tested("no")

    with pytest.raises(NotPassed, match="no"):
        together([lambda: first, fail])
