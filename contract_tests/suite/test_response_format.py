"""Whether content has the form that a request asks for."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.assertions import expect
from contract_tests.deployment.payloads import FORM_TOKENS, plain
from contract_tests.verdict import failed, not_tested

if TYPE_CHECKING:
    from agent_contract.messages import JSON
    from contract_tests.deployment.deployment import Deployment
    from contract_tests.wire.exchange import Exchange

ASKED: list[JSON] = [{"role": "user", "content": 'Name a colour, as JSON: {"colour": …}'}]
#: Content that no model gives by chance, so that an ignored schema is detected.
COLOURS: list[JSON] = ["celadon", "cinnabar"]
SCHEMA: JSON = {
    "type": "object",
    "properties": {"colour": {"type": "string", "enum": COLOURS}},
    "required": ["colour"],
    "additionalProperties": False,
}
JSON_OBJECT: JSON = {"type": "json_object"}
JSON_SCHEMA: JSON = {"type": "json_schema", "json_schema": {"name": "colour", "schema": SCHEMA, "strict": True}}


def _content(deployment: Deployment, form: JSON) -> tuple[Exchange, Any]:
    """Return an answer in the requested format, and its content as JSON, None if it is not JSON."""
    body = plain(messages=ASKED, response_format=form, max_tokens=FORM_TOKENS)
    exchange = deployment.chat(body)
    expect.offered(exchange, "the response_format")
    expect.status(exchange, expect.OK)
    choice = expect.choices(exchange)[0]
    if choice.get("finish_reason") in ("length", "content_filter"):
        raise not_tested(f"the answer ended early: finish_reason {choice['finish_reason']}")
    try:
        return exchange, json.loads(expect.content(choice))
    except ValueError:
        return exchange, None


@pytest.mark.clause("chat.response-format-json")
def test_content_in_the_format_of_a_json_object_is_one(deployment: Deployment) -> None:
    """And nothing around it."""
    exchange, value = _content(deployment, JSON_OBJECT)
    if not isinstance(value, dict):
        raise failed("content that is a JSON object", json.dumps(expect.content(expect.choices(exchange)[0])), exchange)


@pytest.mark.clause("chat.response-format-schema")
def test_content_in_the_format_of_a_schema_conforms(deployment: Deployment) -> None:
    """The schema allows two words that a model would hardly choose by itself."""
    exchange, value = _content(deployment, JSON_SCHEMA)
    if not isinstance(value, dict) or set(value) != {"colour"} or value["colour"] not in COLOURS:
        raise failed(
            f"an object whose colour is one of {json.dumps(COLOURS)}",
            json.dumps(expect.content(expect.choices(exchange)[0])),
            exchange,
        )


@pytest.mark.clause("chat.response-format-unknown")
def test_an_unknown_format_is_refused(deployment: Deployment) -> None:
    """With 422 by servers whose schema lists the formats, and with 400 by others."""
    exchange = deployment.chat(plain(response_format={"type": "tea-leaves"}))
    expect.status(exchange, expect.BAD_REQUEST, expect.UNPROCESSABLE)
