"""Skips the sleeps of the client under test: they move a clock on instead of waiting."""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType, ModuleType
from typing import Any

#: Packages whose sleeps are real: what runs the test, and the mock. So are those of Python's own library.
_REAL = frozenset({"_pytest", "execnet", "mockserver", "pytest", "uvicorn", "werkzeug", "xdist"})
#: Their sleeps belong to what calls them.
_PASSED_ON = frozenset({"anyio", "asyncio"})


@contextmanager
def skipped_sleeps(advance: Callable[[float], None]) -> Iterator[None]:
    """Call `advance` with the seconds of each `time.sleep` and `asyncio.sleep` of a client, which returns at once.

    Modules that imported the functions by name are included; what they import meanwhile waits again afterwards.
    """
    active = True
    real, real_async = time.sleep, asyncio.sleep

    def sleep(seconds: float) -> None:
        if active and seconds >= 0 and _is_client(sys._getframe(1)):
            return advance(seconds)
        return real(seconds)

    async def sleep_async(delay: float, result: Any = None) -> Any:
        if active and delay > 0 and _is_client(sys._getframe(1)):
            advance(delay)
            delay = 0
        return await real_async(delay, result)

    replaced = [*_replace(real, sleep), *_replace(real_async, sleep_async)]
    try:
        yield
    finally:
        active = False
        for module, before in reversed(replaced):
            module.sleep = before


def _replace(real: Any, by: Any) -> Iterator[tuple[ModuleType, Any]]:
    """Replace the function `sleep` of every module that has the real one; yield the modules with it."""
    for module in [*sys.modules.values()]:
        if getattr(module, "__dict__", {}).get("sleep") is real:
            module.sleep = by  # type: ignore[attr-defined]
            yield module, real


def _is_client(frame: FrameType | None) -> bool:
    """Return whether the code of a frame belongs to the client under test."""
    while frame is not None:
        package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
        if package not in _PASSED_ON:
            return package not in _REAL and package not in sys.stdlib_module_names
        frame = frame.f_back
    return False
