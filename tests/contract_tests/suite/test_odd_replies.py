"""Whatever a server sends is data: every clause gets a verdict, and no test fails by itself.

`make replies` replaces 20,000 parts; AGENT_CONTRACT_ODD_REPLIES sets the number.
"""

from __future__ import annotations

import os
from itertools import count
from pathlib import Path

from mockserver import MockServer
from tests.contract_tests.support.judging import judged
from tests.contract_tests.support.odd_replies import replacing

REPLACEMENTS = int(os.environ.get("AGENT_CONTRACT_ODD_REPLIES", "150"))
SEED = int(os.environ.get("AGENT_CONTRACT_ODD_SEED", "0"))


def test_every_clause_gets_a_verdict_whatever_is_replied(tmp_path: Path) -> None:
    reports = [f"report={tmp_path / name}" for name in ("r.html", "r.json", "r.md")]
    done, faults = 0, dict[str, int]()
    with MockServer() as server:
        for seed in count(SEED):
            with replacing(seed) as replacer:
                found = judged(server.url, "manage", f"seed={seed}", *reports)
            done += replacer.count
            faults |= {f"{id}: {one.reason}": seed for id, one in found.findings.items() if one.fault}
            assert len(list(tmp_path.iterdir())) == len(reports)
            if done >= REPLACEMENTS:
                break
    assert faults == {}
    assert found.clauses
