"""The mock for client tests: what the pytest fixture `agent_mock` returns, and a test case for `unittest`."""

from mockserver.recording.recorded_request import RecordedRequest
from mockserver.testing.agent_mock import AgentMock, open_mock
from mockserver.testing.unittest_case import AgentMockTestCase

__all__ = ["AgentMock", "AgentMockTestCase", "RecordedRequest", "open_mock"]
