"""A report as one HTML page: no script, nothing fetched, light and dark, for a screen, a phone and paper."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from agent_contract.messages import GRADE_MEANINGS
from agent_contract.printable import printable
from contract_tests.report.model import CHANGES
from contract_tests.report.phrases import headline, lead, measured, readable_time, settings
from contract_tests.report.sections import grouped
from contract_tests.report.transcript import brief
from contract_tests.verdict import WORDS

if TYPE_CHECKING:
    from jinja2 import Template

    from contract_tests.report.model import Report
    from contract_tests.report.transcript import ShownReply, ShownRequest

#: A sign for each verdict, so that its colour is never the only difference.
SIGNS = {
    "failed": "✕",
    "failed (waived)": "◪",
    "warning": "≠",
    "not tested": "?",
    "not supported": "○",
    "passed": "✓",
    "skipped": "·",
}
#: Statuses of an operation that a deployment does not have.
ABSENT = ("404", "405", "501")
#: The verdicts that describe the deployment.
DECIDED = tuple(word for word in WORDS if word not in ("not tested", "skipped"))
_CLASSES = {word: word.replace(" (", "-").replace(")", "").replace(" ", "-") for word in WORDS}


def to_html(report: Report) -> str:
    """Return the report as a whole HTML document."""
    counted = {seen.id: _counted(report, seen.id) for seen in report.operations}
    tested = [seen for seen in report.operations if seen.answered or any(counted[seen.id].values())]
    return _template().render(
        report=report,
        headline=headline(report),
        lead=lead(report),
        measured=measured(report),
        settings=settings(report),
        readable_time=readable_time,
        words=WORDS,
        decided=DECIDED,
        grades=GRADE_MEANINGS,
        changes=CHANGES,
        attention=[*report.having("failed"), *report.having("failed (waived)")],
        excuses={waiver.clause: waiver for waiver in report.waivers},
        operations=tested,
        untested=len(report.operations) - len(tested),
        statuses=sorted({status for seen in tested for status in (*seen.documented, *seen.answered)}),
        clauses_by_operation=counted,
        topics=grouped(report.clauses),
        telling=("failed", "failed (waived)", "warning"),
        total=len(report.clauses),
    )


@lru_cache(maxsize=1)
def _template() -> Template:
    environment = Environment(
        finalize=_printable,
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "shown": printable,
        "brief": _brief,
        "prose": _prose,
        "sign": SIGNS.__getitem__,
        "kind": _CLASSES.__getitem__,
        "sent": _sent,
        "got": _got,
        "both": brief,
    }
    return environment.get_template("page.html.j2")


def _counted(report: Report, operation: str) -> dict[str, int]:
    """Return the number of clauses for each verdict that were tested on an operation.

    If the deployment does not have the operation, only `not supported` counts.
    """
    seen = next(one for one in report.operations if one.id == operation)
    exists = any(status not in ABSENT for status in seen.answered)
    words = DECIDED if exists else ("not supported",)
    found = [clause.word for clause in report.clauses if operation in clause.judged_on and clause.word in words]
    return {word: found.count(word) for word in WORDS}


def _brief(text: str, most: int = 180) -> str:
    line = " ".join(printable(text).split())
    return line if len(line) <= most else f"{line[:most]}…"


def _prose(text: str) -> Markup:
    """Return a sentence; what is between backticks becomes code."""
    parts = printable(text).split("`")
    marked = (Markup("<code>{}</code>").format(part) if index % 2 else escape(part) for index, part in enumerate(parts))
    return Markup().join(marked)


def _sent(request: ShownRequest) -> str:
    """Return a request about as it was sent."""
    lines = [f"{request.method} {request.url}", *(f"{name}: {value}" for name, value in request.headers)]
    return printable("\n".join([*lines, "", _pretty(request.body)] if request.body else lines))


def _got(reply: ShownReply) -> str:
    """Return a reply's status, headers and body, without the events of a stream."""
    date = [("date", reply.date)] if reply.date else []
    lines = [reply.line, *(f"{name}: {value}" for name, value in (*date, *reply.headers))]
    return printable("\n".join([*lines, "", _pretty(reply.body)] if reply.body else lines))


def _pretty(body: str) -> str:
    """Return JSON with indents, and any other body unchanged."""
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


def _printable(value: object) -> object:
    """Make every string of the page printable, whatever part of a reply it is."""
    return printable(value) if type(value) is str else value
