"""Counts the Python functions that the core calls for one reply: `python -m benchmarks.calls` writes the baseline.

A count doesn't depend on the machine or its load, so CI can compare it. Comprehensions are not counted: from Python
3.12 on they are not functions.
"""

from __future__ import annotations

import json
import sys
from itertools import count
from pathlib import Path
from types import FrameType

from benchmarks.engine import CASES, Case, new_engine

BASELINE = Path(__file__).with_suffix(".json")
#: Replies before the one that is counted: they fill what is remembered from request to request.
_BEFORE = 500
_COUNTED = 20
_COMPREHENSIONS = frozenset(("<listcomp>", "<dictcomp>", "<setcomp>"))


def calls_per_reply(case: Case) -> float:
    """Return the mean number of calls for one kind of request."""
    engine, numbers, calls = new_engine(), count(), 0

    def note(frame: FrameType, event: str, _: object) -> None:
        nonlocal calls
        calls += event == "call" and frame.f_code.co_name not in _COMPREHENSIONS

    for _ in range(_BEFORE):
        engine.reply(case.request(next(numbers)))
    requests = [case.request(next(numbers)) for _ in range(_COUNTED)]
    before = sys.getprofile()
    sys.setprofile(note)
    try:
        for request in requests:
            engine.reply(request)
    finally:
        sys.setprofile(before)
    return calls / _COUNTED


def main() -> None:
    """Write the baseline, and print it."""
    text = json.dumps({case.name: calls_per_reply(case) for case in CASES}, indent=2)
    BASELINE.write_text(text + "\n", encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
