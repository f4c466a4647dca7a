"""Two servers for all tests of the clients: an open one, and one that requires a token."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from tests.support.serving import Served, serve

TOKEN = "the-token-of-the-tests"


@pytest.fixture(scope="session")
def served() -> Iterator[Served]:
    with serve() as running:
        yield running


@pytest.fixture(scope="session")
def guarded() -> Iterator[Served]:
    with serve(environment={**os.environ, "AGENT_CONTRACT_TOKEN": TOKEN}) as running:
        yield running
