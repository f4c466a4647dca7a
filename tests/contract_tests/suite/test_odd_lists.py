"""A list whose `data` is missing or not a list gets verdicts like any other answer."""

from __future__ import annotations

import json

import pytest

from agent_contract.messages import JSON
from contract_tests.deployment.bounded_http import RawReply
from mockserver import MockServer
from tests.contract_tests.support.edited_replies import editing
from tests.contract_tests.support.judging import judged


@pytest.mark.parametrize("which", ["each list", "each list with a query", "a list of one"])
@pytest.mark.parametrize("answer", [{}, [], {"data": [{"id": "a", "created_at": [1]}, {"id": "b", "created_at": {}}]}])
def test_a_list_without_its_data_fails_its_clauses_and_no_test_fails_by_itself(answer: JSON, which: str) -> None:
    def edit(method: str, url: str, received: RawReply) -> bytes | None:
        path, _, query = url.partition("?")
        chosen = {"each list": True, "each list with a query": query != "", "a list of one": query == "limit=1"}
        is_list = method == "GET" and path.endswith(("/agents", "/models"))
        return json.dumps(answer).encode() if is_list and chosen[which] else None

    with MockServer() as server, editing(edit):
        found = judged(server.url, "manage", "clause=agents.*", "clause=models.*")
    assert {id: one.reason for id, one in found.findings.items() if one.fault} == {}
    assert found.having("failed")
