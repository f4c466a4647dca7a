"""Lines of the log, for an output that is slow, full or closed."""

from __future__ import annotations

import errno
import io
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

import pytest

from mockserver.server import line_writer
from mockserver.server.line_writer import MAX_QUEUED, LineWriter

LINE = "x" * 99


@contextmanager
def pipe() -> Iterator[tuple[int, TextIO]]:
    """Yield the reading end of a pipe, and the writing end as an output."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as out:
        try:
            yield reading, out
        finally:
            os.close(reading)


def test_lines_arrive_in_order() -> None:
    out = io.StringIO()
    writer = LineWriter(out)
    for number in range(1000):
        writer.write(str(number))
    writer.close()
    assert out.getvalue().split() == [str(number) for number in range(1000)]


def test_what_an_output_can_not_encode_is_escaped(tmp_path: Path) -> None:
    with (tmp_path / "log").open("w", encoding="ascii") as out:
        writer = LineWriter(out)
        writer.write("half a pair: \ud800")
        writer.close()
    assert (tmp_path / "log").read_text() == "half a pair: \\ud800\n"


def test_an_unread_pipe_makes_no_one_wait_and_lines_beyond_the_limit_are_counted() -> None:
    written = 3 * MAX_QUEUED // 100
    with pipe() as (reading, out):
        writer = LineWriter(out)
        for _ in range(written):
            writer.write(LINE)
        assert writer._size <= MAX_QUEUED
        end = threading.Thread(target=writer.close)
        end.start()
        read = b""
        while b"dropped" not in read:
            read += os.read(reading, 1 << 20)
        end.join()
    (dropped,) = re.findall(rb"^(\d+) log lines were dropped", read, re.MULTILINE)
    assert int(dropped) + read.count(LINE.encode()) == written
    assert int(dropped) > 0


def test_a_closed_pipe_ends_the_writing() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as out:
        writer = LineWriter(out)
        writer.write(LINE)
        writer._thread.join(20)
        assert writer.broken
        for _ in range(1000):
            writer.write(LINE)
        assert not writer._lines
        writer.close()


def test_after_a_full_disk_the_log_goes_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(line_writer, "_RETRY", 0.001)
    tries, left, done = [0], [31], threading.Event()
    write = os.write

    def full_at_first(descriptor: int, data: bytes) -> int:
        tries[0] += 1
        if tries[0] < 3:
            raise OSError(errno.ENOSPC, "No space left on device")
        size = write(descriptor, data[:7])
        left[0] -= size
        if not left[0]:
            done.set()
        return size

    monkeypatch.setattr("mockserver.server.line_writer.os.write", full_at_first)
    with (tmp_path / "log").open("w") as out:
        writer = LineWriter(out)
        writer.write("the first line")
        writer.write("the second line")
        assert done.wait(20)
        writer.close()
    assert (tmp_path / "log").read_text() == "the first line\nthe second line\n"
