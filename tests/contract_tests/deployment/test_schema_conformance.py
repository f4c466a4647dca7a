"""Each answer is judged as its own operation's, by a document that is read once."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from agent_contract import load_contract
from agent_contract.messages import JSON, Request
from contract_tests.deployment.schema_conformance import Conformity
from contract_tests.wire.exchange import Exchange

CONTRACT = load_contract()
AGENTS: JSON = {"object": "list", "data": [], "num_objects": 0, "first_id": None, "last_id": None, "has_more": False}
MODEL: JSON = {"id": "a", "object": "model", "created": 1, "model_type": "COMPLETIONS", "model_engine": "x"}
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
def test_bytes_that_are_no_text_are_a_fault(chat: Conformity, body: bytes, media_type: str, operation: str) -> None:
    asked = replace(answer({}), headers=(("content-type", media_type),), pieces=((0.0, body),))
    assert of(chat, operation).faults(asked) != ()
