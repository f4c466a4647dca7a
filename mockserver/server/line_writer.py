"""Writes lines in a separate thread, so that a slow, full or closed output never delays a request."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections import deque
from typing import IO

#: Maximum size of the queued lines, in bytes. Lines beyond it are dropped and counted.
MAX_QUEUED = 1024 * 1024
_BATCH = 64 * 1024  # bytes per write
_RETRY = 1.0  # seconds until a failed write, for example to a full disk, is tried again
_CLOSE_LIMIT = 0.5  # seconds for the remaining lines when the server ends


class LineWriter:
    """Writes lines to `out`, whose other end may be slow, full or closed."""

    def __init__(self, out: IO[str] | None = None) -> None:
        self._out = out or sys.stdout
        self._descriptor = _descriptor(self._out)
        self._lines: deque[bytes] = deque()
        self._size = 0
        self._dropped = 0
        self._ending = False
        self._broken = False
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    @property
    def broken(self) -> bool:
        """Whether the output is closed, so that no more lines are needed."""
        return self._broken

    def write(self, line: str) -> None:
        """Queue a line; never waits."""
        if self._broken:
            return
        data = line.encode("utf-8", "backslashreplace") + b"\n"
        with self._changed:
            if self._size + len(data) > MAX_QUEUED:
                self._dropped += 1
                return
            self._lines.append(data)
            self._size += len(data)
            if len(self._lines) == 1:
                self._changed.notify()

    def close(self) -> None:
        """Write the remaining lines, for at most half a second."""
        with self._changed:
            self._ending = True
            self._changed.notify()
        self._thread.join(_CLOSE_LIMIT)

    def _run(self) -> None:
        batch = b""
        while batch or (batch := self._next()):
            try:
                batch = batch[self._put(batch) :]
            except (OSError, ValueError) as error:
                if isinstance(error, ValueError) or error.errno in (errno.EPIPE, errno.EBADF):
                    return self._give_up()
                with self._changed:
                    if self._ending:
                        return None
                    self._changed.wait(_RETRY)
        return None

    def _next(self) -> bytes:
        """Return the next lines, waiting for one; nothing after `close`."""
        with self._changed:
            while not (self._lines or self._dropped or self._ending):
                self._changed.wait()
            parts, size = [], 0
            while self._lines and size < _BATCH:
                parts.append(self._lines.popleft())
                size += len(parts[-1])
            self._size -= size
            if self._dropped and not self._lines:
                parts.append(f"{self._dropped} log lines were dropped: the output is too slow.\n".encode())
                self._dropped = 0
            return b"".join(parts)

    def _put(self, data: bytes) -> int:
        """Write some of the data and return how much."""
        if self._descriptor is not None:
            return os.write(self._descriptor, data)
        self._out.write(data.decode("utf-8", "replace"))
        self._out.flush()
        return len(data)

    def _give_up(self) -> None:
        with self._changed:
            self._broken = True
            self._lines.clear()
            self._size = 0


def _descriptor(out: IO[str]) -> int | None:
    """Return the file descriptor of an output; direct writes leave nothing in a buffer that would fail at exit."""
    try:
        out.flush()
        return out.fileno()
    except (OSError, ValueError, AttributeError):
        return None
