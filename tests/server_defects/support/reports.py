"""Reports on a mock that plays a defect, as `verify` would write them: the exchanges that show a clause."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from agent_contract.messages import Exchange
from contract_tests.options import Options
from contract_tests.report.build import shown_options
from contract_tests.report.model import (
    ClauseResult,
    JudgedContract,
    JudgedDeployment,
    OperationCoverage,
    Report,
    RunSummary,
)
from contract_tests.report.transcript import ShownEvent, ShownReply, ShownRequest, Transcript
from mockserver import load_engine
from mockserver.build import own_contract
from server_defects.catalogue import DEFECTS
from server_defects.player import play
from tests.server_defects.support.requests import CHAT, HELLO, post

AGENT = "demo"


def report_of(
    clauses: Mapping[str, Sequence[Exchange]],
    word: str = "failed",
    operations: Mapping[str, Mapping[str, int]] | None = None,
    **changes: Any,
) -> Report:
    """Return a report in which clauses failed, each with its exchanges."""
    contract = own_contract()
    known = {clause.id: clause for clause in contract.clauses}
    results = tuple(_result(known[id], [_transcript(one) for one in shown], word) for id, shown in clauses.items())
    coverage = tuple(
        OperationCoverage(id, contract.operations[id].method, contract.operations[id].path, (), answered)
        for id, answered in (operations or {}).items()
    )
    usual: dict[str, Any] = {
        "started_at": "2026-11-25T10:00:00Z",
        "duration_seconds": 1.0,
        "versions": {"agent-contract": "1.0", "python": "3.11"},
        "contract": JudgedContract(contract.title, "9.1.1", contract.digest),
        "target": JudgedDeployment("https://agents.example.com", AGENT),
        "seed": 0,
        "options": shown_options(Options("https://agents.example.com", AGENT), token=False),
        "requests": 1,
        "tokens": 1,
        "verdict": RunSummary(1, "", {}),
        "waivers": (),
        "operations": coverage,
        "clauses": results,
    }
    return Report(**{**usual, **changes})


def exchanges_with(defect: str, *bodies: Mapping[str, Any]) -> list[Exchange]:
    """Return chats with a mock that plays a defect; a body's `$session` is the session that the first one created."""
    (planted,) = [one for one in DEFECTS if one.name == defect]
    engine = play(load_engine(), [planted])
    found: list[Exchange] = []
    for body in bodies:
        text = json.dumps({"messages": HELLO, **body})
        if found:
            text = text.replace("$session", str(json.loads(found[0].reply.content()).get("session_id")))
        found.append(engine.handle(post(CHAT, json.loads(text))))
    return found


def _result(clause: Any, shown: Sequence[Transcript], word: str) -> ClauseResult:
    return ClauseResult(
        clause.id,
        clause.sentence,
        clause.grade,
        clause.since,
        clause.operations,
        clause.pointer,
        word,
        "",
        "",
        "",
        "",
        "",
        shown[-1] if shown else None,
        tuple(shown[:-1]),
    )


def _transcript(exchange: Exchange) -> Transcript:
    request, reply = exchange.request, exchange.reply
    headers = tuple(reply.headers.items())
    content = reply.content().decode()
    data = [line.removeprefix("data: ") for line in content.splitlines() if line.startswith("data: ")]
    streams = not isinstance(reply.body, bytes)
    events = tuple(ShownEvent(place, 0.01 * place, one) for place, one in enumerate(data, 1)) if streams else ()
    return Transcript(
        ShownRequest(
            request.method,
            f"https://agents.example.com{request.path}",
            tuple(request.headers.items()),
            request.body.decode(),
            len(request.body),
        ),
        ShownReply(reply.status, "", headers, "" if events else content, len(content), events),
    )
