from __future__ import annotations

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.browser.support.chromium import browsing


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a module: two can't run in a thread."""
    with browsing() as window:
        yield window.browser
