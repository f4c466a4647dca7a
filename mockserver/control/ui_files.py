"""The files of the page at `/__mock__/ui/`: HTML, CSS and ES modules, sent as they are.

They are the same for every mock and hold no data: the page reads the control interface, with its checks of token and
origin. So the files need no token, and no template library is needed to serve them. The policy lets no script run but
these files, so content of requests can't run even if the page failed to escape it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import TypeAlias

from agent_contract.messages import Reply, Request

UI = "/__mock__/ui/"
FOLDER = Path(__file__).parent / "ui"
_INDEX = "index.html"
_TYPES: Mapping[str, str] = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".txt": "text/plain; charset=utf-8",
}
_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "connect-src 'self'",
        "img-src 'self' data:",
        "base-uri 'none'",
        "form-action 'none'",
        "frame-ancestors 'none'",
    )
)
_HEADERS: Mapping[str, str] = {
    "cache-control": "no-cache",
    "content-security-policy": _POLICY,
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
}
Answer: TypeAlias = Callable[[Request], Reply]


@cache
def ui_files() -> Mapping[str, Answer]:
    """Return what answers each path of the page; a file is read at its first use."""
    return {"/__mock__/ui": _redirect, **dict(_answers())}


def _answers() -> Iterator[tuple[str, Answer]]:
    for file in sorted(FOLDER.rglob("*")):
        if file.suffix in _TYPES:
            name = file.relative_to(FOLDER).as_posix()
            yield UI + ("" if name == _INDEX else name), _sender(file)


def _sender(file: Path) -> Answer:
    content = cache(file.read_bytes)
    headers = {"content-type": _TYPES[file.suffix], **_HEADERS}
    return lambda _: Reply(200, headers, content())


def _redirect(_: Request) -> Reply:
    """Lead to the page; the address is relative, so it is right in every scope and below every proxy."""
    return Reply(308, {"location": "ui/"}, b"")
