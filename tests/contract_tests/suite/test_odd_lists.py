"""A list whose `data` is missing or not a list gets verdicts like any other answer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from unittest.mock import patch

import httpx
import pytest

from agent_contract.messages import JSON
from contract_tests.deployment import client
from contract_tests.deployment.bounded_http import ExchangeLimits, RawReply, send_within
from mockserver import MockServer
from tests.contract_tests.support.judging import judged


@pytest.mark.parametrize("which", ["each list", "each list with a query", "a list of one"])
@pytest.mark.parametrize("answer", [{}, [], {"data": [{"id": "a", "created_at": [1]}, {"id": "b", "created_at": {}}]}])
def test_a_list_without_its_data_fails_its_clauses_and_no_test_fails_by_itself(answer: JSON, which: str) -> None:
    def send(
        to: httpx.Client, method: str, url: str, headers: Mapping[str, str], content: bytes, bound: ExchangeLimits
    ) -> RawReply:
        received = send_within(to, method, url, headers, content, bound)
        path, _, query = url.partition("?")
        chosen = {"each list": True, "each list with a query": query != "", "a list of one": query == "limit=1"}
        is_list = method == "GET" and path.endswith(("/agents", "/models"))
        return (
            replace(received, pieces=((0.0, json.dumps(answer).encode()),)) if is_list and chosen[which] else received
        )

    with MockServer() as server, patch.object(client, "send_within", send):
        found = judged(server.url, "manage-agents", "clause=agents.*", "clause=models.*")
    assert {id: one.reason for id, one in found.findings.items() if one.fault} == {}
    assert found.having("failed")
