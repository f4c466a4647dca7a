"""`agent-contract clauses`, and the page of the documentation that is made by it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from agent_contract import load_contract
from agent_contract.cli import main
from agent_contract.messages import GRADE_MEANINGS, GRADES

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "clauses.md"
CLAUSES = load_contract(every_version=True).clauses


def clauses(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["clauses", *arguments])


def test_the_page_is_what_the_command_writes() -> None:
    """Write it again with: agent-contract clauses --format markdown > docs/reference/clauses.md."""
    assert PAGE.read_text(encoding="utf-8") == clauses("--format", "markdown").output


def test_the_table_has_a_line_for_each_clause() -> None:
    lines = clauses().output.splitlines()
    assert len(lines) == len(CLAUSES) + 1
    for line, clause in zip(lines[1:], CLAUSES, strict=True):
        name, grade, versions, sentence = line.split(maxsplit=3)
        assert (name, grade, sentence) == (clause.id, clause.grade, clause.sentence)
        assert versions.startswith(clause.since)


def test_json_has_all_of_a_clause() -> None:
    found = json.loads(clauses("--format", "json").output)
    assert [one["id"] for one in found] == [clause.id for clause in CLAUSES]
    assert found[0].keys() == {
        *("id", "grade", "since", "until", "sentence", "fails_a_run", "untestable", "operations", "pointer"),
    }


def test_markdown_names_every_clause_once() -> None:
    text = clauses("--format", "markdown").output
    assert [clause.id for clause in CLAUSES if text.count(f"| `{clause.id}` |") != 1] == []


def test_another_document_is_listed_too(tmp_path: Path) -> None:
    file = tmp_path / "small.yaml"
    file.write_text(
        "openapi: 3.1.0\ninfo: {title: Small, version: '1'}\n"
        "paths:\n  /a:\n    get:\n      operationId: a\n      responses: {'200': {description: fine}}\n"
        "      x-clauses:\n        - {id: a.b, sentence: It | is., grade: core}\n"
    )
    assert clauses(str(file)).output.splitlines()[1].split() == ["a.b", "core", "1+", "It", "|", "is."]
    assert "It \\| is." in clauses(str(file), "--format", "markdown").output


def test_a_clause_that_ended_is_listed_with_its_last_version() -> None:
    lines = [line.split() for line in clauses().output.splitlines()]
    assert {line[0]: line[2] for line in lines}["agents.description-length"] == "9.0"


@pytest.mark.parametrize("text", ["", "just a text\n", "["])
def test_a_document_that_can_not_be_used_exits_2_with_the_reason(text: str, tmp_path: Path) -> None:
    file = tmp_path / "bad.yaml"
    file.write_text(text)
    found = clauses(str(file))
    assert found.exit_code == 2
    assert "bad.yaml" in found.stderr
    assert found.stdout == ""


def test_the_help_explains_the_grades() -> None:
    text = " ".join(clauses("--help").output.split())
    assert all(f"{grade} {meaning}" in text for grade, meaning in GRADE_MEANINGS.items())
    assert GRADE_MEANINGS.keys() == GRADES.keys()
