"""`AgentMockTestCase` in runs of unittest."""

from __future__ import annotations

import unittest
import warnings
from typing import Any

import httpx
import pytest

from mockserver.testing import AgentMock, AgentMockTestCase

HELLO = {"messages": [{"role": "user", "content": "Hello!"}]}


def ask(mock: AgentMock, **fields: Any) -> httpx.Response:
    return httpx.post(f"{mock.base_url()}/chat/completions", json={**HELLO, **fields})


def run(*cases: type[unittest.TestCase]) -> unittest.TestResult:
    result = unittest.TestResult()
    load = unittest.defaultTestLoader.loadTestsFromTestCase
    unittest.TestSuite(map(load, cases)).run(result)
    return result


def why(result: unittest.TestResult) -> str:
    """Return the text of the only failure or error."""
    (found,) = [*result.failures, *result.errors]
    return found[1]


def test_each_test_has_a_mock_of_its_own_and_each_class_a_server() -> None:
    servers: set[str] = set()

    class First(AgentMockTestCase):
        def test_a(self) -> None:
            self.agent_mock.reply("Scripted.")
            assert "Scripted." in ask(self.agent_mock).text
            servers.add(self.agent_mock.url.partition("/__mock__")[0])

        def test_b(self) -> None:
            assert "Scripted." not in ask(self.agent_mock).text
            self.agent_mock.assert_called(1)
            servers.add(self.agent_mock.url.partition("/__mock__")[0])

    class Second(First):
        agent_mock_config = {"agents": [{"name": "demo"}]}  # noqa: RUF012  # as users write it

    result = run(First, Second)
    assert result.wasSuccessful(), result.failures + result.errors
    assert result.testsRun == 4
    assert len(servers) == 2
    with pytest.raises(httpx.ConnectError):
        httpx.get(next(iter(servers)))


def test_a_test_that_uses_no_mock_starts_none() -> None:
    class Idle(AgentMockTestCase):
        def test_it(self) -> None:
            assert not any("server" in name for name in vars(type(self)))

    assert run(Idle).wasSuccessful()


def test_a_request_that_breaks_the_contract_fails_its_test_with_the_reason() -> None:
    class Broken(AgentMockTestCase):
        def test_it(self) -> None:
            ask(self.agent_mock, temperature=3)

    result = run(Broken)
    assert len(result.failures) == 1
    text = why(result)
    assert "broke the contract: chat.temperature-above-maximum" in text
    assert "--- agent mock ---" in text
    assert "remedy: send at most 2" in text


def test_a_failed_test_has_a_note_with_its_requests() -> None:
    class Red(AgentMockTestCase):
        def test_it(self) -> None:
            ask(self.agent_mock)
            self.fail("the test's own reason")

    text = why(run(Red))
    assert "the test's own reason" in text
    assert 'completions 200 answered: "Hello!"' in text


def test_expected_rejections_other_modes_and_skips_are_respected() -> None:
    class Expecting(AgentMockTestCase):
        def test_it(self) -> None:
            self.agent_mock.expect_rejection("chat.temperature-above-maximum")
            ask(self.agent_mock, temperature=3)

    class Skipping(AgentMockTestCase):
        def test_it(self) -> None:
            ask(self.agent_mock, temperature=3)
            self.skipTest("no reason")

    class Off(AgentMockTestCase):
        agent_mock_rejections = "off"

        def test_it(self) -> None:
            ask(self.agent_mock, temperature=3)

    class Warning(AgentMockTestCase):
        agent_mock_rejections = "warn"

        def test_it(self) -> None:
            ask(self.agent_mock, temperature=3)

    result = run(Expecting, Skipping, Off)
    assert result.wasSuccessful(), result.failures
    assert len(result.skipped) == 1
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert run(Warning).wasSuccessful()
    assert "broke the contract" in str(caught[0].message)


def test_asynchronous_tests_and_tests_of_other_classes_are_checked() -> None:
    class Shared:
        async def test_it(self: Any) -> None:
            ask(self.agent_mock, temperature=3)

    class Asynchronous(AgentMockTestCase, Shared, unittest.IsolatedAsyncioTestCase):
        pass

    assert "broke the contract" in why(run(Asynchronous))
