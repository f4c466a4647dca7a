"""Waivers: failed clauses that are known, excused for a reason and until a day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any

from agent_contract.document.document import Document, read_document
from agent_contract.document.errors import ContractError
from agent_contract.document.json_pointer import Place
from contract_tests.verdict import WAIVED

if TYPE_CHECKING:
    from contract_tests.verdict import Finding

FIELDS = ("clause", "reason", "until")
#: A waived clause with one of these verdicts does not need the waiver; with any other, the run can't decide that.
NEEDLESS: Mapping[str, str] = {
    "passed": "it passed",
    "warning": "it is only a warning, which fails no run",
    "not supported": "it is not supported",
}


class WaiverError(Exception):
    """A file of waivers can't be used: where, what, and what to do."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """An excuse for one clause, for a reason, up to and including a day."""

    clause: str
    reason: str
    until: str

    def expired(self, today: date) -> bool:
        """Whether its last day is over."""
        return date.fromisoformat(self.until) < today


@dataclass(frozen=True, slots=True)
class AppliedWaivers:
    """The waivers of a run, and the day on which it is done."""

    waivers: tuple[Waiver, ...] = ()
    today: date = date.min

    def excuses(self, clause: str) -> bool:
        """Whether a waiver that has not expired names the clause."""
        return any(waiver.clause == clause and not waiver.expired(self.today) for waiver in self.waivers)

    def applied(self, findings: Mapping[str, Finding]) -> dict[str, Finding]:
        """Return the findings; failed ones that are excused get the word for it."""
        return {
            id: replace(finding, word=WAIVED) if finding.word == "failed" and self.excuses(id) else finding
            for id, finding in findings.items()
        }

    def objections(self, findings: Mapping[str, Finding]) -> tuple[str, ...]:
        """Return what is wrong with the waivers, a sentence each, after they were applied."""
        found = ((waiver, self._objection(waiver, findings)) for waiver in self.waivers)
        return tuple(f"the waiver of {waiver.clause} {why}" for waiver, why in found if why)

    def _objection(self, waiver: Waiver, findings: Mapping[str, Finding]) -> str:
        finding = findings.get(waiver.clause)
        if finding is None:
            return "names no clause of the contract"
        if waiver.expired(self.today):
            return f"expired on {waiver.until}"
        needless = NEEDLESS.get(finding.word, "")
        return f"is not needed any more: {needless}" if needless else ""


def load_waivers(path: Path) -> tuple[Waiver, ...]:
    """Return the waivers of a YAML file: a list of clause, reason and until, an ISO date.

    Raises `WaiverError` with file, line, problem and remedy.
    """
    try:
        document = read_document(path)
    except ContractError as error:
        raise WaiverError(f"{error.problems[0].place}: {error.problem}; {error.remedy}") from None
    value = document.files[""]
    if not isinstance(value, list):
        raise _error(document, (), "is not a list", f"write a list whose items have {', '.join(FIELDS)}")
    waivers = tuple(_waiver(document, index, item) for index, item in enumerate(value))
    for index, waiver in enumerate(waivers):
        if waiver.clause in {other.clause for other in waivers[:index]}:
            raise _error(document, (str(index),), f"waives {waiver.clause} a second time", "leave one of them")
    return waivers


def _waiver(document: Document, index: int, item: Any) -> Waiver:
    here = (str(index),)
    if not isinstance(item, dict):
        raise _error(document, here, "is not an object", f"give it {', '.join(FIELDS)}")
    for name in item:
        if name not in FIELDS:
            raise _error(document, (*here, name), f"has the unknown key {name!r}", f"it may have {', '.join(FIELDS)}")
    for name in FIELDS:
        if not isinstance(item.get(name), str) or not item[name].strip():
            raise _error(document, here, f"has no text as {name!r}", f"give it {', '.join(FIELDS)}")
    try:
        date.fromisoformat(item["until"])
    except ValueError:
        remedy = "write it as 2027-01-31"
        raise _error(document, (*here, "until"), f"has no date as 'until': {item['until']!r}", remedy) from None
    return Waiver(item["clause"].strip(), item["reason"].strip(), item["until"].strip())


def _error(document: Document, tokens: tuple[str, ...], problem: str, remedy: str) -> WaiverError:
    line = document.line(Place("", tokens))
    place = f"{document.path}:{line}" if line else str(document.path)
    return WaiverError(f"{place}: {'the waiver ' if tokens else ''}{problem}; {remedy}")
