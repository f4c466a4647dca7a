"""A mock that behaves as a deployment did: what a report of `verify` found becomes deviations of the mock."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any

from agent_contract import Contract
from agent_contract.messages import Reply, Request
from mockserver.build import create_engine
from mockserver.config import Config
from mockserver.engine import Engine
from mockserver.generation.latency import Pace
from mockserver.resources.agents import Agent, by_address, configured_agent, unique
from server_defects.closeness import closeness
from server_defects.defect import Defect
from server_defects.leniency import HELLO, RECORDED, deviations, payload_of
from server_defects.player import PLAYABLE, DefectiveEngine, play
from server_defects.recorded import Evidence, evidence_of, model_of, seen_of, sent_to
from server_defects.refusals import refusal_of, with_payload
from server_defects.replies import json_reply

if TYPE_CHECKING:
    from contract_tests.report.model import OperationCoverage, Report

#: The verdicts whose evidence shows what a deployment does differently.
_DIFFERENT = ("failed", "failed (waived)", "warning", "not supported")
#: Statuses of a server that does not have an operation, or does not let anyone use it.
_ABSENT = frozenset({"403", "404", "405", "501"})
#: How much closer a deviation must bring the replies, all together, to be played: less than one field does.
_CLOSER = 0.003
_CHAT = "/api/v1/compatibility/openai/v1/assistants/{}/chat/completions"
#: The clause on bodies that are too large, which a deployment without a limit does not have.
_SIZE, _UNLIMITED = "chat.body-too-large", 64 * 1024 * 1024
#: The clause that only a deployment with several knowledge bases shows, and a knowledge base.
_LISTS = "control.limit"
_KNOWLEDGE_BASE = {
    "name": "archive",
    "data_origin_type": "LOCAL_FILES",
    "index_refresh_policy": {"policy_type": "MANUAL"},
}
#: A name that could not be an id of a deployment's agent.
_NAME = "imitated"


@dataclass(frozen=True, slots=True)
class Profile:
    """What a mock takes over from a deployment.

    `agent` is the agent that was asked. `defects` are what the mock does differently. `faults` are those of its start.
    `missing` are the clauses that the deployment does not keep, and the mock does, by their sentences.
    """

    url: str
    started_at: str
    api_version: str
    agent: Agent
    defects: tuple[Defect, ...]
    faults: tuple[str, ...]
    pace: Pace
    missing: Mapping[str, str]
    has_token: bool
    takes_any_size: bool = False
    has_knowledge_bases: bool = False

    def lines(self) -> Iterator[str]:
        """Yield what the mock takes over, and what it can't."""
        yield f"As {self.url} at {self.started_at}, version {self.api_version}:"
        yield from (f"  {one.clause}: {one.sentence[0].lower()}{one.sentence[1:].rstrip('.')}" for one in self.defects)
        yield from (f"  starts with the fault {fault}" for fault in self.faults)
        if self.pace.ttft or self.pace.tps:
            yield f"  {self.pace.ttft:g} s to the first token, then {self.pace.tps:g} tokens per second"
        if not self.defects and not self.faults:
            yield "  nothing else than the contract says"
        if self.has_token:
            yield "  it asked for a token, which the report does not have: set --token"
        if self.missing:
            yield "Clauses that the deployment does not keep, and this mock can't imitate:"
            yield from (f"  {id}: {sentence}" for id, sentence in self.missing.items())


def profile_of(report: Report, contract: Contract) -> Profile:
    """Return the profile of the deployment that a report is about."""
    shown = [clause for clause in report.having(*_DIFFERENT) if clause.id in {one.id for one in contract.clauses}]
    evidence = [one for clause in shown if (one := evidence_of(clause))]
    agent = _agent(report.target.agent_id, model_of(evidence))
    config = Config(agents=by_address([agent]))
    defects = tuple(_absent(report.operations, evidence))
    passed = {clause.id for clause in report.having("passed")}
    defects += _chosen(contract, config, evidence, defects, passed)
    unexplained = _unexplained(contract, config, evidence, defects)
    missing = {
        clause.id: clause.sentence
        for clause in shown
        if clause.id in unexplained or (clause.word != "not supported" and clause.transcript is None)
    }
    return Profile(
        report.target.url,
        report.started_at,
        report.contract.version,
        agent,
        defects,
        tuple(_faults(report)),
        _pace(report),
        missing,
        bool(report.options.get("token")),
        any(clause.id == _SIZE for clause in report.having("not supported")),
        _LISTS in passed,
    )


def imitate(engine: Engine, profile: Profile) -> Engine | DefectiveEngine:
    """Return an engine that behaves as the profile; `engine` has its agent and its faults.

    If the deployment had several knowledge bases, the engine gets a second one.
    """
    if profile.has_knowledge_bases:
        engine.handle(with_payload(Request("POST", "/api/v1/control/knowledge-bases"), _KNOWLEDGE_BASE))
    return play(engine, profile.defects)


def _agent(address: str, model: str) -> Agent:
    """Return the agent with the id that a deployment's agent has; if that is no UUID it is a name."""
    more = {"model": model} if model else {}
    try:
        return configured_agent(str(uuid.UUID(address)), _NAME, **more)
    except ValueError:
        return configured_agent(str(uuid.uuid5(uuid.NAMESPACE_URL, address)), address, **more)


def _chosen(
    contract: Contract, config: Config, evidence: Sequence[Evidence], given: tuple[Defect, ...], kept: set[str]
) -> tuple[Defect, ...]:
    """Return the deviations that explain the evidence: each brings replies closer to those that were recorded.

    A refusal stays as it is if one of the clauses that the deployment has `kept` requires it.
    """
    chosen: tuple[Defect, ...] = ()
    clauses = {one.clause for one in evidence}
    candidates = [defect for defect in PLAYABLE if defect.clause in clauses]
    for item in evidence:
        refusal = _refused(contract, config, item)
        if refusal is None or not (set(refusal.clauses) - {item.clause}) & kept:
            candidates += deviations(item, refusal)
    candidates = [one for one in candidates if one.category != RECORDED or _answers(contract, config, one)]
    before = _scores(contract, config, evidence, given)
    while candidates:
        open_ = {item.clause for item, score in zip(evidence, before, strict=True) if score < 1}
        scored = [
            (sum(scores := _scores(contract, config, evidence, (*given, *chosen, one))), scores, one)
            for one in candidates
            if one.clause in open_
        ]
        best = max(scored, key=lambda found: found[0], default=None)
        if best is None or best[0] < sum(before) + _CLOSER:
            break
        before, chosen = best[1], (*chosen, best[2])
        candidates.remove(best[2])
    return chosen


def _answers(contract: Contract, config: Config, defect: Defect) -> bool:
    """Return whether a mock with a deviation still answers the chats that every client sends."""
    engine = play(create_engine(contract, config), [defect])
    path = _CHAT.format(next(iter(unique(config.agents))).id)
    plain: dict[str, Any] = {"messages": HELLO}
    chats = (plain, {**plain, "max_tokens": 16}, {**plain, "stream": True, "max_tokens": 16})
    return all(engine.handle(with_payload(Request("POST", path), chat)).reply.status == 200 for chat in chats)


def _scores(contract: Contract, config: Config, evidence: Sequence[Evidence], defects: Iterable[Defect]) -> list[float]:
    """Return how close a mock with these deviations is to each evidence."""
    engine = play(create_engine(contract, config), defects)
    return [closeness(item.replies, [seen_of(reply) for _, reply in sent_to(engine, item)]) for item in evidence]


def _unexplained(
    contract: Contract, config: Config, evidence: Sequence[Evidence], defects: tuple[Defect, ...]
) -> set[str]:
    """Return the clauses that the mock keeps although the deployment does not: no deviation brings replies closer.

    If a mock without deviations replies as the deployment did, what breaks the clause is not in the form of a reply.
    """
    played = {one.clause for one in defects}
    usual, now = (_scores(contract, config, evidence, chosen) for chosen in ((), defects))
    found = zip(evidence, usual, now, strict=True)
    return {one.clause for one, before, after in found if one.clause not in played and after < before + _CLOSER}


def _refused(contract: Contract, config: Config, evidence: Evidence) -> Any:
    """Return how a mock refuses the decisive request, None if it does not."""
    engine = create_engine(contract, config)
    *_, (request, _) = sent_to(engine, evidence)
    return refusal_of(engine.handle(request), payload_of(request))


def _absent(operations: Iterable[OperationCoverage], evidence: Sequence[Evidence]) -> Iterator[Defect]:
    """Yield the operations that a deployment does not have: it refuses all requests to them in the same way."""
    for one in operations:
        statuses = set(one.answered)
        is_plain = "{" not in one.path
        if len(statuses) == 1 and statuses <= _ABSENT and (is_plain or statuses != {"404"}):
            (status,) = statuses
            pattern = re.compile(re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(one.path)) + "$")
            reply = _recorded(evidence, one.method, pattern, int(status))
            yield Defect(one.id, one.id, "operations", f"answers {status} always", {"arrive": _at(one, pattern, reply)})


def _recorded(evidence: Sequence[Evidence], method: str, pattern: re.Pattern[str], status: int) -> Reply:
    """Return the reply of a deployment to requests of an operation, as far as it was recorded."""
    for item in evidence:
        request = item.requests[-1]
        if item.last.status == status and request.method == method and pattern.search(request.path):
            return item.last
    return json_reply({"detail": "Not available"}, status)


def _at(operation: OperationCoverage, pattern: re.Pattern[str], reply: Reply) -> Any:
    def arrive(request: Request, body: bytes, number: int) -> Reply | None:
        return reply if request.method == operation.method and pattern.search(request.path) else None

    return arrive


def _faults(report: Report) -> Iterator[str]:
    """Yield the faults of a deployment whose model was loaded when the run began."""
    if report.cold_start is not None:
        status = report.cold_start.seen[:3]
        yield f"status-{status}:times=1" if status in ("503", "504") else "cold-start-502:times=1"


def _pace(report: Report) -> Pace:
    """Return the pace of the streams in a report; without streams, or with fast ones, no delays."""
    streams = [
        [event.at_seconds for event in clause.transcript.reply.events]
        for clause in report.clauses
        if clause.transcript and len(clause.transcript.reply.events) > 2
    ]
    if not streams:
        return Pace(0, 0, 0)
    first = median(times[0] for times in streams)
    rates = [len(times) / (times[-1] - times[0]) for times in streams if times[-1] - times[0] > 0.2]
    return Pace(round(first, 2) if first > 0.1 else 0, round(median(rates), 1) if rates else 0, 0)


def load_profile(path: Path, contract: Contract) -> Profile:
    """Return the profile of a saved report; raises ValueError for a file that is none."""
    from contract_tests.report.saved_json import ReportError, load

    try:
        return profile_of(load(path), contract)
    except ReportError as error:
        raise ValueError(str(error)) from None


def with_agent(config: Config, profile: Profile) -> Config:
    """Return a configuration that has the profile's agent, before its own ones, and its limit."""
    limits = replace(config.limits, body=_UNLIMITED) if profile.takes_any_size else config.limits
    return replace(config, agents=by_address([profile.agent, *unique(config.agents)]), limits=limits)
