"""Finds programs, chooses the cores of a process, and reads its memory from `/proc`."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

_PROC = Path("/proc")
_KILOBYTES = 1024  # in a megabyte
#: Debian's nginx is in a folder that is in the PATH of root alone.
_FOLDERS = ("/usr/sbin", "/usr/local/sbin")


def find_program(name: str) -> str | None:
    """Return the path of a program; None if it is not installed."""
    return shutil.which(name, path=os.pathsep.join([os.environ.get("PATH", os.defpath), *_FOLDERS]))


def all_cores() -> frozenset[int]:
    """Return the cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return frozenset(os.sched_getaffinity(0))
    return frozenset(range(os.cpu_count() or 1))


def halves(cores: frozenset[int]) -> tuple[frozenset[int], frozenset[int]]:
    """Return the cores of the servers and those of the load: the same single core if there is only one."""
    ordered = sorted(cores)
    half = len(ordered) // 2
    return frozenset(ordered[:half]) or cores, frozenset(ordered[half:])


def pinned(cores: frozenset[int]) -> list[str]:
    """Return the start of a command that runs on these cores: empty on systems that can't choose them."""
    taskset = shutil.which("taskset")
    return [taskset, "-c", ",".join(map(str, sorted(cores)))] if taskset else []


def tree(root: int) -> list[int]:
    """Return the ids of a process and all of its descendants."""
    found = [root]
    for process in found:
        for children in _PROC.glob(f"{process}/task/*/children"):
            found += map(int, _read(children).split())
    return found


def resident(root: int, field: str = "VmRSS") -> float:
    """Return the resident megabytes of a process tree: now, or at most so far with the field `VmHWM`."""
    lines = (line for process in tree(root) for line in _read(_PROC / str(process) / "status").splitlines())
    return sum(int(line.split()[1]) for line in lines if line.startswith(field + ":")) / _KILOBYTES


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError:
        return ""  # it has ended
