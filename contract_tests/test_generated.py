"""Requests that nobody thought of: derived from the document by schemathesis, as many as the budget leaves."""

from __future__ import annotations

from typing import Any, TypeAlias

import pytest
from schemathesis import Case

from agent_contract import load_contract
from contract_tests import generated
from contract_tests.checks import CHECKS
from contract_tests.exchange import Asked
from contract_tests.judgement import Judged, broken, nothing_more
from contract_tests.probe import OPERATION, Probe

pytestmark = pytest.mark.contract_last

Answers: TypeAlias = list[tuple[Case[Any], Asked]]

_CONTRACT = load_contract()
SCHEMA = generated.schema(_CONTRACT.document, _CONTRACT.operations[OPERATION].template)


@pytest.fixture(name="cases", scope="session")
def _cases() -> list[Case[Any]]:
    return []


@pytest.mark.contract_feeds(*CHECKS.values())
@SCHEMA.parametrize()
def test_requests_are_generated(case: Case[Any], cases: list[Case[Any]]) -> None:
    """They are kept here and sent later, in an order that makes the most of a small budget."""
    cases.append(case)


@pytest.fixture(name="answers", scope="session")
def _answers(contract_probe: Probe, cases: list[Case[Any]]) -> Answers:
    """The generated requests that the budget left room for, with what they got."""
    answers: Answers = []
    for case, body in generated.bodies(cases, contract_probe.newer_fields()):
        if contract_probe.prober.budget.left <= 0:
            break
        try:
            answers.append((case, contract_probe.chat(body if body is not None else b"null")))
        except Judged:
            break
    return answers


@pytest.mark.parametrize(
    "check", [pytest.param(check, marks=pytest.mark.clause(clause)) for check, clause in CHECKS.items()]
)
def test_the_answers_to_generated_requests_pass(answers: Answers, check: str) -> None:
    """Only what schemathesis finds in the reply itself: which status an input should get is judged elsewhere."""
    if not answers:
        raise nothing_more("no request was left for generated ones")
    for case, asked in answers:
        if asked.status and (found := generated.failures(case, asked, check)):
            raise broken(f"what schemathesis checks as {check}", "; ".join(found), asked)
