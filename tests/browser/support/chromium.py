"""Debian's chromium, driven by playwright: nothing is downloaded."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

#: The browser's command, Debian's name first.
NAMES = ("chromium", "chromium-browser", "google-chrome")
#: Milliseconds that one step may take, on a machine that is busy.
TIMEOUT = 60_000


def find_browser() -> str:
    """Return the browser's path; without one the test is skipped with a notice, and fails if `CI` is true."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    missing = "chromium was not found, and the pages were NOT looked at in a browser: apt-get install chromium"
    return str((pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(missing))


@dataclass(frozen=True, slots=True)
class Window:
    """A browser that shows one page at a time, the URLs that the page requested, and what its console printed."""

    browser: Browser
    requested: list[str] = field(default_factory=list)
    printed: list[str] = field(default_factory=list)

    def open(
        self, file: Path, *, width: int = 1200, height: int = 900, dark: bool = False, on_paper: bool = False
    ) -> Page:
        """Return the file as a page of this size, in CSS pixels; the page before it is closed."""
        for shown in self.browser.contexts:
            shown.close()
        self.requested.clear()
        self.printed.clear()
        context = self.browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            is_mobile=width < 600,
        )
        context.set_default_timeout(TIMEOUT)
        context.on("request", lambda request: self.requested.append(request.url))
        context.on("console", lambda message: self.printed.append(message.text))
        page = context.new_page()
        page.emulate_media(media="print" if on_paper else "screen")
        page.goto(file.as_uri())
        return page


@contextmanager
def browsing() -> Iterator[Window]:
    """Start a browser and yield it; it has ended when the block is left."""
    program = find_browser()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, timeout=TIMEOUT)
        try:
            yield Window(browser)
        finally:
            browser.close()
