"""Requests that schemathesis generates from the document, as many as the budget has left."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import chain
from typing import Any, TypeAlias

import pytest
from schemathesis import Case

from agent_contract import load_contract
from contract_tests.assertions import expect, generated_requests
from contract_tests.assertions.schemathesis_checks import CHECKS, CLAUSES, Check
from contract_tests.deployment.budget import NO_SESSIONS, chat_share
from contract_tests.deployment.deployment import OPERATION, Deployment
from contract_tests.runner.plugin import config_of
from contract_tests.suite.request_values import OF_ALL, variety
from contract_tests.verdict import NotPassed, failed, no_further_finding
from contract_tests.wire.exchange import Exchange

pytestmark = pytest.mark.contract_last

Answers: TypeAlias = list[tuple[Case[Any], Exchange]]

_CONTRACT = load_contract()
SCHEMA = generated_requests.schema(_CONTRACT.document, _CONTRACT.operations[OPERATION].template)


@pytest.fixture(name="cases", scope="session")
def _cases() -> list[Case[Any]]:
    return []


@pytest.mark.contract_feeds(*CLAUSES)
@SCHEMA.parametrize()
def test_requests_are_generated(case: Case[Any], cases: list[Case[Any]]) -> None:
    """They are kept here and sent later, in an order that makes the most of a small budget."""
    cases.append(case)


@pytest.fixture(name="answers", scope="session")
def _answers(request: pytest.FixtureRequest, deployment: Deployment, cases: list[Case[Any]]) -> Answers:
    """The generated requests that the budget left room for, with what they got."""
    selected = config_of(request.config).selected
    if selected.intersection(OF_ALL):
        variety(deployment)
    answers: Answers = []
    unknown, options = deployment.newer_fields(), deployment.options
    share = chat_share(options.max_requests, options.breadth)
    chat_alone = all(clause.startswith("chat.") for clause in selected)
    by_chance = generated_requests.bodies(_by_chance(deployment), unknown)
    for case, body in chain(generated_requests.bodies(cases, unknown), by_chance):
        if deployment.client.budget.left <= 0 or _taken(deployment, chat_alone) >= share:
            break
        try:
            answers.append((case, deployment.chat(body if body is not None else b"null")))
        except NotPassed as judged:
            if judged.finding.reason != NO_SESSIONS:
                break
    return answers


def _taken(deployment: Deployment, chat_alone: bool) -> int:
    """Return the used part of the chat's share; the operations around it have their own if they are judged."""
    around = 0 if chat_alone else sum(exchange.operation not in ("", OPERATION) for exchange in deployment.client.log)
    return deployment.client.budget.sent - around


def _by_chance(deployment: Deployment) -> Iterator[Case[Any]]:
    """Yield random requests, only with breadth `deep` and if the budget has some left."""
    if deployment.options.breadth == "deep" and (left := deployment.client.budget.left) > 0:
        operation = _CONTRACT.operations[OPERATION]
        most = min(left * generated_requests.TRIES, generated_requests.MOST_FUZZED)
        yield from generated_requests.fuzzed(
            SCHEMA, operation.template, operation.method, deployment.options.seed, most
        )


@pytest.mark.parametrize(
    "check", [pytest.param(check, marks=pytest.mark.clause(check.clause), id=check.clause) for check in CHECKS]
)
def test_the_answers_to_generated_requests_pass(deployment: Deployment, answers: Answers, check: Check) -> None:
    """Only what schemathesis finds in the reply itself: which status an input should get is judged elsewhere."""
    deployment.client.count_as_asked(OPERATION)
    there = [(case, exchange) for case, exchange in answers if exchange.status not in (0, expect.NOT_IMPLEMENTED)]
    seen = [(case, exchange) for case, exchange in there if not check.statuses or exchange.status in check.statuses]
    if not seen:
        raise no_further_finding("no request was left for generated ones")
    for case, exchange in seen:
        if found := generated_requests.failures(case, exchange, check.name):
            raise failed(f"what schemathesis checks as {check.name}", "; ".join(found), exchange)
