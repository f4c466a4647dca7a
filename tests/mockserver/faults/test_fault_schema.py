"""The JSON Schema of scenarios has the names and parameters of all faults, and agrees with what is read."""

from __future__ import annotations

from itertools import chain
from typing import Any

import pytest
from jsonschema_rs import Draft7Validator, Draft202012Validator

from agent_contract.document.checked_file import Source
from agent_contract.document.errors import ContractError
from mockserver.faults.catalogue import KINDS
from mockserver.faults.fault import COMMON, bounds_of, read_fault
from tests.mockserver.support.chat_client import engine
from tests.mockserver.support.control_client import Control

SCHEMA = Control(engine()).get("/scenario.schema.json")
#: Editors of YAML check by draft 7 of JSON Schema.
VALIDATORS = [
    Draft202012Validator(SCHEMA),
    Draft7Validator({**SCHEMA, "$schema": "http://json-schema.org/draft-07/schema#"}),
]
VALUES: tuple[Any, ...] = (None, True, "text", "ä", 0, 1, 0.5, 1.5, 300, 86_401, -1, [])


def is_fault(value: Any) -> bool:
    found = {validator.is_valid({"faults": [value]}) for validator in VALIDATORS}
    assert len(found) == 1, value
    return found.pop()


def is_read(value: Any) -> bool:
    try:
        read_fault(value, Source("test"))
    except ContractError:
        return False
    return True


@pytest.mark.parametrize("name", KINDS)
def test_a_parameter_is_valid_if_the_fault_can_be_read_with_it(name: str) -> None:
    others = {key for kind in KINDS.values() for key in kind.parameters}
    for key in {*others, *COMMON, "tims"}:
        for value in VALUES:
            fault = {"fault": name, key: value}
            assert is_fault(fault) == is_read(fault), fault


@pytest.mark.parametrize(
    "value", ["stal", "stal:seconds=1", 418, "418", {"fault": "stal"}, {"fault": 418}, {}, None, 1.5]
)
def test_an_unknown_fault_is_invalid(value: Any) -> None:
    assert not is_fault(value)


@pytest.mark.parametrize("value", ["stall", "stall:seconds=1", " stall : seconds = 1", 429, "429", {"fault": "429"}])
def test_a_fault_is_valid_in_each_of_its_spellings(value: Any) -> None:
    assert is_fault(value)
    assert is_read(value)


def test_the_fault_of_an_answer_is_one_that_concerns_one_request() -> None:
    for kind in KINDS.values():
        rules = {"rules": [{"answer": {"fault": kind.name}}]}
        assert {validator.is_valid(rules) for validator in VALIDATORS} == {kind.can_answer}, kind.name


def test_each_parameter_is_described_with_its_bounds() -> None:
    described = next(one for one in SCHEMA["$defs"]["fault"]["anyOf"] if one.get("type") == "object")["properties"]
    for name in {*chain.from_iterable(kind.parameters for kind in KINDS.values()), *COMMON}:
        assert described[name]["description"]
        if "maximum" in described[name]:
            assert [described[name]["minimum"], described[name]["maximum"]] == [*bounds_of(name)]
