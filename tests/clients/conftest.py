"""Two servers for all tests of the clients: an open one, and one that requires a token."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.clients.support.sessions import newest_request, session_findings
from tests.support.serving import Served, serve

TOKEN = "the-token-of-the-tests"


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serve() as running:
        yield running


@pytest.fixture
def sound_sessions(served: Served) -> Iterator[None]:
    """Fail a test whose client misuses sessions."""
    before = newest_request(served)
    yield
    assert session_findings(served, before) == []


@pytest.fixture(scope="session")
def guarded() -> Iterator[Served]:
    with serve(environment={**os.environ, "AGENT_CONTRACT_TOKEN": TOKEN}) as running:
        yield running
