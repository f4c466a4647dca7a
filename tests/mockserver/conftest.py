"""What the tests of the mock share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mockserver.support.asking import Asker
from tests.mockserver.support.calling import Caller
from tests.mockserver.support.redis_server import RedisServer


@pytest.fixture
def ask() -> Asker:
    """A fresh mock to be asked."""
    return Asker()


@pytest.fixture
def call() -> Caller:
    """A fresh mock, all of whose operations can be called."""
    return Caller()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of the test's own, which it may stop."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop(kill=True)
