"""The mock plays an earlier version of the API: what came later is not there, and not listed."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from agent_contract import ContractError
from agent_contract.messages import Request
from mockserver import load_engine
from tests.agent_contract.support.documents import write
from tests.agent_contract.support.three_versions import TEXT
from tests.mockserver.support.chat_client import ChatClient

AGENTS = "/api/v1/compatibility/openai/v1/agents"


def asker(version: str) -> ChatClient:
    return ChatClient(load_engine(api_version=version, seed=1))


def test_a_later_operation_is_not_found(tmp_path: Path) -> None:
    file = write(tmp_path, TEXT)
    request = Request("POST", "/later")
    assert load_engine(file, api_version="2").reply(request).status == 404
    assert load_engine(file, api_version="3").reply(request).status == 200


def test_a_later_field_is_accepted_and_not_acted_upon() -> None:
    old, new = asker("9.0"), asker("9.1.1")
    assert old.answer(max_completion_tokens=1)["usage"]["completion_tokens"] > 1
    assert new.answer(max_completion_tokens=1)["usage"]["completion_tokens"] == 1


def test_a_later_field_is_not_judged() -> None:
    assert asker("9.0").reply(top_p=7, tools="none", stream_options=[]).status == 200
    assert asker("9.1").reply(top_p=7).status == 200
    assert asker("9.1.1").reply(top_p=7).status == 422


@pytest.mark.parametrize(("version", "status"), [("9.0", 422), ("9.1", 201), ("9.1.1", 201)])
def test_a_bound_that_ended_refuses_in_its_own_versions_only(version: str, status: int) -> None:
    body = json.dumps({"model": "llama-2-70b-chat-hf", "description": "d" * 513}).encode()
    request = Request("POST", AGENTS, (), {"content-type": "application/json"}, body)
    assert load_engine(api_version=version).reply(request).status == status


def test_a_usage_in_a_stream_is_asked_for_in_vain_before_9_1() -> None:
    wanted = {"stream_options": {"include_usage": True}}
    assert "usage" not in asker("9.0").chunks(**wanted)[-1]
    assert "usage" in asker("9.1").chunks(**wanted)[-1]


def test_what_every_version_has_is_the_same_in_each() -> None:
    replies = [asker(version).reply(create_session=True, temperature=1) for version in ("9.0", "9.1", "9.1.1")]
    assert replies[0] == replies[1] == replies[2]


def test_the_mock_reports_the_version_that_it_serves() -> None:
    health = json.loads(load_engine(api_version="9.0").reply(Request("GET", "/__mock__/health")).content())
    assert "9.0" in json.dumps(health)


def test_an_unknown_version_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(ContractError, match=r"use one of 9\.0, 9\.1, 9\.1\.1"):
        load_engine(api_version="8")
