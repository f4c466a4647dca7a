"""The version of a deployment is the newest of which, and of all before it, something is understood."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from agent_contract import load_contract
from agent_contract.messages import JSON, Request
from contract_tests.deployment.version_detection import ApiVersion, detected, document_of
from contract_tests.verdict import not_tested
from contract_tests.wire.exchange import Exchange

VERSIONS = ("9.0", "9.1", "9.1.1")
OF_9_1 = {"tools", "stream_options"}
OF_9_1_1 = {"top_p", "top_k", "frequency_penalty", "presence_penalty", "response_format", "max_completion_tokens"}
Chat = Callable[[dict[str, JSON]], Exchange]


def wrong(name: str, value: Any) -> bool:
    """Whether a field's value is one that its schema refuses."""
    if name in ("top_p", "frequency_penalty"):
        return bool(value > 1)
    return isinstance(value, str) or value in (0, -2, -2.1)


def server(known: set[str], *, strict: bool = False, sent: list[dict[str, Any]] | None = None) -> Chat:
    """Return a server that understands some fields; a strict one refuses what it doesn't list."""

    def chat(body: dict[str, JSON]) -> Exchange:
        if sent is not None:
            sent.append(body)
        more = {name: value for name, value in body.items() if name not in ("messages", "max_tokens", "stream")}
        refused = any(wrong(name, value) for name, value in more.items() if name in known)
        refused |= strict and not more.keys() <= known
        return Exchange(
            Request("POST", "/", (), {}, json.dumps(body).encode()), "http://host/", status=422 if refused else 200
        )

    return chat


@pytest.mark.parametrize("strict", [False, True], ids=["ignores the unlisted", "refuses the unlisted"])
@pytest.mark.parametrize(
    ("known", "version"),
    [(set(), "9.0"), (OF_9_1, "9.1"), ({"tools"}, "9.1"), (OF_9_1 | OF_9_1_1, "9.1.1"), (OF_9_1_1, "9.0")],
    ids=["nothing", "all of 9.1", "tools", "everything", "fields of 9.1.1 without those of 9.1"],
)
def test_a_version_is_found_by_what_is_understood(known: set[str], version: str, strict: bool) -> None:
    assert detected(VERSIONS, server(known, strict=strict)).name == version


def test_the_reason_names_the_fields() -> None:
    assert str(detected(VERSIONS, server({"tools"}))) == (
        "tested as version 9.1: it understands tools, and none of 9.1.1's top_p, response_format, max_completion_tokens"
    )


def test_three_requests_find_the_newest_version() -> None:
    sent: list[dict[str, Any]] = []
    assert detected(VERSIONS, server(OF_9_1 | OF_9_1_1, sent=sent)).name == "9.1.1"
    assert len(sent) == 3


def test_a_deployment_that_can_not_be_asked_is_tested_as_the_newest() -> None:
    def chat(body: dict[str, JSON]) -> Exchange:
        raise not_tested("request budget: all 1 requests were used")

    assert detected(VERSIONS, chat) == ApiVersion(
        "9.1.1", "the newest, as none could be detected: request budget: all 1 requests were used"
    )


@pytest.mark.parametrize(("version", "has_bound"), [("9.0", True), ("9.1", False), ("9.1.1", False)])
def test_replies_are_checked_by_the_schemas_of_the_version(version: str, has_bound: bool) -> None:
    contract = load_contract(every_version=True)
    schemas = document_of(contract.document, contract.versions, version)["components"]["schemas"]
    assert ('"maxLength": 512' in json.dumps(schemas)) == has_bound
    fields = schemas["AgentChatCompletionsRequestPayload"]["properties"]
    assert ("stream_options" in fields) == (version != "9.0")
