"""A real browser, Debian's chromium, driven over a pipe by the DevTools protocol: no driver, no port.

Source: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from base64 import b64decode
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import FileIO
from pathlib import Path
from threading import Timer
from typing import Any

import pytest

#: What it is called, Debian's name first.
NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync", "--disable-extensions"),
    "--remote-debugging-pipe",
)
#: Seconds that a browser may live.
LIMIT = 120


def find_browser() -> str:
    """Return the browser's path; without one the test is skipped with a notice, and fails if `CI` is true."""
    for name in NAMES:
        if path := shutil.which(name):
            return path
    said = "chromium was not found, and the pages were NOT looked at in a browser: apt-get install chromium"
    return str((pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(said))


@dataclass(slots=True)
class Page:
    """A tab of the browser; `requested` are the URLs that it has asked for, `said` what its console got to hear."""

    to_browser: FileIO
    from_browser: FileIO
    session: str = ""
    requested: list[str] = field(default_factory=list)
    said: list[str] = field(default_factory=list)
    _rest: bytes = b""
    _count: int = 0
    _loaded: bool = False

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Return what the browser answers to a command; AssertionError for one that it refuses."""
        self._count += 1
        number = self._count
        session = {"sessionId": self.session} if self.session else {}
        message = {"id": number, "method": method, "params": parameters, **session}
        self.to_browser.write(json.dumps(message).encode() + b"\0")
        while (answer := self._next()).get("id") != number:
            self._take(answer)
        assert "error" not in answer, f"{method}: {answer['error']}"
        result: dict[str, Any] = answer["result"]
        return result

    def open(self, file: Path, *, width: int = 1200, height: int = 900, dark: bool = False, media: str = "") -> None:
        """Load a file into a window of this size, in CSS pixels."""
        self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=width < 600
        )
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.call("Emulation.setEmulatedMedia", media=media, features=[scheme])
        self._loaded = False
        self.call("Page.navigate", url=file.as_uri())
        while not self._loaded:
            self._take(self._next())

    def value(self, expression: str) -> Any:
        """Return the JSON value of a JavaScript expression in the page."""
        found = self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    def picture(self, **clip: float) -> bytes:
        """Return the window, or with x, y, width, height a part of the page, as PNG."""
        part = {"clip": {**clip, "scale": 1}, "captureBeyondViewport": True} if clip else {}
        return b64decode(self.call("Page.captureScreenshot", **part)["data"])

    def _take(self, event: dict[str, Any]) -> None:
        match event.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Network.requestWillBeSent":
                self.requested.append(event["params"]["request"]["url"])
            case "Log.entryAdded":
                self.said.append(event["params"]["entry"]["text"])

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            piece = self.from_browser.read(1 << 16)
            assert piece, "the browser has ended"
            self._rest += piece
        message, _, self._rest = self._rest.partition(b"\0")
        value: dict[str, Any] = json.loads(message)
        return value


@contextmanager
def browsing(folder: Path) -> Iterator[Page]:
    """Start a browser whose profile is in `folder`; yield a tab of it; it has ended when the block is left."""
    program = find_browser()
    (commands, to_browser), (from_browser, answers) = _pipe(), _pipe()
    # The browser reads its commands from descriptor 3 and writes its answers to 4.
    wired = ["bash", "-c", f'exec "$@" 3<&{commands} 4>&{answers}', "bash"]
    browser = subprocess.Popen(
        [*wired, program, *OPTIONS, f"--user-data-dir={folder}", "about:blank"],
        pass_fds=(commands, answers),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    os.close(commands)
    os.close(answers)
    late = Timer(LIMIT, browser.kill)
    late.start()
    with FileIO(to_browser, "w") as out, FileIO(from_browser, "r") as into:
        try:
            yield _tab(Page(out, into))
        finally:
            late.cancel()
            browser.terminate()
            try:
                browser.wait(10)
            except subprocess.TimeoutExpired:
                browser.kill()
                browser.wait()


def _pipe() -> tuple[int, int]:
    """Return a pipe's two ends, out of the way of the descriptors that the browser wants."""
    reading, writing = os.pipe()
    moved = fcntl.fcntl(reading, fcntl.F_DUPFD_CLOEXEC, 10), fcntl.fcntl(writing, fcntl.F_DUPFD_CLOEXEC, 10)
    os.close(reading)
    os.close(writing)
    return moved


def _tab(page: Page) -> Page:
    target = page.call("Target.createTarget", url="about:blank")["targetId"]
    page.session = page.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Network", "Runtime", "Log"):
        page.call(f"{domain}.enable")
    return page
