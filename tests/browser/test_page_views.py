"""Each view of the page on a desk and on a phone, light and dark: accessible, not too wide, and as it was."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.browser.support.mock_page import DESK, PHONE, Screen, fill, looking, serving
from tests.browser.support.page_views import CATALOGUES, FOLDER, VIEWS, show, snapshot_of
from tests.browser.support.vendored import PACKAGES

AXE = PACKAGES / "axe-core" / "axe.min.js"
RUN = """() => axe.run({resultTypes: ['violations']}).then(({violations}) => violations.flatMap(({id, nodes}) =>
  nodes.map(({html, any}) =>
    `${id}: ${html.slice(0, 150)} ${any.map(check => check.message).join(' ').slice(0, 99)}`)))"""
TOO_WIDE = """[...document.querySelectorAll('body *')]
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .filter(one => !one.closest('nav, .scroll, .json, pre, .skip, .row') && one.checkVisibility())
  .map(one => one.outerHTML.slice(0, 120))"""


@pytest.fixture(scope="module")
def screen(browser: Browser) -> Iterator[Screen]:
    with serving() as mock:
        fill(mock)
        with looking(browser, mock) as opened:
            yield opened


def violations(screen: Screen) -> Any:
    if not AXE.exists():
        leave = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
        leave("axe-core is not installed: run `python tests/clients/support/install_node_packages.py`")
    if screen.page.evaluate("typeof axe") == "undefined":
        screen.page.evaluate(AXE.read_text(encoding="utf-8") + ";0")
    return screen.page.evaluate(RUN)


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_is_accessible_fits_and_is_as_it_was(screen: Screen, name: str) -> None:
    """If it should differ: `python -m tests.browser.support.page_views`, then review the difference.

    The width changes the layout, and darkness the colours, so these two see all of both.
    """
    for width, dark in ((DESK, False), (PHONE, True)):
        page = show(screen, name, width, dark=dark)
        assert violations(screen) == [], width
        assert page.evaluate(TOO_WIDE) == [], width
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        if width == DESK and name not in CATALOGUES:
            assert snapshot_of(page) == (FOLDER / f"{name}.yaml").read_text(encoding="utf-8")
