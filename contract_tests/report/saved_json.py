"""Reports as JSON: equal reports give equal bytes. `report.schema.json` describes the format.

Reports of earlier versions are read too: their words are replaced by the ones of today.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import msgspec

from agent_contract.installation import REPORT_FORMAT
from agent_contract.printable import printable_json
from contract_tests.report.model import VERSION, Report
from contract_tests.verdict import WAIVED

SCHEMA = Path(__file__).with_name("report.schema.json")

#: What version 1 called the verdicts and the first grade.
_VERSION_1_WORDS: Mapping[str, str] = {
    "broken": "failed",
    "broken (waived)": WAIVED,
    "differs": "warning",
    "not offered": "not supported",
    "held": "passed",
    "not selected": "skipped",
}
_VERSION_1_GRADES: Mapping[str, str] = {"seed": "core"}
#: The fields of version 1 whose values were renamed; `counts` has verdicts as its keys.
_VERSION_1_FIELDS: Mapping[str, Mapping[str, str]] = {
    **dict.fromkeys(("word", "before", "after"), _VERSION_1_WORDS),
    "grade": _VERSION_1_GRADES,
}
#: No renamed field is nested deeper.
_DEPTH = 4


class ReportError(Exception):
    """A file is not a report that this version can read: which file, what is wrong, what to do."""


def to_json(report: Report) -> str:
    """Return the report as JSON text that ends with a line feed; equal reports give the same text."""
    value = {"format": REPORT_FORMAT, "version": VERSION, **asdict(report)}
    return printable_json(json.dumps(value, indent=2, ensure_ascii=False)) + "\n"


def load(path: Path) -> Report:
    """Return the report that a file holds; raises `ReportError` for a foreign, newer or damaged one."""
    try:
        value = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ReportError(f"{path} can't be read: {error.strerror}; name a report that --report wrote") from None
    except (ValueError, RecursionError):
        raise ReportError(f"{path} is not JSON; name a report that --report FILE.json wrote") from None
    if not isinstance(value, dict) or value.get("format") != REPORT_FORMAT:
        raise ReportError(f"{path} is not a report of agent-contract; name one that --report FILE.json wrote")
    version = value.get("version")
    if isinstance(version, int) and version > VERSION:
        newer = f"{path} was written by a newer agent-contract (form {version}, this one reads {VERSION})"
        raise ReportError(f"{newer}; install that version, or run verify again")
    if version == 1:
        value = {**_upgraded(value), "version": VERSION}
    if fault := _fault(value):
        raise ReportError(f"{path} is a damaged report: {fault}; run verify again")
    fields = {name: part for name, part in value.items() if name not in ("format", "version")}
    for clause in fields["clauses"]:
        # Earlier reports have no field for it.
        clause.setdefault("judged_on", clause["operations"])
    return msgspec.convert(fields, Report)


def _upgraded(value: Any, name: str = "", depth: int = _DEPTH) -> Any:
    """Return a value of a report of version 1 with today's words."""
    if isinstance(value, dict) and depth:
        keys = _VERSION_1_WORDS if name == "counts" else {}
        return {keys.get(key, key): _upgraded(inner, key, depth - 1) for key, inner in value.items()}
    if isinstance(value, list) and depth:
        return [_upgraded(inner, name, depth - 1) for inner in value]
    return _VERSION_1_FIELDS.get(name, {}).get(value, value) if isinstance(value, str) else value


def _fault(value: Mapping[str, Any]) -> str:
    """Return the first violation of the schema, or an empty string."""
    from openapi_schema_validator import OAS31Validator

    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    for error in OAS31Validator(schema).iter_errors(value):
        where = "/".join(str(part) for part in error.absolute_path)
        return f"{where or 'the report'}: {error.message[:200]}"
    return ""
