"""The views of the mock's page and how they are looked at; `python -m tests.browser.support.page_views [FOLDER]`.

The command writes the snapshots that the tests compare with, the picture of the documentation, and with FOLDER also
pictures of each view: on a desk and on a phone, light and dark. A snapshot is what a screen reader gets: each element
with its role, name and text, in order. Unlike pixels it is the same with every font and browser; what only pixels show
is held by rules: contrast, names and targets by axe, and nothing may be wider than the screen.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.support.chromium import browsing
from tests.browser.support.mock_page import DESK, PHONE, Screen, fill, looking, serving

FOLDER = Path(__file__).parents[1] / "views"
#: The picture of the documentation, and the view that it shows.
PICTURE, PICTURED = Path(__file__).parents[3] / "docs" / "assets" / "page.png", "refused"
#: The address of each view by name, the words that it shows when it is complete, and what is clicked first, if any.
VIEWS: Mapping[str, tuple[str, str, str]] = {
    "requests": ("requests", "10 requests", ""),
    "refused": ("requests/6", "temperature above 2", ""),
    "stream": ("requests/5", "finish: stop", ""),
    "compare": ("requests/1/6", "different", ""),
    "rule": ("requests/1", "The message contains", "text=Make a rule of it"),
    "session": ("sessions", "Tokens per turn", ".cards a >> text=demo-tools"),
    "agents": ("agents", "demo-knowledge", ""),
    "rules": ("rules", "greeting", ""),
    "faults": ("faults", "Retry-After", "text=Settings, preview"),
    "scopes": ("scopes", "team-a", ""),
    "chat": ("chat", "Say something to demo", ""),
    "contract": ("contract/temperature", "A temperature above 2", ""),
}
#: These views list what the mock has: a new fault or clause must not change them.
CATALOGUES = ("faults", "contract")
_SIZES = {DESK: 800, PHONE: 844}


def show(screen: Screen, name: str, width: int = DESK, *, dark: bool = False) -> Page:
    """Return the page when the view is drawn."""
    page = screen.page
    page.set_viewport_size({"width": width, "height": _SIZES[width]})
    page.emulate_media(color_scheme="dark" if dark else "light", reduced_motion="reduce")
    address, text, clicked = VIEWS[name]
    screen.show(address)
    if clicked and page.get_by_text(text).count() == 0:
        page.locator(clicked).first.click()
    expect(page.locator("#app")).to_contain_text(text)
    expect(page.locator(".live")).to_have_text("Live")
    return page


def snapshot_of(page: Page) -> str:
    """Return what a screen reader gets of the page; the port is left out, because it differs each time."""
    return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", page.locator("main").aria_snapshot()) + "\n"


def main() -> None:
    """Write the snapshots, and the pictures."""
    FOLDER.mkdir(exist_ok=True)
    with browsing() as window, serving() as mock:
        fill(mock)
        with looking(window.browser, mock) as screen:
            show(screen, PICTURED).screenshot(path=PICTURE)
            for name in VIEWS:
                if name not in CATALOGUES:
                    (FOLDER / f"{name}.yaml").write_text(snapshot_of(show(screen, name)), encoding="utf-8")
                for folder in map(Path, sys.argv[1:2]):
                    folder.mkdir(exist_ok=True)
                    for width in _SIZES:
                        for dark in (False, True):
                            picture = folder / f"{name}-{width}-{'dark' if dark else 'light'}.png"
                            show(screen, name, width, dark=dark).screenshot(path=picture)


if __name__ == "__main__":
    main()
