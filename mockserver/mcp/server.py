"""The tools as a server of the Model Context Protocol, on standard input and output, by the protocol's own SDK."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from importlib.metadata import version
from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError

from agent_contract.installation import DISTRIBUTION
from mockserver.mcp.running_mock import MockProblem
from mockserver.mcp.tools import Tools

_INSTRUCTIONS = (
    "Tools for clients of an agent chat API. A red test: call explain_refusals, then explain_clause. "
    "A specific answer of the mock: add_rules. Nothing here contacts a real deployment."
)


def create_server(tools: Tools) -> MCPServer:
    """Return a server with all tools; what goes wrong in one is told to the agent in a sentence."""
    server = MCPServer(DISTRIBUTION, instructions=_INSTRUCTIONS, version=version(DISTRIBUTION), log_level="ERROR")
    for function in tools.all():
        server.tool()(_with_problems(function))
    return server


def _with_problems(function: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(function)
    def call(*given: Any, **named: Any) -> Any:
        try:
            return function(*given, **named)
        except MockProblem as problem:
            raise ToolError(str(problem)) from None

    return call
