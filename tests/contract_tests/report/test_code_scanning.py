"""Reports for code hosts and test dashboards: SARIF, GitLab's code quality, CTRF, and JUnit for Allure."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import jsonschema_rs
import pytest
from click.testing import CliRunner
from sarif_pydantic import Sarif  # type: ignore[import-untyped]

from agent_contract import find_document, load_contract
from agent_contract.cli import main
from contract_tests.report.code_scanning import code_quality_of, sarif_of
from contract_tests.report.ctrf import STATUSES, ctrf_of
from contract_tests.report.junit import ELEMENTS, LEFT_OUT, junit_of
from contract_tests.report.sections import topic
from contract_tests.report.writers import check, write
from contract_tests.verdict import WAIVED, WORDS
from tests.clients.support.install_node_packages import FOLDER
from tests.clients.support.node import node, run_script
from tests.contract_tests.report.support.samples import SAMPLE

CLAUSE = load_contract().clause("chat.model-unexpected")


def sarif(text: str) -> dict[str, Any]:
    """Return the one run of a log, which must be valid."""
    value = json.loads(text)
    Sarif.model_validate(value)
    (run,) = value["runs"]
    return dict(run)


def test_sarif_has_a_rule_for_each_clause_and_a_result_for_each_failure() -> None:
    run = sarif(sarif_of(SAMPLE))
    assert [rule["id"] for rule in run["tool"]["driver"]["rules"]] == [clause.id for clause in SAMPLE.clauses]
    assert [(one["ruleId"], one["level"]) for one in run["results"]] == [
        ("chat.n-choices", "error"),
        ("chat.stream-done", "error"),
        ("chat.stop-content", "error"),
        ("chat.role-system", "warning"),
    ]


def test_a_result_of_sarif_is_at_the_line_of_its_clause() -> None:
    failed = replace(SAMPLE.clauses[0], id=CLAUSE.id, pointer=CLAUSE.pointer)
    (result,) = sarif(sarif_of(replace(SAMPLE, clauses=(failed,))))["results"]
    place = result["locations"][0]["physicalLocation"]
    line = find_document().read_text(encoding="utf-8").splitlines()[place["region"]["startLine"] - 1]
    assert place["artifactLocation"]["uri"] == "openapi.yaml"
    assert line.strip() == f"- id: {CLAUSE.id}"


def test_sarif_suppresses_what_is_waived() -> None:
    results = sarif(sarif_of(SAMPLE))["results"]
    assert [one["ruleId"] for one in results if "suppressions" in one] == ["chat.stop-content"]
    assert "The vendor promises a fix" in results[2]["suppressions"][0]["justification"]


def test_code_quality_has_what_gitlab_asks_for() -> None:
    issues = json.loads(code_quality_of(SAMPLE))
    assert Counter(issue["severity"] for issue in issues) == {"critical": 2, "info": 1, "minor": 1}
    assert len({issue["fingerprint"] for issue in issues}) == len(issues)
    for issue in issues:
        assert issue.keys() == {"description", "check_name", "fingerprint", "severity", "location"}
        assert issue["location"] == {"path": "openapi.yaml", "lines": {"begin": issue["location"]["lines"]["begin"]}}


def test_ctrf_conforms_to_its_schema_and_has_a_test_for_each_clause() -> None:
    node()  # its packages include the schema
    schema = json.loads(
        (FOLDER / "node_modules" / "ctrf" / "dist" / "ctrf-schema-0.0.json").read_text(encoding="utf-8")
    )
    value = json.loads(ctrf_of(SAMPLE))
    jsonschema_rs.validator_for(schema).validate(value)
    tests, summary = value["results"]["tests"], value["results"]["summary"]
    assert [test["name"] for test in tests] == [clause.id for clause in SAMPLE.clauses]
    assert {status: summary[status] for status in ("passed", "failed", "other", "pending", "skipped")} == Counter(
        test["status"] for test in tests
    )
    assert summary["tests"] == len(tests)


def test_every_verdict_has_a_status_in_ctrf_and_only_a_failure_fails() -> None:
    assert STATUSES.keys() == WORDS.keys()
    assert [word for word, status in STATUSES.items() if status == "failed"] == ["failed"]
    assert STATUSES[WAIVED] == "other"


def test_allure_reads_each_clause_with_its_topic_from_junit(tmp_path: Path) -> None:
    write(SAMPLE, tmp_path / "r.xml")
    results = json.loads(run_script("allure.mjs", tmp_path / "r.xml"))
    expected = {clause.id: topic(clause.id).title for clause in SAMPLE.clauses if clause.word != LEFT_OUT}
    labels = {one["name"]: {label["name"]: label["value"] for label in one["labels"]} for one in results}
    assert {name: found["testClass"] for name, found in labels.items()} == expected
    assert {found["suite"] for found in labels.values()} == {"Agent API 9.1.1"}
    failed = [one for one in results if one["status"] == "failed"]
    assert [one["name"] for one in failed] == [clause.id for clause in SAMPLE.having("failed")]
    for one, clause in zip(failed, SAMPLE.having("failed"), strict=True):
        assert clause.sentence in one["trace"]


def test_every_verdict_is_shown_in_junit_and_only_a_failure_fails() -> None:
    (suite,) = ElementTree.fromstring(junit_of(SAMPLE))
    elements = {
        case.get("name"): {part.tag for part in case} & {"failure", "skipped"} for case in suite.iter("testcase")
    }
    for clause in SAMPLE.clauses:
        if clause.word == LEFT_OUT:
            assert clause.id not in elements
        else:
            assert elements[clause.id] == ({ELEMENTS[clause.word]} if clause.word in ELEMENTS else set())
    assert [word for word, element in ELEMENTS.items() if element == "failure"] == ["failed"]
    assert {*ELEMENTS, "passed", "warning", LEFT_OUT} == WORDS.keys()


@pytest.mark.parametrize(
    ("name", "start"),
    [
        ("r.sarif", "runs"),
        ("r.xml", "testsuites"),
        ("r.ctrf.json", "reportFormat"),
        ("r.json", "format"),
        ("R.MD", "##"),
    ],
)
def test_the_suffix_selects_the_format(name: str, start: str, tmp_path: Path) -> None:
    check([str(tmp_path / name)])
    write(SAMPLE, tmp_path / name)
    assert start in (tmp_path / name).read_text(encoding="utf-8")[:200]


def test_diff_writes_sarif_with_the_line_of_each_difference() -> None:
    ended = CliRunner().invoke(main, ["diff", "9.0", "9.1.1", "--format", "sarif"])
    assert ended.exit_code == 1
    results = sarif(ended.output)["results"]
    assert {(one["ruleId"], one["level"]) for one in results} <= {
        ("breaking", "error"),
        ("notable", "warning"),
        ("new", "note"),
    }
    lines = find_document().read_text(encoding="utf-8").splitlines()
    clauses = [one for one in results if one["message"]["text"].startswith("clause chat.stream-usage:")]
    assert [lines[one["locations"][0]["physicalLocation"]["region"]["startLine"] - 1].strip() for one in clauses] == [
        "- id: chat.stream-usage"
    ]
    assert len({one["partialFingerprints"]["ruleFileSubject/v1"] for one in results}) == len(results)


def test_diff_of_reports_refuses_sarif(tmp_path: Path) -> None:
    write(SAMPLE, tmp_path / "r.json")
    ended = CliRunner().invoke(main, ["diff", *[str(tmp_path / "r.json")] * 2, "--format", "sarif"])
    assert ended.exit_code == 2
    assert "SARIF shows lines of a document" in ended.output


def test_check_writes_sarif_with_the_line_of_each_problem(tmp_path: Path) -> None:
    document = tmp_path / "pets api.yaml"
    document.write_text(
        "openapi: 3.1.0\ninfo: {title: Pets, version: '1'}\npaths:\n  /pets:\n    get:\n"
        "      parameters: [{name: n, in: query, schema: {type: integer}}]\n"
        "      responses: {'200': {description: ok}}\n",
        encoding="utf-8",
    )
    ended = CliRunner().invoke(main, ["check", str(document), "--format", "sarif"])
    assert ended.exit_code == 0
    places = [result["locations"][0]["physicalLocation"] for result in sarif(ended.output)["results"]]
    printed = CliRunner().invoke(main, ["check", str(document)]).output.splitlines()[:-1]
    assert [f"{document}:{place['region']['startLine']}" for place in places] == [
        line.partition(": #")[0] for line in printed
    ]
    assert {Path(place["artifactLocation"]["uri"]).name for place in places} == {"pets%20api.yaml"}
