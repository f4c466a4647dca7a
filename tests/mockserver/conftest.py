"""Fixtures of the mock's tests."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.mockserver.support.api_client import ApiClient
from tests.mockserver.support.chat_client import ChatClient
from tests.mockserver.support.redis_server import RedisServer


@pytest.fixture
def ask() -> ChatClient:
    """A client for chats with a new mock."""
    return ChatClient()


@pytest.fixture
def call() -> ApiClient:
    """A client for all operations of a new mock."""
    return ApiClient()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis that only this test uses, so that it may stop it."""
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop(kill=True)
