"""The tools for coding agents, called by the client of the protocol's own SDK."""

from __future__ import annotations

import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import anyio
import httpx
import pytest
from mcp import Client, StdioServerParameters
from mcp.server.mcpserver import MCPServer

from agent_contract import load_contract
from mockserver import MockServer, load_engine
from mockserver.mcp.running_mock import RunningMock
from mockserver.mcp.server import create_server
from mockserver.mcp.tools import Tools
from tests.mockserver.support.chat_client import path_of, user

Result = TypeVar("Result")


def with_client(server: MCPServer | StdioServerParameters, work: Callable[[Client], Awaitable[Result]]) -> Result:
    """Return what `work` does with a client of a server."""

    async def run() -> Result:
        async with Client(server) as client:
            return await work(client)

    return anyio.run(run)


def called(mock: str, name: str, token: str = "", **arguments: Any) -> tuple[bool, str]:
    """Return whether a tool failed, and its text."""

    async def work(client: Client) -> tuple[bool, str]:
        result = await client.call_tool(name, arguments)
        return bool(result.is_error), "\n".join(part.text for part in result.content if part.type == "text")

    return with_client(create_server(Tools(load_contract(), RunningMock(mock, token))), work)


@pytest.fixture(scope="module")
def mock() -> Iterator[str]:
    with MockServer() as server:
        yield server.url


def test_each_tool_is_described_with_its_arguments(mock: str) -> None:
    async def names(client: Client) -> dict[str, Any]:
        return {tool.name: tool for tool in (await client.list_tools()).tools}

    command = StdioServerParameters(command=sys.executable, args=["-m", "agent_contract", "mcp", "--mock", mock])
    tools = with_client(command, names)
    assert tools.keys() == {
        *("list_clauses", "explain_clause", "read_journal", "explain_refusals"),
        *("list_rules", "add_rules", "plan_verification"),
    }
    assert all(tool.description for tool in tools.values())
    assert "self" not in json.dumps([tool.input_schema for tool in tools.values()])
    assert tools["explain_clause"].input_schema["required"] == ["id"]


def test_clauses_are_listed_by_id_and_words_and_explained(mock: str) -> None:
    _, listed = called(mock, "list_clauses", ids="chat.messages-*", words="empty")
    assert "chat.messages-empty" in listed
    assert "chat.n-choices" not in listed
    failed, explained = called(mock, "explain_clause", id="chat.messages-empty")
    assert not failed
    assert "published page" in explained
    failed, why = called(mock, "explain_clause", id="chat.messages-emtpy")
    assert failed
    assert "chat.messages-empty" in why


def test_an_agent_sees_why_its_requests_were_refused_and_adds_a_rule(mock: str) -> None:
    scope = {"x-mock-scope": "agent"}
    httpx.post(mock + path_of(), json={"messages": []}, headers=scope)
    _, why = called(mock, "explain_refusals", scope="agent")
    assert "chat.messages-empty" in why
    _, journal = called(mock, "read_journal", scope="agent", status="4xx")
    assert '"chat.messages-empty"' in journal
    rule = {"name": "greeting", "when": {"user_contains": "Hello"}, "answer": "Hi!"}
    failed, _ = called(mock, "add_rules", scope="agent", rules=[rule])
    assert not failed
    reply = httpx.post(mock + path_of(), json={"messages": [user("Hello!")]}, headers=scope)
    assert reply.json()["choices"][0]["message"]["content"] == "Hi!"
    assert "greeting" in called(mock, "list_rules", scope="agent")[1]


def test_a_rule_that_breaks_the_contract_is_refused_with_the_reason(mock: str) -> None:
    failed, why = called(mock, "add_rules", rules=[{"answer": {"raw": {"status": 200, "body": "no"}}}])
    assert failed
    assert "breaks the contract" in why


def test_a_run_is_planned_and_nothing_is_sent(mock: str) -> None:
    failed, plan = called(
        mock, "plan_verification", url="http://127.0.0.1:9", agent_id="demo", clauses="chat.messages-*"
    )
    assert not failed
    assert "nothing was sent" in plan
    assert "agent-contract verify --agent-id demo --clause 'chat.messages-*' -- http://127.0.0.1:9" in plan
    failed, why = called(mock, "plan_verification", url="--help")
    assert failed
    assert "--help" in why


def test_without_a_mock_the_agent_learns_how_to_start_one() -> None:
    failed, why = called("http://127.0.0.1:9", "explain_refusals")
    assert failed
    assert "agent-contract serve" in why


def test_the_control_token_is_sent() -> None:
    with MockServer(load_engine(control_tokens=["s3cret"])) as server:
        assert called(server.url, "explain_refusals")[0]
        assert not called(server.url, "explain_refusals", "s3cret")[0]
