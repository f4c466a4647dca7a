"""The benchmark of the proxy runs, and reports what it says it measures."""

from __future__ import annotations

import re

import pytest

from benchmarks import proxy_first_byte


# Slow: it starts two servers.
def test_pairs_of_requests_are_measured(capsys: pytest.CaptureFixture[str]) -> None:
    proxy_first_byte.main(pairs=3)
    printed = capsys.readouterr().out
    assert printed.startswith("3 pairs, ")
    medians = {name.strip(): float(ms) for name, ms in re.findall(r"^(.+?) median +(-?[\d.]+) ms", printed, re.M)}
    assert medians.keys() == {"straight", "through the proxy", "added"}
    assert 0 < medians["straight"] < 10_000
