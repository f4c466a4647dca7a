"""Completions, the older way to ask an agent: a prompt, and the text that goes on from it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from agent_contract.messages import JSON
from contract_tests.assertions import expect
from contract_tests.assertions.resources import conforming, ends_with_done, offered
from contract_tests.deployment.deployment import Deployment
from contract_tests.deployment.payloads import MAX_TOKENS
from contract_tests.verdict import failed, not_tested
from contract_tests.wire.exchange import Exchange

PROMPT = "Once upon a time"


@pytest.mark.clause("completions.answer")
def test_a_prompt_is_gone_on_from(deployment: Deployment) -> None:
    """Each choice has its text."""
    exchange = _completed(deployment)
    expect.status(exchange, expect.OK)
    conforming(deployment, exchange)
    usage = _answer(exchange).get("usage")
    if isinstance(usage, dict) and not any(usage.values()):
        raise failed("a usage that counts the prompt", json.dumps(usage), exchange)


@pytest.mark.clause("completions.object")
def test_a_completion_has_its_object_type(deployment: Deployment) -> None:
    """If it has the field."""
    exchange = _completed(deployment)
    said = _answer(exchange).get("object")
    if said not in (None, "text_completion"):
        raise failed('object "text_completion"', json.dumps(said), exchange)


@pytest.mark.clause("completions.max-tokens")
def test_a_completion_keeps_its_limit(deployment: Deployment) -> None:
    """As the answer itself counts it."""
    exchange = _completed(deployment)
    usage = _answer(exchange).get("usage")
    count = usage.get("completion_tokens") if isinstance(usage, dict) else None
    if not isinstance(count, int):
        raise not_tested("the answer does not count its tokens")
    if count > MAX_TOKENS:
        raise failed(f"at most {MAX_TOKENS} completion_tokens", f"{count}", exchange)


@pytest.mark.clause("completions.prompt-required")
def test_a_completion_without_a_prompt_is_refused(deployment: Deployment) -> None:
    """There is nothing to go on from."""
    _completed(deployment)
    expect.status(deployment.ask("createAssistantCompletion", {"max_tokens": 1}), expect.UNPROCESSABLE)


@pytest.mark.clause("completions.model-unexpected")
def test_a_completion_with_another_model_is_refused(deployment: Deployment) -> None:
    """No agent has a model of this name."""
    model = f"no-such-model-{deployment.unknown_id('model')[:8]}"
    expect.status(_completed(deployment, model=model), expect.BAD_REQUEST)


@pytest.mark.clause("completions.agent-unknown")
def test_a_completion_of_an_unknown_agent_is_refused(deployment: Deployment) -> None:
    """The id is a fresh uuid."""
    _completed(deployment)
    unknown_agent = {"agent_id": deployment.unknown_id("agent")}
    exchange = deployment.ask("createAssistantCompletion", _body(), parameters=unknown_agent)
    expect.status(exchange, expect.NOT_FOUND)


@pytest.mark.clause("completions.session-unknown")
def test_a_completion_in_an_unknown_session_is_refused(deployment: Deployment) -> None:
    """The id is a fresh uuid."""
    exchange = _completed(deployment, store_in_session=deployment.unknown_id("session"))
    expect.status(exchange, expect.NOT_FOUND)


@pytest.mark.clause("completions.session-created")
def test_a_completion_opens_a_session(deployment: Deployment) -> None:
    """A second one may use it."""
    first = _completed(deployment, create_session=True)
    session = _answer(first).get("session_id")
    if not isinstance(session, str):
        raise failed("a session_id", json.dumps(session), first)
    expect.status(_completed(deployment, store_in_session=session), expect.OK)


@pytest.mark.clause("completions.stream")
def test_a_streamed_completion_ends_with_done(deployment: Deployment) -> None:
    """And has chunks before."""
    ends_with_done(_completed(deployment, stream=True))


def _body(**fields: JSON) -> dict[str, JSON]:
    return {"prompt": PROMPT, "max_tokens": MAX_TOKENS, **fields}


def _completed(deployment: Deployment, **fields: JSON) -> Exchange:
    """Return the answer to a prompt; raises the verdict `not supported` if a plain one is not answered at all."""
    plain = offered(deployment.ask("createAssistantCompletion", _body()))
    return deployment.ask("createAssistantCompletion", _body(**fields)) if fields else plain


def _answer(exchange: Exchange) -> dict[str, Any]:
    value = exchange.json()
    if exchange.status != expect.OK or not isinstance(value, dict):
        raise not_tested(f"no answer to look at: {exchange.described()}")
    return value
