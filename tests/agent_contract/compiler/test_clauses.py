"""Clauses: their places, the operations they apply to, the violations they describe."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_contract import Contract, load_contract
from tests.agent_contract.support.documents import compiled, only, refusal, violations, with_schema

PAYLOAD = {"$ref": "#/components/schemas/Payload"}


def clause(name: str, **rest: Any) -> dict[str, Any]:
    return {"id": name, "sentence": f"What {name} says.", "grade": "core", **rest}


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    item: dict[str, Any] = {
        "type": "object",
        "required": ["role"],
        "x-clauses": [clause("item", rules=["type", "required"])],
    }
    item["properties"] = {"role": {"type": "string", "x-clauses": [clause("role", rules=["required"], since="2")]}}
    schema = {
        "type": "object",
        "properties": {
            "n": {"type": "integer", "minimum": 1, "x-since": "2", "x-clauses": [clause("n", rules=["minimum"])]},
            "items": {"type": "array", "items": {"$ref": "#/components/schemas/Item"}},
        },
    }
    document = with_schema(PAYLOAD, Payload=schema, Item=item, Unused={"x-clauses": [clause("unused")]})
    document["info"]["x-versions"] = ["1", "2"]
    document["x-clauses"] = [clause("whole", **{"x-untestable": "it can't\n  be seen"})]
    operation = document["paths"]["/things"]["post"]
    operation["requestBody"]["x-clauses"] = [clause("malformed", rules=["json"]), clause("types", rules=["type"])]
    operation["x-clauses"] = [clause("operation", grade="field")]
    other = {"operationId": "other", "responses": {"200": {"description": "ok"}}, "security": [{"key": []}]}
    document["paths"]["/other"] = {"get": other}
    scheme = {"type": "http", "scheme": "bearer", "x-clauses": [clause("token")]}
    document["components"]["securitySchemes"] = {"key": scheme}
    return compiled(tmp_path, document)


def test_a_clause_speaks_of_the_operations_that_lead_to_it(contract: Contract) -> None:
    assert {clause.id: clause.operations for clause in contract.clauses} == {
        "whole": ("send", "other"),
        "operation": ("send",),
        "malformed": ("send",),
        "types": ("send",),
        "n": ("send",),
        "item": ("send",),
        "role": ("send",),
        "unused": (),
        "token": ("other",),
    }


def test_a_clause_has_the_version_of_its_part_unless_it_has_its_own(contract: Contract) -> None:
    assert [contract.clause(name).since for name in ("n", "role", "item")] == ["2", "2", "1"]


def test_a_clause_has_its_own_pointer_and_whether_it_fails_a_run(contract: Contract) -> None:
    found = contract.clause("operation")
    assert found.pointer == "#/paths/~1things/post/x-clauses/0"
    assert not found.fails_a_run
    assert contract.clause("whole").untestable == "it can't be seen"


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"n": 0}', ["n"]),
        (b'{"n": "x"}', ["types"]),
        (b'{"items": [1]}', ["item"]),
        (b'{"items": [{}]}', ["role"]),
        (b'{"items": 1}', ["types"]),
        (b"{", ["malformed"]),
        (b"", [""]),
    ],
)
def test_a_violation_is_put_into_words_by_the_nearest_clause_of_its_rule(
    contract: Contract, tmp_path: Path, body: bytes, expected: list[str]
) -> None:
    from agent_contract import Found, Request, check_request, parse_call

    operation = contract.operations["send"]
    request = Request("POST", "/things", (), {"content-type": "application/json"}, body)
    found = check_request(parse_call(Found(operation, {}), request))
    assert [contract.clause_for(violation, operation) for violation in found] == expected


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"grade": None}, "the grade None is unknown"),
        ({"grade": "sure"}, "the grade 'sure' is unknown"),
        ({"sentence": " "}, "the clause has no sentence"),
        ({"id": ""}, "the clause has no id"),
        ({"since": "7"}, "the version '7' is unknown"),
        ({"garde": "seed"}, "'garde' is not a key of a clause"),
    ],
)
def test_a_clause_that_lacks_something_is_refused(tmp_path: Path, change: dict[str, Any], problem: str) -> None:
    error = refusal(tmp_path, with_schema(PAYLOAD, Payload={"x-clauses": [clause("a") | change]}))
    assert error.problem == problem
    assert error.pointer.startswith("#/components/schemas/Payload/x-clauses/0")


def test_a_clause_without_a_grade_is_refused(tmp_path: Path) -> None:
    error = refusal(tmp_path, with_schema(PAYLOAD, Payload={"x-clauses": [{"id": "a", "sentence": "b"}]}))
    assert error.problem == "the clause has no grade"


def test_an_id_that_two_clauses_have_is_refused_with_the_line_of_the_first(tmp_path: Path) -> None:
    error = refusal(tmp_path, with_schema({}, A={"x-clauses": [clause("a")]}, B={"x-clauses": [clause("a")]}))
    assert error.problem.startswith("the clause 'a' exists already, in line ")
    assert error.pointer == "#/components/schemas/B/x-clauses/0"


def test_every_pointer_of_the_kit_s_own_clauses_leads_to_the_clause() -> None:
    contract = load_contract()
    assert contract.clauses
    for found in contract.clauses:
        held: Any = contract.at(found.pointer)
        assert held["id"] == found.id
        assert contract.clause(found.id) is found


def test_a_violation_of_every_rule_that_a_clause_names_is_put_into_words(tmp_path: Path) -> None:
    contract = compiled(
        tmp_path,
        with_schema(
            PAYLOAD, Payload={"minimum": 1, "maximum": 0, "x-clauses": [clause("both", rules=["minimum", "maximum"])]}
        ),
    )
    for body in (b"0", b"1"):
        (violation,) = violations(contract, body)
        assert contract.clause_for(violation, only(contract)) == "both"
