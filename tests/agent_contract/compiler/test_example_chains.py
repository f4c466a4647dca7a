"""Examples of operations without a body, and chains of examples across operations."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from agent_contract import Contract, Step
from agent_contract.lint import lint
from tests.agent_contract.support.documents import compiled, refusal, write
from tests.agent_contract.support.resources import TEXT, things


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    return compiled(tmp_path, TEXT)


def step(contract: Contract, operation: str, name: str) -> Step:
    return Step(contract.operations[operation], contract.operations[operation].example(name))


def test_an_operation_without_a_body_has_examples_of_its_own(contract: Contract) -> None:
    found = contract.operations["listThings"].example("some")
    assert (found.method, found.body, found.value, found.headers) == ("GET", b"", None, {})
    assert (found.status, found.media_type, found.query) == (200, "application/json", (("limit", "2"),))


@pytest.mark.parametrize(
    ("operation", "name", "status", "media_type"),
    [
        ("createThing", "small", 201, "application/json"),
        ("deleteThing", "gone", 204, ""),
        ("createThing", "refused", 422, ""),
    ],
)
def test_an_example_gets_the_first_success_and_its_reply_s_media_type(
    contract: Contract, operation: str, name: str, status: int, media_type: str
) -> None:
    found = contract.operations[operation].example(name)
    assert (found.status, found.media_type) == (status, media_type)


def test_an_example_of_an_operation_s_own_may_have_a_body(tmp_path: Path) -> None:
    document = things()
    document["paths"]["/things/{id}"]["delete"]["x-examples"]["gone"]["value"] = {"why": "old"}
    found = compiled(tmp_path, document).operations["deleteThing"].example("gone")
    assert (found.body, found.headers) == (b'{"why":"old"}', {"content-type": "application/json"})


def test_a_chain_goes_across_operations(contract: Contract) -> None:
    steps = contract.chain(step(contract, "deleteThing", "gone"))
    assert [(one.operation.id, one.example.name) for one in steps] == [
        ("createThing", "small"),
        ("getThing", "kept"),
        ("deleteThing", "gone"),
    ]


def test_in_a_shared_body_a_chain_stays_within_its_operation(contract: Contract) -> None:
    steps = contract.chain(step(contract, "createObject", "alike"))
    assert {one.operation.id for one in steps} == {"createObject"}


def test_the_examples_of_a_shared_body_count_once(contract: Contract) -> None:
    found = [f"{one.operation.id}.{one.example.name}" for one in contract.examples]
    assert sorted(found) == [
        *("createThing.alike", "createThing.refused", "createThing.small", "deleteThing.gone", "getThing.kept"),
        *("listThings.all", "listThings.some"),
    ]
    assert [one.name for one in contract.operations["createObject"].examples] == ["small", "alike", "refused"]


@pytest.mark.parametrize(
    ("exchange", "problem"),
    [
        ({"after": "createThing.large"}, "no earlier example is called 'createThing.large'"),
        ({"after": "getThing.kept"}, "no earlier example is called 'getThing.kept'"),
        ({"after": "deleteThing.gone"}, "no earlier example is called 'deleteThing.gone'"),
        ({"path": {"name": "x"}}, "the path has no {name}"),
        ({}, "nothing fills the path's {id}"),
        ({"shows": ["thing.lost"]}, "unknown clause 'thing.lost'"),
        ({"set": {"path.name": "$response.body#/id"}}, "the path has no {name}"),
        ({"set": {"cookie.a": "$response.body#/id"}}, "'cookie.a' is not a part of the request"),
        ({"set": {"query.": "$response.body#/id"}}, "'query.' is not a part of the request"),
        ({"set": {"/a": "$response.body#/id"}}, "'/a' is not a part of the request"),
        ({"set": {"query.a": "$response.body/id"}}, "'$response.body/id' is not a runtime expression"),
        ({"set": {"query.a": "$response.path.id"}}, "'$response.path.id' is not a runtime expression"),
        ({"set": {"query.a": "x-{$reply.body}"}}, "'$reply.body' is not a runtime expression"),
    ],
)
def test_an_exchange_that_can_not_be_played_is_refused(tmp_path: Path, exchange: dict[str, Any], problem: str) -> None:
    document = things()
    if "set" in exchange:
        exchange = {"after": "createThing.small", **exchange}
    document["paths"]["/things/{id}"]["get"]["x-examples"]["kept"]["x-exchange"] = exchange
    problems = refusal(tmp_path, document).problems
    assert problem in [one.problem for one in problems]
    assert all("/x-examples/" in one.pointer for one in problems)


def test_the_remedy_lists_the_parameters_of_the_path(tmp_path: Path) -> None:
    document = things()
    document["paths"]["/things/{id}"]["get"]["x-examples"]["kept"]["x-exchange"] = {"path": {"name": "x", "id": "1"}}
    (problem,) = (one for one in refusal(tmp_path, document).problems if one.problem == "the path has no {name}")
    assert problem.remedy == "use one of: id"


def test_a_loop_over_operations_is_found(tmp_path: Path) -> None:
    document = things()
    examples = document["components"]["requestBodies"]["Thing"]["content"]["application/json"]["examples"]
    examples["small"]["x-exchange"] = {"after": "deleteThing.gone"}
    assert {(one.pointer.split("/")[-3], one.problem) for one in refusal(tmp_path, document).problems} == {
        ("small", "no earlier example is called 'deleteThing.gone'"),
        ("kept", "no earlier example is called 'createThing.small'"),
        ("gone", "no earlier example is called 'getThing.kept'"),
        ("alike", "no earlier example is called 'small'"),
    }


def test_a_missing_example_is_reported_at_the_place_that_names_it(tmp_path: Path) -> None:
    document = things()
    document["paths"]["/things/{id}"]["get"]["x-examples"]["kept"]["x-exchange"]["after"] = "lost"
    (problem,) = refusal(tmp_path, document).problems
    assert problem.pointer == "#/paths/~1things~1%7Bid%7D/get/x-examples/kept/x-exchange/after"


def test_an_example_in_both_places_is_refused(tmp_path: Path) -> None:
    document = things()
    document["paths"]["/things"]["post"]["x-examples"] = {"small": {}}
    assert refusal(tmp_path, document).problem == "the request body has an example 'small' already"


def test_what_a_chain_fills_in_is_not_missed(tmp_path: Path) -> None:
    assert lint(write(tmp_path, TEXT)).errors == ()


def test_an_example_without_a_body_is_held_to_its_parameters(tmp_path: Path) -> None:
    text = TEXT.replace("query: {limit: 2}", "query: {limit: 0}")
    (error,) = lint(write(tmp_path, text)).errors
    assert error.pointer == "#/paths/~1things/get/x-examples/some"
    assert "query/limit breaks minimum 1" in error.problem


def test_an_example_whose_required_parameter_is_absent_is_found(tmp_path: Path) -> None:
    text = TEXT.replace("{name: X-Trace, in: header, schema", "{name: size, in: query, required: true, schema")
    (error,) = lint(write(tmp_path, text)).errors
    assert "query/size breaks required" in error.problem


def test_an_example_s_reference_is_followed(tmp_path: Path) -> None:
    document = things()
    document["paths"]["/things"]["get"]["x-examples"]["all"] = {"$ref": "#/components/examples/Nothing"}
    assert "names nothing" in refusal(tmp_path, document).problem
    document["components"]["examples"] = {"Nothing": {"summary": "No thing."}}
    assert compiled(tmp_path, document).operations["listThings"].example("all").summary == "No thing."
