"""Agent frameworks against `agent-contract serve`: their loops call a tool, hand back its result, and end.

Each runs as a program of its own: what their libraries leave open is theirs.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.clients.support.sessions import newest_request, session_findings
from tests.support.serving import Served, serve

PROGRAMS = Path(__file__).parent / "frameworks"
CONFIG = """
agents:
  - name: meteorologist
    calls_tools: true
    roles: [system, user, assistant, tool]
"""


@pytest.fixture(scope="module")
def meteorologist(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    file = tmp_path_factory.mktemp("agents") / "agents.yaml"
    file.write_text(CONFIG, encoding="utf-8")
    with serve("--config", str(file)) as running:
        yield running


def printed(program: str, server: Served) -> dict[str, Any]:
    """Return what a program prints as JSON when it is given an agent's base URL; it uses sessions soundly."""
    before = newest_request(server)
    done = subprocess.run(
        [sys.executable, str(PROGRAMS / program), server.agent("meteorologist")],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert newest_request(server) > before
    assert session_findings(server, before) == []
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_langchain_s_agent_loop_ends_and_its_answers_are_parsed(meteorologist: Served) -> None:
    found = printed("with_langchain.py", meteorologist)

    assert found["asked"] == 1
    assert found["roles"] == ["human", "ai", "tool", "ai"]
    assert "Sunny, 21 degrees" in found["last"]
    assert found["streamed"] == [["weather", ["city"]]]
    assert found["report"] == "Report"


def test_litellm_is_answered_plainly_in_a_stream_and_with_a_call(meteorologist: Served) -> None:
    found = printed("with_litellm.py", meteorologist)

    assert found["content"] == found["streamed"] != ""
    assert found["tokens"] > 0
    assert found["called"] == ["weather"]
    assert found["finish"] == "tool_calls"


def test_pydantic_ai_s_agent_loop_ends_and_gets_the_type_that_it_asks_for(meteorologist: Served) -> None:
    found = printed("with_pydantic_ai.py", meteorologist)

    assert found["asked"] == 1
    assert "Sunny, 21 degrees" in found["answer"]
    assert found["report"] == "Report"
