"""A reply that depends on a repaired part of the document says so, and no other reply does."""

from __future__ import annotations

from pathlib import Path

import pytest

from agent_contract import ContractError, Request
from agent_contract.document.own_document import find_document
from mockserver.build import load_engine
from mockserver.cli.repairs import repair_lines
from mockserver.engine import Engine

DOCUMENT = """\
openapi: 3.1.0
info: {title: Pets, version: "1"}
paths:
  /pets:
    get:
      operationId: listPets
      parameters: [{name: limit, in: query, schema: {type: integer}}]
      responses:
        "200":
          description: ok
          content: {application/json: {schema: {type: array, items: {$ref: "#/components/schemas/Pet"}}}}
  /owners:
    get: {operationId: listOwners, responses: {"200": {description: ok}}}
components:
  schemas:
    Pet:
      type: object
      required: [id, id]
      properties: {id: {type: integer, minimum: 0, exclusiveMinimum: true}}
"""


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    (tmp_path / "openapi.yaml").write_text(DOCUMENT, encoding="utf-8")
    return load_engine(tmp_path / "openapi.yaml")


def get(path: str, *query: tuple[str, str]) -> Request:
    return Request("GET", path, query, {}, b"")


def test_a_reply_names_the_repairs_that_it_depends_on(engine: Engine) -> None:
    warning = engine.reply(get("/pets")).headers["x-mock-warning"]
    assert "#/components/schemas/Pet/required: 'required: ['id', 'id']'" in warning
    assert "[boolean-bound]" in warning


def test_another_reply_has_no_warning(engine: Engine) -> None:
    assert "x-mock-warning" not in engine.reply(get("/owners")).headers


def test_a_refusal_has_the_warning_too(engine: Engine) -> None:
    reply = engine.reply(get("/pets", ("limit", "many")))
    assert reply.status == 400
    assert "[required-names]" in reply.headers["x-mock-warning"]


def test_the_journal_has_the_warning(engine: Engine) -> None:
    engine.reply(get("/pets"))
    (entry,) = engine.requests()
    assert any("[boolean-bound]" in hint for hint in entry["hints"])


def test_many_repairs_are_counted(tmp_path: Path) -> None:
    properties = "".join(f"          p{index}: {{type: money}}\n" for index in range(9))
    text = DOCUMENT.replace(
        "      properties: {id", f"      allOf:\n      - properties:\n{properties}      properties: {{id"
    )
    (tmp_path / "openapi.yaml").write_text(text, encoding="utf-8")
    warning = load_engine(tmp_path / "openapi.yaml").reply(get("/pets")).headers["x-mock-warning"]
    assert warning.endswith("8 more repairs; agent-contract check lists them")


def test_a_strict_mock_refuses_the_document(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text(DOCUMENT, encoding="utf-8")
    with pytest.raises(ContractError, match="is not of type"):
        load_engine(tmp_path / "openapi.yaml", strict=True)


def test_this_projects_own_document_is_never_repaired(tmp_path: Path) -> None:
    text = find_document().read_text(encoding="utf-8")
    text = text.replace("\n  schemas:\n", "\n  schemas:\n    Faulty: {type: any}\n", 1)
    (tmp_path / "openapi.yaml").write_text(text, encoding="utf-8")
    with pytest.raises(ContractError):
        load_engine(tmp_path / "openapi.yaml")


def test_the_start_counts_the_repairs_and_lists_each_kind_once(engine: Engine) -> None:
    first, *kinds, _ = repair_lines(engine.contract, everything=False)
    assert first == "2 faults of the document are repaired or left out, each by a rule:"
    assert len(kinds) == 2


def test_a_verbose_start_lists_all(tmp_path: Path) -> None:
    text = DOCUMENT.replace("operationId: listOwners", "operationId: listPets").replace("limit,", "limit, type: money,")
    (tmp_path / "openapi.yaml").write_text(text, encoding="utf-8")
    contract = load_engine(tmp_path / "openapi.yaml").contract
    assert len(repair_lines(contract, everything=True)) == len(contract.repairs) + 1


def test_a_document_without_a_fault_starts_without_a_word(tmp_path: Path) -> None:
    text = DOCUMENT.replace("required: [id, id]", "required: [id]").replace("exclusiveMinimum: true", "maximum: 9")
    (tmp_path / "openapi.yaml").write_text(text, encoding="utf-8")
    assert repair_lines(load_engine(tmp_path / "openapi.yaml").contract, everything=False) == []
