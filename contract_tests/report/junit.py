"""A report as JUnit's XML, which CI systems and Allure read: each clause is a test case.

Allure takes the suite, the class, the name, the status and the message from it. Source: the schema `jenkins-junit.xsd`
of Jenkins' xUnit plugin.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from agent_contract.printable import printable, printable_line
from contract_tests.report.sections import topic
from contract_tests.verdict import WAIVED

if TYPE_CHECKING:
    from contract_tests.report.model import ClauseResult, Report

#: The element of each verdict; a verdict without one passes.
ELEMENTS = {"failed": "failure", WAIVED: "skipped", "not tested": "skipped", "not supported": "skipped"}
#: The clauses that were not selected are no test cases.
LEFT_OUT = "skipped"


def junit_of(report: Report) -> str:
    """Return the report as JUnit XML. The time of a single clause is not measured: the suite has that of the run."""
    cases = [clause for clause in report.clauses if clause.word != LEFT_OUT]
    counts = Counter(ELEMENTS.get(clause.word) for clause in cases)
    numbers = {"tests": len(cases), "failures": counts["failure"], "errors": 0, "skipped": counts["skipped"]}
    attributes = {name: str(number) for name, number in numbers.items()} | {"time": f"{report.duration_seconds:.3f}"}
    root = ElementTree.Element("testsuites", {"name": "agent-contract", **attributes})
    title = printable_line(f"{report.contract.title} {report.contract.version}")
    timestamp = report.started_at.removesuffix("Z")
    suite = ElementTree.SubElement(root, "testsuite", {"name": title, "timestamp": timestamp, **attributes})
    _add_properties(suite, {"url": report.target.url, "agent_id": report.target.agent_id, "seed": str(report.seed)})
    for clause in cases:
        _add_case(suite, clause)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True) + "\n"


def _add_case(suite: ElementTree.Element, clause: ClauseResult) -> None:
    case = ElementTree.SubElement(suite, "testcase", classname=topic(clause.id).title, name=clause.id, time="0")
    properties = {"sentence": clause.sentence, "grade": clause.grade, "verdict": clause.word}
    _add_properties(case, {**properties, "operations": " ".join(clause.operations), "command": clause.command})
    element = ELEMENTS.get(clause.word)
    seen = clause.reason or (f"expected {clause.expected}; got {clause.got}" if clause.expected else "")
    if element:
        found = ElementTree.SubElement(case, element, message=printable_line(f"{clause.word}: {seen}"))
        if element == "failure":
            found.set("type", clause.grade)
            found.text = printable(f"{clause.sentence}\n{seen}\n\n{clause.curl}\n\nagain: {clause.command}\n")
    elif seen:
        ElementTree.SubElement(case, "system-out").text = printable(f"{clause.word}: {seen}\n")


def _add_properties(element: ElementTree.Element, values: dict[str, str]) -> None:
    properties = ElementTree.SubElement(element, "properties")
    for name, value in values.items():
        if value:
            ElementTree.SubElement(properties, "property", name=name, value=printable_line(value))
