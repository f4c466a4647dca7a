"""A contract as one of its API versions had it: what came later is gone, and nothing is left that speaks of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from agent_contract import Contract, ContractError, load_contract
from agent_contract.document.json_pointer import Place
from agent_contract.versions.versions import is_within
from tests.agent_contract.support.documents import violations, words, write
from tests.agent_contract.support.three_versions import TEXT


def grown() -> Any:
    return yaml.safe_load(TEXT)


@pytest.fixture
def first(tmp_path: Path) -> Contract:
    return load_contract(write(tmp_path, TEXT), "1")


def test_the_newest_version_is_the_document_itself(tmp_path: Path) -> None:
    whole, newest = load_contract(write(tmp_path, TEXT)), load_contract(write(tmp_path, TEXT), "3")
    assert (newest.digest, newest.version, newest.versions) == (whole.digest, "3", ("1", "2", "3"))


def test_a_document_that_lists_later_versions_than_its_own_has_them(tmp_path: Path) -> None:
    document = grown()
    document["info"]["version"] = "1"
    path = write(tmp_path, yaml.safe_dump(document))
    assert load_contract(path).versions == ("1", "2", "3")
    assert load_contract(path, "1").versions == ("1",)


def test_a_version_knows_itself_and_those_before(first: Contract, tmp_path: Path) -> None:
    assert (first.version, first.versions) == ("1", ("1",))
    assert load_contract(write(tmp_path, TEXT), "2").versions == ("1", "2")


def test_later_operations_and_their_paths_are_gone(first: Contract) -> None:
    assert set(first.operations) == {"get", "send"}
    assert first.find("POST", "/later") is None


def test_later_parameters_properties_and_replies_are_gone(first: Contract) -> None:
    send = first.operations["send"]
    assert [parameter.name for parameter in send.parameters] == ["old"]
    assert list(send.responses) == ["200", "422"]
    assert send.request_fields == {"name", "inner", "colour", "shape"}


def test_what_does_nothing_but_refer_to_a_later_part_is_gone(first: Contract) -> None:
    assert "part" not in first.operations["send"].request_fields


def test_a_later_property_is_not_required_and_not_judged(tmp_path: Path) -> None:
    document = grown()
    del document["paths"]["/things"]["get"], document["paths"]["/later"]
    del document["paths"]["/things"]["post"]["responses"]["200"]["links"]
    path = write(tmp_path, yaml.safe_dump(document))
    assert violations(load_contract(path, "1"), b'{"name": "a"}') == ()
    assert violations(load_contract(path, "1"), b'{"name": "a", "size": "large"}') == ()
    assert words(load_contract(path, "2"), b'{"name": "a"}') == [("body/size", "missing")]
    assert words(load_contract(path, "1"), b'{"name": "a", "colour": "green"}')
    assert violations(load_contract(path, "2"), b'{"name": "a", "size": 1, "colour": "green"}') == ()
    assert violations(load_contract(path, "1"), b'{"name": "a", "shape": "any"}') == ()


def test_clauses_of_later_versions_are_gone(first: Contract) -> None:
    assert [clause.id for clause in first.clauses] == ["a.name"]


def test_a_clause_came_with_the_first_version_that_leads_to_it(tmp_path: Path) -> None:
    whole = load_contract(write(tmp_path, TEXT))
    assert {clause.id: clause.since for clause in whole.clauses} == {
        "a.name": "1",
        "a.unmarked": "2",
        "a.size": "2",
        "a.bit": "2",
        "a.linked": "3",
    }


def test_examples_that_use_or_show_what_is_gone_are_gone(first: Contract) -> None:
    assert [example.name for example in first.operations["send"].examples] == ["plain", "colour-old"]
    assert first.operations["send"].example("plain").shows == ("a.name",)


def test_examples_in_schemas_that_use_what_is_gone_are_gone(first: Contract) -> None:
    thing: Any = first.at("#/components/schemas/Thing")
    assert "example" not in thing
    assert thing["examples"] == [{"name": "a"}]


def test_links_to_what_is_gone_are_gone(first: Contract) -> None:
    (link,) = first.operations["send"].responses["200"].links
    assert (link.name, link.parameters) == ("again", {"old": "y"})


def test_the_document_itself_stays_as_it_is(tmp_path: Path) -> None:
    path = write(tmp_path, TEXT)
    before = load_contract(path).digest
    load_contract(path, "1")
    assert load_contract(path).digest == before


def test_a_part_of_another_file_is_gone_too(tmp_path: Path) -> None:
    document = grown()
    thing = document["components"]["schemas"]["Thing"]
    thing["properties"]["inner"] = {"$ref": "inner.yaml#/Inner"}
    write(tmp_path, yaml.safe_dump({"Inner": document["components"]["schemas"].pop("Inner")}), "inner.yaml")
    contract = load_contract(write(tmp_path, yaml.safe_dump(document)), "1")
    inner: Any = contract.schemas.document.files["inner.yaml"]
    assert inner["Inner"]["properties"]["list"]["items"]["properties"] == {}


def test_an_unknown_version_is_refused_with_those_that_are_known(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as refused:
        load_contract(write(tmp_path, TEXT), "4")
    (problem,) = refused.value.problems
    assert (problem.problem, problem.remedy) == ("the API version '4' is unknown", "use one of 1, 2, 3")
    assert (problem.pointer, problem.place.endswith("openapi.yaml:2")) == ("#/info/x-versions", True)


def test_a_document_without_versions_has_its_own(tmp_path: Path) -> None:
    text = TEXT.partition("info:")[0] + 'info: {title: Small, version: "1"}\npaths: {}\n'
    assert load_contract(write(tmp_path, text), "1").version == "1"
    with pytest.raises(ContractError, match="unknown"):
        load_contract(write(tmp_path, text), "2")


def test_a_part_of_an_unknown_version_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ContractError) as refused:
        load_contract(write(tmp_path, TEXT.replace('late: {x-since: "2"}', 'late: {x-since: "7"}')), "1")
    (problem,) = refused.value.problems
    assert problem.problem == "the version '7' is unknown"
    assert problem.pointer.endswith("/late/x-since")


ENDED = """\
openapi: 3.1.0
info: {title: Ended, version: "3", x-versions: ["1", "2", "3"]}
paths:
  /things:
    post:
      operationId: send
      parameters:
        - {name: old, in: query, x-until: "1", schema: {type: string}}
      requestBody:
        content:
          application/json:
            schema: {$ref: "#/components/schemas/Thing"}
            examples:
              long: {value: {name: abcd}, x-exchange: {status: 422, shows: [a.length]}}
              aged: {value: {age: 1}}
              short: {value: {name: abc}, x-exchange: {shows: [a.kept, a.told]}}
      responses: {"200": {description: ok}, "422": {description: refused}}
  /old:
    get:
      operationId: old
      x-until: "2"
      x-clauses: [{id: a.old, sentence: It is old., grade: published}]
      responses: {"200": {description: ok}}
components:
  schemas:
    Thing:
      type: object
      required: [name, age]
      x-clauses:
        - {id: a.told, sentence: It held once., grade: published, until: "2"}
        - {id: a.kept, sentence: It holds., grade: published}
      properties:
        name:
          type: string
          allOf:
            - maxLength: 3
              x-until: "1"
              x-clauses: [{id: a.length, sentence: It is short., grade: published, rules: [maxLength]}]
        age: {type: integer, x-until: "1"}
"""


@pytest.fixture
def ended(tmp_path: Path) -> Path:
    return write(tmp_path, ENDED)


def test_a_bound_holds_until_its_last_version(tmp_path: Path) -> None:
    before, _, rest = ENDED.partition("  /old:")
    alone = write(tmp_path, before + rest[rest.index("components:") :])
    assert words(load_contract(alone, "1"), b'{"name": "abcd", "age": 1}') == [("body/name", "string_too_long")]
    assert violations(load_contract(alone, "2"), b'{"name": "abcd"}') == ()
    assert violations(load_contract(alone), b'{"name": "abcd"}') == ()


def test_the_newest_version_lacks_what_has_ended(ended: Path) -> None:
    newest = load_contract(ended)
    assert set(newest.operations) == {"send"}
    assert newest.operations["send"].parameters == ()
    assert newest.operations["send"].request_fields == {"name"}
    assert [clause.id for clause in newest.clauses] == ["a.kept"]
    assert [example.name for example in newest.operations["send"].examples] == ["short"]
    assert newest.digest == load_contract(ended, "3").digest


def test_operations_and_clauses_hold_until_their_last_version(ended: Path) -> None:
    first, second = load_contract(ended, "1"), load_contract(ended, "2")
    assert {clause.id for clause in first.clauses} == {"a.old", "a.told", "a.kept", "a.length"}
    assert {clause.id for clause in second.clauses} == {"a.old", "a.told", "a.kept"}
    assert set(second.operations) == {"send", "old"}


def test_a_version_does_not_know_what_ends_later(ended: Path) -> None:
    first = load_contract(ended, "1")
    assert {clause.until for clause in first.clauses} == {""}
    assert "x-until" not in str(first.document)


def test_every_version_together_has_what_ended_with_its_last_version(ended: Path) -> None:
    whole = load_contract(ended, every_version=True)
    assert {clause.id: clause.until for clause in whole.clauses} == {
        "a.told": "2",
        "a.kept": "",
        "a.length": "1",
        "a.old": "2",
    }
    assert whole.versions == ("1", "2", "3")


@pytest.mark.parametrize(
    ("marks", "problem"),
    [
        ('x-until: "7"', "the version '7' is unknown"),
        ('x-since: "2", x-until: "1"', "it ends with 1, before it begins with 2"),
    ],
)
def test_a_part_that_ends_at_no_sensible_version_is_refused(tmp_path: Path, marks: str, problem: str) -> None:
    text = ENDED.replace('type: integer, x-until: "1"', f"type: integer, {marks}")
    with pytest.raises(ContractError) as refused:
        load_contract(write(tmp_path, text))
    (found,) = refused.value.problems
    assert (found.problem, found.pointer.endswith("/age/x-until")) == (problem, True)


@pytest.mark.parametrize(
    ("until", "problem"),
    [("7", "the version '7' is unknown"), ("1", "it ends with 1, before it begins with 2")],
)
def test_a_clause_that_ends_at_no_sensible_version_is_refused(tmp_path: Path, until: str, problem: str) -> None:
    text = ENDED.replace('grade: published, until: "2"', f'grade: published, since: "2", until: "{until}"')
    with pytest.raises(ContractError) as refused:
        load_contract(write(tmp_path, text))
    assert problem in [found.problem for found in refused.value.problems]


@pytest.mark.parametrize("version", load_contract().versions)
def test_no_part_of_the_kit_s_own_contract_is_newer_than_its_version(version: str) -> None:
    contract = load_contract(api_version=version)
    assert contract.version == contract.versions[-1] == version
    assert {clause.since for clause in contract.clauses} <= set(contract.versions)
    assert all(clause.operations for clause in contract.clauses)
    assert all(contract.chain(step) for step in contract.examples)


def test_a_place_is_within_itself_and_what_holds_it() -> None:
    place = Place("", ("a", "b"))
    assert is_within({Place("", ())}, place)
    assert is_within({place}, place)
    assert not is_within({Place("", ("a", "b", "c")), Place("other", ("a",))}, place)


@pytest.mark.parametrize("version", load_contract().versions)
def test_the_lines_of_a_version_are_those_of_the_whole_document(version: str) -> None:
    contract = load_contract(api_version=version)
    lines = contract.source.read_text(encoding="utf-8").splitlines()
    for clause in contract.clauses:
        assert f"id: {clause.id}" in lines[(contract.line(clause.pointer) or 0) - 1]
