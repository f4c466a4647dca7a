"""The mock for client tests: what the pytest fixture `agent_mock` returns."""

from mockserver.testing.agent_mock import AgentMock, open_mock
from mockserver.testing.recorded import RecordedRequest

__all__ = ["AgentMock", "RecordedRequest", "open_mock"]
