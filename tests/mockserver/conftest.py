"""What the tests of the mock share."""

from __future__ import annotations

import pytest

from tests.mockserver.asking import Asker


@pytest.fixture
def ask() -> Asker:
    """A fresh mock to be asked."""
    return Asker()
