"""What the tests of the mock share."""

from __future__ import annotations

import pytest

from tests.mockserver.asking import Asker
from tests.mockserver.calling import Caller


@pytest.fixture
def ask() -> Asker:
    """A fresh mock to be asked."""
    return Asker()


@pytest.fixture
def call() -> Caller:
    """A fresh mock, all of whose operations can be called."""
    return Caller()
