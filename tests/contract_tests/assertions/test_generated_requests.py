"""Requests made by chance: the same for the same seed, of the operation alone, and asked with breadth `deep` alone."""

from __future__ import annotations

import json

from agent_contract import load_contract
from contract_tests.assertions import generated_requests
from contract_tests.deployment.deployment import OPERATION
from contract_tests.deployment.schema_conformance import Conformity
from tests.contract_tests.support.judging import judged
from tests.contract_tests.support.servers import Answer, serving

CONTRACT = load_contract()
TEMPLATE, METHOD = CONTRACT.operations[OPERATION].template, CONTRACT.operations[OPERATION].method
FIELDS = Conformity(CONTRACT.document, TEMPLATE, METHOD).request_fields
SCHEMA = generated_requests.schema(CONTRACT.document, TEMPLATE)


def made(seed: int) -> list[str]:
    cases = generated_requests.fuzzed(SCHEMA, TEMPLATE, METHOD, seed, 40)
    return [json.dumps(body) for _, body in generated_requests.bodies(cases)]


def test_a_seed_gives_the_same_requests_each_time() -> None:
    assert made(1) == made(1)
    assert made(1) != made(2)
    assert len(made(1)) > 5


def answer(path: str, body: bytes) -> Answer:
    """Fail on a field that no clause, boundary or example thinks of, and refuse everything else."""
    try:
        value = json.loads(body)
    except ValueError:
        value = None
    odd = isinstance(value, dict) and value.keys() - {"user", *FIELDS}
    return 500 if odd else 422, {"content-type": "application/json"}, b"{}"


def test_what_only_chance_finds_is_found_with_breadth_deep() -> None:
    """Examples and boundaries take about 400 requests; the rest are generated at random."""
    with serving(answer) as url:
        verdict = judged(url, "agent-id=a", "clause=chat.no-server-error", "max-requests=600", "breadth=deep")
    assert verdict.findings["chat.no-server-error"].word == "failed"
