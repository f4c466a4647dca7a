"""A report that was made by hand: every word, a stream, a waiver, a comparison, and text that wants to be markup."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

from contract_tests.deployment.cold_start import ColdStart
from contract_tests.report.model import (
    Change,
    ClauseResult,
    Comparison,
    JudgedContract,
    JudgedDeployment,
    OperationCoverage,
    Report,
    RunSummary,
)
from contract_tests.report.transcript import ShownEvent, ShownReply, ShownRequest, Transcript
from contract_tests.report.waivers import Waiver
from contract_tests.verdict import WAIVED, WORDS

#: What a server could answer to take a page, a terminal or a log over.
MARKUP = "<script>alert(1)</script><img src=x onerror=alert(1)> @everyone |cell| `code` \x1b[31m ::error::x"
#: `SAMPLE` as it was written when a report's format had version 1, and the verdicts and a grade other names.
VERSION_1 = Path(__file__).with_name("report_version_1.json")
_DIGEST = f"sha256:{'0123456789abcdef' * 4}"
_SENT = ShownRequest("POST", "https://agents.example.com/chat", (("content-type", "application/json"),), '{"n": 2}', 8)


def clause(id: str, word: str, *, reason: str = "", expected: str = "", got: str = "", curl: str = "") -> ClauseResult:
    """Return a clause with a verdict."""
    sentence, command = f"The clause `{id}` is a sentence.", f"agent-contract verify x --clause {id}"
    place = ("core", "9.0", ("chat",), f"#/{id}")
    return ClauseResult(id, sentence, *place, word, reason, expected, got, curl, command, judged_on=("chat",))


def stream(events: int = 3) -> Transcript:
    """Return a transcript of a stream."""
    found = tuple(ShownEvent(place, 0.25 * place, f'{{"delta": {place}}}') for place in range(1, events + 1))
    return Transcript(
        _SENT, ShownReply(200, "Mon, 23 Nov 2026 16:00:00 GMT", (("content-type", "text/event-stream"),), "", 99, found)
    )


def plain(body: str) -> Transcript:
    """Return a transcript of a plain answer."""
    return Transcript(_SENT, ShownReply(400, "", (("x-odd", body),), body, len(body), failure="cut"))


def report(*clauses: ClauseResult, code: int = 0, sentence: str = "passed") -> Report:
    """Return a report of these clauses."""
    counts = Counter(one.word for one in clauses)
    return Report(
        started_at="2026-11-23T16:00:00Z",
        duration_seconds=12.5,
        versions={"python": "3.11.7", "agent-contract": "0.1.0"},
        contract=JudgedContract("Agent API", "9.1.1", _DIGEST),
        target=JudgedDeployment("https://agents.example.com", "demo"),
        seed=0,
        options={
            "clauses": [],
            "api_version": "",
            "breadth": "default",
            "max_requests": 200,
            "max_tokens": 0,
            "timeout": 60.0,
            "deadline": 0.0,
            "rate": 0.0,
            "no_sessions": False,
            "token": True,
        },
        requests=177,
        tokens=2048,
        verdict=RunSummary(code, sentence, {word: counts[word] for word in WORDS if counts[word]}),
        waivers=(),
        operations=(
            OperationCoverage("chat", "POST", "/chat/{agent_id}", ("200", "400", "422"), {"200": 90, "418": 1}),
        ),
        clauses=clauses,
    )


_CLAUSES = (
    replace(
        clause("chat.n-choices", "failed", expected="2 choices", got=MARKUP, curl="curl x"), transcript=plain(MARKUP)
    ),
    replace(
        clause("chat.stream-done", "failed", expected="[DONE]", got="no [DONE]"),
        transcript=stream(),
        earlier=(plain(MARKUP), stream(70)),
    ),
    clause("chat.stop-content", WAIVED, expected="no END", got="END"),
    clause("chat.role-system", "warning", reason="accepted"),
    clause("chat.settings-applied", "not tested", reason="It can't be seen."),
    clause("chat.token-missing", "not supported", reason="no token is asked for"),
    clause("chat.reply-usage", "passed"),
    clause("chat.session-used", "skipped"),
    clause("chat.of-a-kind-of-its-own", "passed"),
)
_CHANGES = (
    Change("chat.n-choices", "worse", "passed", "failed"),
    Change("chat.reply-usage", "better", "failed", "passed"),
    Change("chat.gone", "gone", "passed", ""),
)
SAMPLE = replace(
    report(*_CLAUSES, code=1, sentence="failed: chat.n-choices, chat.stream-done"),
    waivers=(Waiver("chat.stop-content", "The vendor promises a fix", "2027-03-31"),),
    cold_start=ColdStart("502 Bad Gateway", 7.0),
    comparison=Comparison("2026-11-01T09:00:00Z", "https://agents.example.com", _DIGEST, True, _CHANGES),
)
