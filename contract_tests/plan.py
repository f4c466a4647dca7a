"""What a run will send at most, and leave behind: from what each clause took of a practice deployment."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contract_tests.options import Options

#: Written by `python -m benchmarks.costs`.
COSTS = Path(__file__).with_name("costs.json")
#: Other deployments take other ways through a test: so much more is reckoned with, and some requests for the start.
MARGIN = 1.25
SPARE = 5
#: What is reckoned with for a clause that nothing is known of: requests, tokens of each, sessions.
UNKNOWN = (10, 200, 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """The most that a run sends and leaves behind; `tokens` are those of prompts and answers, as they are asked for."""

    requests: int
    tokens: int
    sessions: int

    def __str__(self) -> str:
        few = f"leaves at most {self.sessions} sessions behind, which can't be deleted"
        left = few if self.sessions else "creates no session"
        return f"at most {self.requests} requests and {self.tokens:,} tokens; {left}"


def planned(clauses: frozenset[str], options: Options) -> Plan:
    """Return the most that judging these clauses takes.

    Not reckoned are what an agent adds to each prompt of its own, instructions and knowledge, and what a server asks
    to send again by `Retry-After`. `max_requests` and `max_tokens` hold whatever happens.
    """
    costs = _costs()[options.breadth]
    known = {clause: costs["clauses"][clause] for clause in clauses if clause in costs["clauses"]}
    taken = [costs["requests"][number] for number in sorted(set().union(*known.values()))]
    strange = len(clauses - known.keys() - set(costs["generated"]["clauses"]))
    requests = _more(len(taken) + strange * UNKNOWN[0]) + SPARE
    tokens = _more(sum(cost for cost, _ in taken) + strange * UNKNOWN[0] * UNKNOWN[1]) + SPARE * UNKNOWN[1]
    sessions = _more(sum(left for _, left in taken) + strange * UNKNOWN[2])
    if clauses & set(costs["generated"]["clauses"]):
        # Generated requests take whatever the others leave.
        rest = max(options.max_requests - len(taken), 0)
        each = costs["generated"]["tokens"]
        tokens += sum(each[:rest]) + max(rest - len(each), 0) * max(each)
        requests = options.max_requests
    return Plan(
        min(requests, options.max_requests),
        min(tokens, options.max_tokens) if options.max_tokens else tokens,
        0 if options.no_sessions else sessions,
    )


def _more(number: int) -> int:
    return math.ceil(number * MARGIN)


@cache
def _costs() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(COSTS.read_text(encoding="utf-8"))
    return found
