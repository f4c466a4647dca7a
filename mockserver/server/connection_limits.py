"""Limits of connections, and the number of files that this process may open for them."""

from __future__ import annotations

import contextlib
import os
import sys
from dataclasses import dataclass, replace

#: File descriptors reserved for the store, its files, the log and the event loop.
RESERVED_FILES = 64


@dataclass(frozen=True, slots=True)
class ConnectionLimits:
    """Limits of connections. Sizes are in bytes, times in seconds.

    A client beyond `connections` gets 503. A request line and headers beyond `header_bytes` get 431, and 408 if they
    are not complete `header_seconds` after their first byte. A body gets 408 if nothing of it arrives for
    `body_seconds`, or if it is not complete after `upload_seconds`. A connection without a request is closed after
    `idle_seconds`. A client that has closed its side, or whose connection is being closed, is disconnected if it reads
    nothing of its answer for `read_seconds`.
    """

    connections: int = 20_000
    header_bytes: int = 64 * 1024
    header_seconds: float = 30.0
    body_seconds: float = 30.0
    idle_seconds: float = 75.0
    upload_seconds: float = 300.0
    read_seconds: float = 30.0


class Reader:
    """Watches whether a client reads its answer."""

    __slots__ = ("_deadline", "_seconds", "_unread")

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._unread = 0
        self._deadline = 0.0

    def has_stopped(self, unread: int, now: float) -> bool:
        """Return whether `unread` bytes have waited for the client, and it read none of them, for too long."""
        if unread == 0 or unread != self._unread:
            self._unread, self._deadline = unread, now + self._seconds
        return now >= self._deadline


def raise_open_files() -> int | None:
    """Raise the limit of open files as far as this user is allowed to, and return it; None if there is no limit."""
    if sys.platform == "win32":
        return None
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    with contextlib.suppress(OSError, ValueError):  # macOS refuses a limit above its own
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
        soft = hard
    return None if soft == resource.RLIM_INFINITY else soft


def fit_to_open_files(limits: ConnectionLimits, files: int | None) -> ConnectionLimits:
    """Return `limits` with no more connections than `files` open files leave room for, and at least one."""
    if files is None:
        return limits
    return replace(limits, connections=max(1, min(limits.connections, files - _open_now() - RESERVED_FILES)))


def _open_now() -> int:
    try:
        return len(os.listdir("/dev/fd"))  # noqa: PTH208 - names alone, not paths
    except OSError:
        return 16
