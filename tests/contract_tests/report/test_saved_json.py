"""A report as JSON conforms to its schema, is read back as it was, and other files are rejected."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from contract_tests.report.model import CHANGES, VERSION, Report
from contract_tests.report.saved_json import SCHEMA, ReportError, load, to_json
from contract_tests.verdict import WORDS
from tests.contract_tests.report.support.samples import SAMPLE, VERSION_1, report, stream

ONE = replace(SAMPLE, comparison=None)


def changed(**fields: Any) -> str:
    return json.dumps({**json.loads(to_json(SAMPLE)), **fields})


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    value: dict[str, Any] = json.loads(SCHEMA.read_text(encoding="utf-8"))
    return value


@pytest.mark.parametrize("one", [SAMPLE, ONE, report()], ids=["all", "no comparison", "empty"])
def test_a_report_conforms_to_its_schema(one: Report, schema: dict[str, Any]) -> None:
    assert [error.message for error in OAS31Validator(schema).iter_errors(json.loads(to_json(one)))] == []


def test_the_schema_is_one(schema: dict[str, Any]) -> None:
    OAS31Validator.check_schema(schema)


def test_the_schema_knows_the_words_and_the_changes(schema: dict[str, Any]) -> None:
    assert schema["$defs"]["word"]["enum"] == list(WORDS)
    change = schema["$defs"]["comparison"]["properties"]["changes"]["items"]["properties"]["change"]
    assert change["enum"] == list(CHANGES)
    assert schema["properties"]["version"]["const"] == VERSION


@pytest.mark.parametrize("one", [SAMPLE, ONE, report()], ids=["all", "no comparison", "empty"])
def test_a_report_is_read_back_as_it_was(one: Report, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text(to_json(one), encoding="utf-8")
    assert load(file) == one


def test_a_report_of_version_1_is_read_with_the_words_of_today() -> None:
    sentence = "the contract is broken: chat.n-choices, chat.stream-done"  # what a run said is kept as it was
    verdict = replace(SAMPLE.verdict, sentence=sentence)
    assert load(VERSION_1) == replace(SAMPLE, verdict=verdict)


def test_a_damaged_report_of_version_1_is_refused(tmp_path: Path) -> None:
    value = json.loads(VERSION_1.read_text(encoding="utf-8"))
    damages: tuple[Any, ...] = ([{}], "held", [[[[[[[["held"]]]]]]]])
    for clauses in damages:
        (tmp_path / "a.json").write_text(json.dumps({**value, "clauses": clauses}))
        with pytest.raises(ReportError, match="damaged report: clauses"):
            load(tmp_path / "a.json")


def test_equal_reports_are_equal_bytes() -> None:
    again = replace(SAMPLE, clauses=tuple(replace(clause) for clause in SAMPLE.clauses))
    assert to_json(again) == to_json(SAMPLE)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not JSON"),
        ("[1, 2]", "is not a report of agent-contract"),
        ('{"format": "junit"}', "is not a report of agent-contract"),
        (changed(version=VERSION + 1), "by a newer agent-contract"),
        (changed(version=0), "is a damaged report: version"),
        (changed(clauses=[{}]), "is a damaged report: clauses/0"),
        (changed(started_at="yesterday"), "is a damaged report: started_at"),
        (changed(surplus=1), "is a damaged report: the report"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_another_file_is_refused_by_its_name(text: str, said: str, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(ReportError, match=r"other\.json") as refused:
        load(file)
    assert said in str(refused.value)


@pytest.mark.parametrize("name", ["absent.json", "."])
def test_a_file_that_can_not_be_read_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(ReportError, match="can't be read"):
        load(tmp_path / name)


def test_bytes_that_are_not_utf_8_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ReportError, match="is not JSON"):
        load(tmp_path / "a.json")


def test_the_times_of_events_are_kept() -> None:
    assert [event.at_seconds for event in stream(2).reply.events] == [0.25, 0.5]
