"""The core makes about as many function calls per reply as its baseline: a guard of speed that needs no timer."""

from __future__ import annotations

import json

import pytest

from benchmarks.calls import BASELINE, calls_per_reply
from benchmarks.engine import CASES, Case

ALLOWED = 0.1


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_reply_takes_as_many_calls_as_the_baseline(case: Case) -> None:
    before = json.loads(BASELINE.read_bytes())[case.name]
    now = calls_per_reply(case)

    assert abs(now - before) <= ALLOWED * before, (
        f"{case.name}: {now:g} calls per reply, {before:g} in {BASELINE.name}. If this is meant, write the baseline "
        "again: python -m benchmarks.calls"
    )
