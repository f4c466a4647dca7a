"""Fixtures of the mock's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mockserver.support.asking import Asker
from tests.mockserver.support.calling import Caller
from tests.mockserver.support.redis_server import RedisServer


@pytest.fixture
def ask() -> Asker:
    """A client for chats with a new mock."""
    return Asker()


@pytest.fixture
def call() -> Caller:
    """A client for all operations of a new mock."""
    return Caller()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that only this test uses, so that it may stop it."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop(kill=True)
