"""The compiled checks and openapi-core agree on which of thousands of bodies are right.

Left out by name: NaN and Infinity, which are not JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from openapi_core import OpenAPI
from openapi_core.testing import MockRequest
from openapi_core.validation.request.exceptions import RequestBodyValidationError

from agent_contract import Contract, Found, Request, check_request, load_contract, parse_call
from tests.agent_contract.support.bodies import bodies

COUNT = 2000
PATH = "/api/v1/compatibility/openai/v1/assistants/{agent_id}/chat/completions"


@pytest.fixture(scope="module")
def contract() -> Contract:
    return load_contract()


@pytest.fixture(scope="module")
def judge(contract: Contract) -> Callable[[bytes], bool]:
    """Return whether openapi-core accepts a body."""
    api = OpenAPI.from_dict(contract.document)
    path = PATH.replace("{agent_id}", "demo")

    def accepts(body: bytes) -> bool:
        request = MockRequest(
            "http://localhost", "post", path, view_args={"agent_id": "demo"}, data=body, content_type="application/json"
        )
        try:
            api.validate_request(request)
        except RequestBodyValidationError:
            return False
        return True

    return accepts


def accepted(contract: Contract, body: bytes) -> bool:
    operation = contract.operations["createAssistantChatCompletion"]
    request = Request("POST", PATH, (), {"content-type": "application/json"}, body)
    call = parse_call(Found(operation, {"agent_id": "demo"}), request)
    return call.problem is None and check_request(call) == ()


def test_generated_bodies_are_accepted_by_both_or_by_neither(
    contract: Contract, judge: Callable[[bytes], bool]
) -> None:
    verdicts = []
    for body in bodies(2, COUNT):
        sent = json.dumps(body).encode()
        verdicts.append(accepted(contract, sent))
        assert verdicts[-1] == judge(sent), sent
    assert verdicts.count(True) > COUNT / 10
    assert verdicts.count(False) > COUNT / 3


@pytest.mark.parametrize(
    "change",
    [
        {"n": 1.0},
        {"n": 1.5},
        {"n": 2**70},
        {"seed": -1e300},
        {"temperature": 2.0},
        {"temperature": 2.0000000000000004},
        {"store_in_session": "7c5e7a500e094f4c8f4f3a9a4b1f7d11"},
        {"store_in_session": "urn:uuid:7c5e7a50-0e09-4f4c-8f4f-3a9a4b1f7d11"},
        {"store_in_session": "{7c5e7a50-0e09-4f4c-8f4f-3a9a4b1f7d11}"},
        {"store_in_session": "7C5E7A50-0E09-4F4C-8F4F-3A9A4B1F7D11"},
        {"messages": [{"role": "user", "content": [{"type": "text", "text": "x"}]}]},
        {"messages": [{"role": "user", "content": [{"type": "text"}]}]},
        {"messages": [{"role": "user", "content": []}]},
    ],
    ids=json.dumps,
)
def test_a_body_at_the_edge_is_accepted_by_both_or_by_neither(
    contract: Contract, judge: Callable[[bytes], bool], change: dict[str, Any]
) -> None:
    body = json.dumps({"messages": [{"role": "user", "content": "Hello!"}], **change}).encode()
    assert accepted(contract, body) == judge(body)
