"""Estimates the most that a run sends and leaves, from what each clause cost on the reference server."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from contract_tests.deployment.budget import chat_share

if TYPE_CHECKING:
    from contract_tests.options import Options

#: Written by `python -m benchmarks.costs`.
COSTS = Path(__file__).with_name("costs.json")
#: The factor for other deployments, which take other paths through a test, and requests before the first test.
MARGIN = 1.25
SPARE = 5
#: The suffix of the costs of runs that create agents.
MANAGED = "+managed"
#: The estimate for a clause without recorded costs: requests, tokens per request, sessions.
UNKNOWN = (10, 200, 1)


@dataclass(frozen=True, slots=True)
class Plan:
    """The most that a run sends and leaves; `tokens` are those of prompts and of requested answers.

    Removing each agent takes one more request, which is not counted.
    """

    requests: int
    tokens: int
    sessions: int
    agents: int = 0

    def __str__(self) -> str:
        few = f"leaves at most {self.sessions} sessions, which can't be deleted"
        left = few if self.sessions else "creates no session"
        made = f"; creates and removes at most {self.agents} agents" if self.agents else ""
        return f"at most {self.requests} requests and {self.tokens:,} tokens; {left}{made}"


def planned(clauses: frozenset[str], options: Options) -> Plan:
    """Return the most that judging these clauses takes.

    It does not include what an agent adds to each prompt (instructions and knowledge), and requests that are repeated
    because of `Retry-After`. `max_requests` and `max_tokens` hold in any case.
    """
    every = _costs()
    costs = every[f"{options.breadth}{MANAGED if options.manage else ''}"]
    known = {clause: costs["clauses"][clause] for clause in clauses if clause in costs["clauses"]}
    taken = [costs["requests"][number] for number in sorted(set().union(*known.values()))]
    # Clauses that need an agent of the run's own cost nothing if the run may not create one.
    apart = every[options.breadth + MANAGED]["clauses"].keys()
    strange = len(clauses - known.keys() - apart - set(costs["generated"]["clauses"]))
    requests = _more(len(taken) + strange * UNKNOWN[0]) + SPARE
    tokens = _more(sum(cost for cost, _, _ in taken) + strange * UNKNOWN[0] * UNKNOWN[1]) + SPARE * UNKNOWN[1]
    sessions = _more(sum(left for _, left, _ in taken) + strange * UNKNOWN[2])
    if clauses & set(costs["generated"]["clauses"]):
        # Generated requests take whatever the others leave of the chat's share.
        chat_alone = all(clause.startswith("chat.") for clause in clauses)
        requests = chat_share(options.max_requests, options.breadth) if chat_alone else options.max_requests
        rest = max(requests - len(taken), 0)
        each = costs["generated"]["tokens"]
        tokens += sum(each[:rest]) + max(rest - len(each), 0) * max(each)
    return Plan(
        min(requests, options.max_requests),
        min(tokens, options.max_tokens) if options.max_tokens else tokens,
        0 if options.no_sessions else sessions,
        sum(made for _, _, made in taken) if options.manage else 0,
    )


def _more(number: int) -> int:
    return math.ceil(number * MARGIN)


@cache
def _costs() -> Mapping[str, Any]:
    found: Mapping[str, Any] = json.loads(COSTS.read_text(encoding="utf-8"))
    return found
