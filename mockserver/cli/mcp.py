"""`agent-contract mcp`: the kit's tools for coding agents."""

from __future__ import annotations

import click

from agent_contract import load_contract
from mockserver.cli.options import check_token, option


@click.command()
@option("--mock", default="http://127.0.0.1:8000", help="Mock whose journal and rules the tools use.")
@option("--control-token", help="Token of the mock's control interface.")
def mcp(mock: str, control_token: str | None) -> None:
    """Offer tools to coding agents, by the Model Context Protocol on standard input and output.

    They list and explain clauses, read the journal and the refusals of a mock, add rules to it, and plan a run of
    verify. They contact no deployment. An agent starts this command itself: its configuration names it.
    """
    from mockserver.mcp.running_mock import RunningMock
    from mockserver.mcp.server import create_server
    from mockserver.mcp.tools import Tools

    check_token("--control-token", control_token)
    create_server(Tools(load_contract(), RunningMock(mock.rstrip("/"), control_token or ""))).run()
