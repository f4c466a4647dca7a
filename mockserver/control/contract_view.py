"""The served document as lists: its operations, its clauses, and the faults that the mock can produce."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from agent_contract import Contract
from agent_contract.messages import GRADE_MEANINGS
from mockserver.analysis.observation import from_entry
from mockserver.analysis.session_lint import lint_sessions
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, json_outcome
from mockserver.faults.catalogue import KINDS, FaultParameter
from mockserver.faults.fault import COMMON
from mockserver.recording.journal import read_journal, readable_entry

_TYPES: Mapping[type, str] = {int: "integer", float: "number", str: "string", bool: "boolean"}


def show_contract(contract: Contract) -> Outcome:
    """Return the operations and the clauses of a document, in its order."""
    operations = [
        {"id": one.id, "method": one.method, "path": one.path, "summary": one.summary or ""}
        for one in contract.operations.values()
    ]
    clauses = [
        {
            "id": clause.id,
            "sentence": clause.sentence,
            "grade": clause.grade,
            "meaning": GRADE_MEANINGS[clause.grade],
            "since": clause.since,
            "pointer": clause.pointer,
            "operations": clause.operations,
            "untestable": clause.untestable,
        }
        for clause in contract.clauses
    ]
    value = {"title": contract.title, "version": contract.version, "operations": operations, "clauses": clauses}
    return json_outcome(value)


def list_fault_kinds(_: Context) -> Outcome:
    """Return the catalogue of faults, and the parameters of every fault."""
    faults = [
        {"name": kind.name, "does": kind.does, "parameters": _parameters(kind.parameters)} for kind in KINDS.values()
    ]
    return json_outcome({"faults": faults, "common": _parameters(COMMON)})


def _parameters(parameters: Mapping[str, FaultParameter]) -> list[dict[str, Any]]:
    return [
        {"name": name, "type": _TYPES[one.type], "default": one.default, "meaning": one.meaning}
        for name, one in parameters.items()
    ]


def lint_scope(context: Context) -> Outcome:
    """Return the misuse of sessions that the journal of the scope shows, oldest first."""
    entries = [*read_journal(context.transaction)][::-1]
    observations = [from_entry(_parsed(number, entry)) for number, entry in entries]
    findings = [
        {
            "rule": one.rule,
            "request": one.request,
            "session": one.session,
            "turn": one.turn,
            "wasted_tokens": one.wasted_tokens,
            "problem": one.problem,
            "remedy": one.remedy,
        }
        for one in lint_sessions(observations)
    ]
    return json_outcome({"findings": findings})


def _parsed(number: int, entry: dict[str, Any]) -> Any:
    """Return an entry as the interface shows it, with its bodies parsed."""
    return orjson.loads(orjson.dumps(readable_entry(number, entry)))
