"""Each answer is judged as its own operation's, by a document that is read once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest
from jsonschema_path import SchemaPath
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

from agent_contract import load_contract
from agent_contract.messages import JSON, Request
from contract_tests.deployment.bounded_validators import BoundedValidators
from contract_tests.deployment.schema_conformance import MOST_FAULTS, Conformity
from contract_tests.wire.exchange import Exchange

CONTRACT = load_contract()
AGENTS: JSON = {"object": "list", "data": [], "num_objects": 0, "first_id": None, "last_id": None, "has_more": False}
MODEL: dict[str, JSON] = {"id": "a", "object": "model", "created": 1, "model_type": "COMPLETIONS", "model_engine": "x"}
MODELS: JSON = {"object": "list", "data": [MODEL]}


def answer(value: JSON, status: int = 200) -> Exchange:
    request = Request("GET", "/", (), {})
    headers = (("content-type", "application/json"),)
    return Exchange(request, "http://a/", status=status, headers=headers, pieces=((0.0, json.dumps(value).encode()),))


def of(first: Conformity, operation: str) -> Conformity:
    found = CONTRACT.operations[operation]
    return first.of(found.template, found.method)


@pytest.fixture(scope="module")
def chat() -> Conformity:
    operation = CONTRACT.operations["createAssistantChatCompletion"]
    first = Conformity(CONTRACT.document, operation.template, operation.method)
    assert first.faults(answer({}))
    return first


def test_each_operation_has_a_form_of_its_own(chat: Conformity) -> None:
    assert of(chat, "listAgents").faults(answer(AGENTS)) == ()
    assert of(chat, "listModels").faults(answer(MODELS)) == ()
    assert of(chat, "listModels").faults(answer({"object": "list", "data": [{}]})) != ()
    assert chat.faults(answer(AGENTS)) != ()


def test_each_operation_has_statuses_of_its_own(chat: Conformity) -> None:
    assert 201 in of(chat, "createAgent").statuses
    assert 201 not in chat.statuses
    assert chat.faults(answer({}, 201)) == ("Unknown response http status: 201",)


def test_the_document_is_read_once_however_many_operations_are_judged(chat: Conformity) -> None:
    one = of(of(chat, "listAgents"), "listModels")
    assert one.first is chat


@pytest.mark.parametrize("body", [b'{"id": "\xed"}', b"\xff", b'{"id": "\\ud83d"}', b"[" * 10_000, b"{"])
@pytest.mark.parametrize("media_type", ["application/json", "text/plain", ""])
@pytest.mark.parametrize("operation", ["createAgent", "listAgents", "createAgentCompletion"])
def test_bytes_that_are_not_utf_8_are_a_fault(chat: Conformity, body: bytes, media_type: str, operation: str) -> None:
    asked = replace(answer({}), headers=(("content-type", media_type),), pieces=((0.0, body),))
    assert of(chat, operation).faults(asked) != ()


def test_of_a_reply_with_many_faults_the_first_are_named(chat: Conformity) -> None:
    found = of(chat, "listModels").faults(answer({"object": "list", "data": [{}] * 1000}))
    assert len(found) == MOST_FAULTS
    assert found[0].startswith("data/0: ")


def test_a_fault_quotes_the_beginning_of_a_long_value(chat: Conformity) -> None:
    (fault,) = of(chat, "listModels").faults(answer({"object": "list", "data": [{**MODEL, "created": "x" * 100_000}]}))
    assert fault.startswith("data/0/created: 'xxx")
    assert len(fault) < 500


@pytest.mark.parametrize("version", ["3.0.3", "3.1.0", "3.2.0"])
def test_a_bounded_validator_looks_for_no_more_errors(version: str) -> None:
    schema = SchemaPath.from_dict({"type": "array", "items": {"type": "string"}})
    validator = BoundedValidators(version, 3).create(SchemaPath.from_dict({"openapi": version}), schema)
    with pytest.raises(InvalidSchemaValue) as refused:
        validator.validate([1] * 1000)
    assert len(list(refused.value.schema_errors)) == 3
    validator.validate(["a"])
