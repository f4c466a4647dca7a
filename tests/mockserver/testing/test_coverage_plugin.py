"""`--agent-mock-coverage` reports what the tests of a client met, also with pytest-xdist."""

from __future__ import annotations

import json
from pathlib import Path
from time import process_time
from typing import Any

import pytest

from mockserver.analysis.coverage import Coverage
from mockserver.analysis.observation import from_exchange
from mockserver.testing import open_mock
from tests.mockserver.testing.support.runs import run_pytest

TESTS = """
import httpx

def send(agent_mock, **fields):
    body = {"messages": [{"role": "user", "content": "Hello!"}], **fields}
    with httpx.Client(transport=agent_mock.transport, base_url="http://mock") as client:
        return client.post("/api/v1/compatibility/openai/v1/agents/demo/chat/completions", json=body)

def test_plain(agent_mock):
    send(agent_mock)

def test_stream(agent_mock):
    send(agent_mock, stream=True)

def test_refused(agent_mock):
    agent_mock.expect_rejection("chat.temperature-above-maximum")
    send(agent_mock, temperature=3)

def test_failing(agent_mock):
    send(agent_mock, max_tokens=1)
    assert False

def test_without_a_mock():
    pass
"""


@pytest.mark.parametrize("options", [(), ("-p", "xdist", "-n", "2")])
def test_the_requests_of_all_tests_are_counted(tmp_path: Path, options: tuple[str, ...]) -> None:
    reports = ("--agent-mock-coverage-report", "coverage.json", "--agent-mock-coverage-report", "coverage.html")
    ran = run_pytest(tmp_path, TESTS, *reports, *options)
    assert ran.status == 1
    assert "contract coverage of 4 exchanges" in ran.output
    assert "finish reasons  tool_calls, content_filter" in ran.output
    value = json.loads((tmp_path / "coverage.json").read_bytes())
    assert value["exchanges"] == 4
    assert value["met"]["finish reasons"] == {"length": 1, "stop": 2}
    assert value["met"]["clauses"]["chat.temperature-above-maximum"] == 1
    assert (tmp_path / "coverage.html").is_file()


UNITTEST = """
import unittest
import httpx
from mockserver.testing import AgentMockTestCase, open_mock

BODY = {"messages": [{"role": "user", "content": "Hello!"}]}

class AClient(AgentMockTestCase):
    def test_a_chat(self):
        httpx.post(f"{self.agent_mock.base_url()}/chat/completions", json=BODY).raise_for_status()

class AnAsynchronousClient(AgentMockTestCase, unittest.IsolatedAsyncioTestCase):
    async def test_a_stream(self):
        async with httpx.AsyncClient() as client:
            await client.post(f"{self.agent_mock.base_url()}/chat/completions", json={**BODY, "stream": True})

def test_without_a_fixture():
    with open_mock() as mock:
        httpx.post(f"{mock.base_url()}/chat/completions", json={**BODY, "max_tokens": 1})
"""


def test_the_requests_of_unittest_and_of_own_mocks_are_counted_too(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, UNITTEST, "--agent-mock-coverage")
    assert ran.status == 0, ran.output
    assert "contract coverage of 3 exchanges" in ran.output


def test_counting_takes_at_most_five_percent_of_the_cpu_time_of_a_run() -> None:
    messages: Any = [{"role": "user", "content": "Hello!"}]
    with open_mock() as mock:
        client, begun = mock.client(), process_time()
        for number in range(60):
            answer: Any = client.chat.completions.create(model="", messages=messages, stream=number % 2 == 0)
            if number % 2 == 0:
                assert [*answer]
        ran, requests = process_time() - begun, mock.requests
        coverage, begun = Coverage(), process_time()
        for one in requests:
            coverage.add(from_exchange(one.exchange), mock.engine.contract)
        counted = process_time() - begun
    assert coverage.exchanges == 60
    assert counted / ran <= 0.05


def test_the_option_of_the_configuration_file_works(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, TESTS, "-k", "plain", ini="agent_mock_coverage = true\n")
    assert ran.status == 0
    assert "contract coverage of 1 exchange:" in ran.output


def test_a_run_without_the_option_reports_nothing(tmp_path: Path) -> None:
    assert "coverage" not in run_pytest(tmp_path, TESTS, "-k", "plain").output


def test_a_report_that_can_not_be_written_is_named(tmp_path: Path) -> None:
    ran = run_pytest(tmp_path, TESTS, "-k", "plain", "--agent-mock-coverage-report", "coverage.pdf")
    assert "coverage.pdf ends with none of .json, .html, .txt" in ran.output


def test_the_report_of_a_failed_test_names_misuse_of_sessions(tmp_path: Path) -> None:
    test = TESTS + (
        "\ndef test_session(agent_mock):\n"
        "    session = send(agent_mock, create_session=True).json()['session_id']\n"
        "    send(agent_mock, session_id=session)\n"
        "    assert [one.rule for one in agent_mock.lint_sessions()] == ['other-field']\n"
        "    assert False\n"
    )
    ran = run_pytest(tmp_path, test, "-k", "session")
    assert "Misuse of sessions:" in ran.output
    assert "other-field: request 2, turn 2 of session " in ran.output
    assert "assert ['other-field']" not in ran.output
