"""`agent-contract check`, like a compiler."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from click.testing import CliRunner, Result

from agent_contract import cli
from agent_contract.cli import main
from tests.agent_contract.support.documents import with_parameters, with_schema, write


def check(folder: Path, document: Any) -> Result:
    text = document if isinstance(document, str) else yaml.safe_dump(document, sort_keys=False)
    return CliRunner().invoke(main, ["check", str(write(folder, text))])


def test_the_kit_s_own_document_has_neither_errors_nor_warnings() -> None:
    result = CliRunner().invoke(main, ["check"])
    assert result.output.endswith("; 0 errors, 0 warnings\n")
    assert result.exit_code == 0


def test_a_fault_is_one_line_with_place_pointer_problem_and_remedy(tmp_path: Path) -> None:
    text = """\
    openapi: 3.1.0
    info: {title: T, version: "1"}
    paths:
      /x:
        get:
          responses: {"200": {description: ok, content: {application/json: {schema: {$ref: "#/absent"}}}}}
    """
    result = check(tmp_path, text)
    pointer = "#/paths/~1x/get/responses/200/content/application~1json/schema/$ref"
    first = result.output.splitlines()[0]
    assert first == (
        f"{tmp_path / 'openapi.yaml'}:6: {pointer}: '#/absent' names nothing; "
        "correct the reference, or add what it names"
    )
    assert result.exit_code == 1


def test_a_file_is_named_as_it_is_reached_from_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert check(tmp_path, "openapi: 2").output.startswith("openapi.yaml:1: #/openapi: ")


@pytest.mark.parametrize("name", ["absent.yaml", "."])
def test_a_file_that_can_not_be_read_is_status_2(tmp_path: Path, name: str) -> None:
    result = CliRunner().invoke(main, ["check", str(tmp_path / name)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "can't be read" in result.stderr


@pytest.mark.parametrize("text", ["openapi: 2", "[]", ""])
def test_a_file_other_than_a_document_is_status_1(tmp_path: Path, text: str) -> None:
    assert check(tmp_path, text).exit_code == 1


def with_example(value: Any, status: int | None = None, **headers: Any) -> dict[str, Any]:
    document = with_schema({"type": "object", "required": ["a"]})
    example: dict[str, Any] = {"value": value}
    if status:
        example["x-exchange"] = {"status": status, "headers": headers}
    body = document["paths"]["/things"]["post"]["requestBody"]
    body["content"] = {
        "application/json": {"schema": {"type": "object", "required": ["a"]}, "examples": {"one": example}}
    }
    return document


@pytest.mark.parametrize(
    ("value", "status", "verdict"),
    [
        ({"a": 1}, None, 0),
        ({}, None, 1),
        ({"a": 1}, 200, 0),
        ({}, 200, 1),
        ({}, 404, 1),
        ({}, 422, 0),
        ({"a": 1}, 422, 1),
    ],
)
def test_an_example_gets_the_verdict_that_it_asks_for_or_is_an_error(
    tmp_path: Path, value: Any, status: int | None, verdict: int
) -> None:
    result = check(tmp_path, with_example(value, status))
    assert result.exit_code == verdict, result.output
    assert ("/examples/one: " in result.output) == bool(verdict)


def test_an_example_that_is_sent_as_no_json_is_not_held_to_the_schema(tmp_path: Path) -> None:
    assert check(tmp_path, with_example({}, 200, **{"content-type": "text/plain"})).exit_code == 0


@pytest.mark.parametrize(
    "document",
    [
        with_schema({}, A={"type": "string", "examples": ["a", 1]}),
        with_schema({}, "3.0.3", A={"type": "string", "example": 1}),
        with_parameters({"name": "a", "in": "query", "schema": {"type": "integer"}, "example": "x"}),
    ],
)
def test_an_example_that_its_schema_refuses_is_an_error(tmp_path: Path, document: Any) -> None:
    result = check(tmp_path, document)
    assert "its schema refuses it" in result.output
    assert result.exit_code == 1


def test_an_example_of_a_stream_may_be_the_stream(tmp_path: Path) -> None:
    document = with_schema({})
    event = {"type": "object", "properties": {"data": {"enum": ["a", "b"]}}}
    content = {"text/event-stream": {"schema": event, "example": "data: a\n\ndata: b\n\n"}}
    document["paths"]["/things"]["post"]["responses"]["200"]["content"] = content
    assert check(tmp_path, document).exit_code == 0
    content["text/event-stream"]["example"] = "data: a\n\ndata: c\n\n"
    assert check(tmp_path, document).exit_code == 1


LONELY = {"id": "a", "sentence": "b", "grade": "core"}


def missing(name: str) -> dict[str, Any]:
    document = with_schema({})
    del document["paths"]["/things"]["post"][name]
    return document


@pytest.mark.parametrize(
    ("document", "warning"),
    [
        (with_schema({}, A={"type": "string", "default": 1}), "its schema refuses it"),
        (with_schema({"minumum": 1}), "'minumum' is not a field of a schema, and has no effect; write 'minimum'"),
        (with_schema({"format": "uid"}), "the format 'uid' is not checked; write 'uuid'"),
        (with_schema({"type": "string", "nullable": True}), "'nullable' has no meaning in OpenAPI 3.1"),
        (with_schema({"required": ["a"], "properties": {"b": {}}}), "'a' is required and not described"),
        (missing("operationId"), "the operation has no 'operationId'"),
        (missing("responses"), "the operation has no 'responses'"),
        (with_parameters({"name": "a", "in": "query", "schema": {}}), "no reply to an invalid request is documented"),
        (with_example({"a": 1}, 418), "the operation documents no 418"),
        ({**with_schema({}), "patsh": {}}, "'patsh' is not a field of the document"),
        (with_schema({}, A={"x-clauses": [LONELY]}), "no operation uses the clause 'a'"),
    ],
)
def test_the_rest_are_warnings(tmp_path: Path, document: Any, warning: str) -> None:
    result = check(tmp_path, document)
    assert f": warning: {warning}" in result.output
    assert result.exit_code == 0


def test_help_lists_every_command_and_imports_none(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(name: str) -> None:
        raise AssertionError(name)

    monkeypatch.setattr(cli, "import_module", never)
    result = CliRunner().invoke(main, ["--help"])
    assert result.exit_code == 0
    for name in ("serve", "wait", "verify", "fixtures", "check"):
        assert f"  {name} " in result.output


def test_an_unknown_command_is_status_2() -> None:
    result = CliRunner().invoke(main, ["chekc"])
    assert result.exit_code == 2
    assert "No such command" in result.output


SYNTAX = {
    "openapi.yaml": {
        "an open bracket": ("a: 1\nb: [1,\n", 3, 1),
        "a tab as indentation": ("a:\n\tb: 1\n", 2, 1),
        "a control character": ("a: 1\nb: \x01\n", 2, 4),
        "a repeated key": ("a: 1\na: 2\n", 2, 1),
        "a huge integer": ("a: " + "9" * 5000, 1, 4),
        "deep nesting": ("[" * 100_000, 1, 201),
    },
    "openapi.json": {
        "a constant of Python": ('{"a": "NaN",\n "b": NaN}', 2, 7),
        "an absent value": ('{"a": 1,\n "b": }', 2, 7),
        "a repeated key": ('{"a": 1,\n "a": 2}', 2, 2),
        "a huge integer": ('{"a":\n ' + "9" * 5000 + "}", 2, 2),
        "deep nesting": ("[" * 100_000, 1, 201),
    },
}


@pytest.mark.parametrize(
    ("name", "text", "line", "column"),
    [pytest.param(name, *row, id=f"{name}, {what}") for name, rows in SYNTAX.items() for what, row in rows.items()],
)
def test_a_syntax_error_has_line_and_column_and_is_status_2(
    tmp_path: Path, name: str, text: str, line: int, column: int
) -> None:
    path = tmp_path / name
    path.write_text(text, encoding="utf-8")
    result = CliRunner().invoke(main, ["check", str(path)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{path}:{line}:{column}: #: ")
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("openapi.json", '{"openapi": "3.1.0\\ud800"}', "half a character"),
        ("openapi.json", '{"\\udfff": 1}', "half a character"),
        ("openapi.json", '{"a": 1e999}', "too large"),
        ("openapi.yaml", "a: 1e999", "too large"),
    ],
)
def test_a_value_that_json_does_not_have_is_status_2(tmp_path: Path, name: str, text: str, problem: str) -> None:
    result = CliRunner().invoke(main, ["check", str(write(tmp_path, text, name))])
    assert result.exit_code == 2
    assert problem in result.stderr


def test_a_document_in_utf_16_is_status_2(tmp_path: Path) -> None:
    path = tmp_path / "openapi.yaml"
    path.write_bytes("openapi: 3.1.0".encode("utf-16"))
    result = CliRunner().invoke(main, ["check", str(path)])
    assert (result.exit_code, "save it as UTF-8" in result.stderr) == (2, True)


@pytest.mark.parametrize("command", ["check", "clauses"])
@pytest.mark.parametrize("text", ["{type: [", None, "not: [utf-8: \udcff"], ids=["syntax", "absent", "encoding"])
def test_an_unreadable_file_that_a_reference_leads_to_is_status_2(
    tmp_path: Path, command: str, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "shared.yaml").write_text(text, encoding="utf-8", errors="surrogateescape")
    path = write(tmp_path, yaml.safe_dump(with_schema({"$ref": "shared.yaml"})))
    result = CliRunner().invoke(main, [command, str(path)])
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"{tmp_path / 'shared.yaml'}")
    assert len(result.stderr.splitlines()) == 1


def test_foreign_text_in_a_problem_can_not_steer_the_terminal(tmp_path: Path) -> None:
    result = check(tmp_path, with_schema({"$ref": "#/\x1b[2J\u202e\n", "\x1b[2J": 1, "default": "\x1b"}))
    assert result.exit_code == 1
    assert not set(result.output) & {"\x1b", "\u202e"}


@pytest.mark.parametrize("command", ["check", "clauses"])
def test_a_reference_out_of_the_folder_needs_a_flag(tmp_path: Path, command: str) -> None:
    write(tmp_path, "{type: string}", "shared.yaml")
    path = write(tmp_path, yaml.safe_dump(with_schema({"$ref": "../shared.yaml"})), "api/openapi.yaml")
    refused = CliRunner().invoke(main, [command, str(path)])
    assert "'../shared.yaml' leads out of the document's folder" in refused.output
    assert "--allow-outside" in refused.output
    assert refused.exit_code
    assert CliRunner().invoke(main, [command, str(path), "--allow-outside"]).exit_code == 0
