"""`verify --manage` creates agents to judge with; without it nothing is changed."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import MutableMapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import Event
from typing import Any

import pytest

from agent_contract.messages import Reply, Request
from benchmarks.detection.conforming_variants import VARIANTS
from benchmarks.detection.hooks import Asgi, Receive, Send, ServerHooks
from benchmarks.detection.registry import Registry
from benchmarks.detection.running import running
from contract_tests.deployment.budget import NOT_MANAGED
from contract_tests.deployment.managed_objects import NAME
from contract_tests.options import Options
from contract_tests.runner.cost_estimate import planned
from contract_tests.verdict import Exit
from tests.contract_tests.support.commands import COMMAND, environment, verify
from tests.contract_tests.support.judging import judged

PLAIN = ServerHooks()
AGENT = f"agent-id={PLAIN.agent_id}"


@dataclass
class Watched:
    """A deployment whose agents can be looked at, and what it was asked for."""

    registries: list[Registry] = field(default_factory=list)
    asked: list[tuple[str, str, bytes]] = field(default_factory=list)
    wrap: Any = lambda app: app

    @property
    def hooks(self) -> ServerHooks:
        return replace(PLAIN, registry=self._registry, arrive=self._arrive, wrap=self.wrap)

    @property
    def names(self) -> list[str]:
        """The names of the agents that are there."""
        return [agent["name"] for agent in self.registries[-1].agents.values()]

    def _registry(self, agent_id: str, model: str) -> Registry:
        self.registries.append(Registry(agent_id, model))
        return self.registries[-1]

    def _arrive(self, request: Request, body: bytes, number: int) -> Reply | None:
        self.asked.append((request.method, request.path, body))
        return None


def test_agents_are_created_and_none_is_left() -> None:
    watched = Watched()
    with running(watched.hooks) as url:
        verdict = judged(url, AGENT, "clause=agents.*", "manage")
    created = [json.loads(body) for method, path, body in watched.asked if (method, path[-7:]) == ("POST", "/agents")]
    assert watched.names == ["reference", "spare"]
    assert verdict.code == Exit.PASSED, verdict.reason
    assert verdict.having("failed", "not supported", "warning") == set()
    assert created
    named = [str(body["name"]) for body in created if isinstance(body.get("name"), str) and len(body["name"]) < 257]
    assert all(name.startswith(f"{NAME}-") for name in named if set(name) != {"n"})
    assert any(
        body.get("metadata", {}).get("made-by") == NAME for body in created if isinstance(body.get("metadata"), dict)
    )


def test_without_it_nothing_is_changed_and_those_clauses_are_not_selected() -> None:
    watched = Watched()
    with running(watched.hooks) as url:
        verdict = judged(url, AGENT, "clause=agents.*", "clause=chat.session-other-agent")
    changing = {(method, path) for method, path, _ in watched.asked if not path.endswith("/completions")}
    assert {method for method, _ in changing} == {"GET"}
    assert verdict.code == Exit.PASSED, verdict.reason
    for clause in ("agents.create", "agents.update", "agents.delete", "chat.session-other-agent"):
        assert (verdict.findings[clause].word, verdict.findings[clause].reason) == ("skipped", NOT_MANAGED)
    assert verdict.findings["agents.after"].word == "passed"


@pytest.mark.parametrize("most", [8, 14, 20])
def test_a_budget_that_is_used_up_leaves_no_agent(most: int) -> None:
    watched = Watched()
    with running(watched.hooks) as url:
        judged(url, AGENT, "clause=agents.*", "manage", f"max-requests={most}")
    assert any(method == "POST" and path.endswith("/agents") for method, path, _ in watched.asked)
    assert watched.names == ["reference", "spare"]


def test_what_could_not_be_removed_is_said_in_the_end_and_in_the_reports(tmp_path: Path) -> None:
    kept = next(variant for variant in VARIANTS if variant.name == "agents-kept")
    files = [tmp_path / f"report.{suffix}" for suffix in ("json", "md", "html")]
    with running(kept.hooks) as url:
        found = verify(
            *(url, "--agent-id", PLAIN.agent_id, "--manage", "--clause", "agents.create"),
            *(argument for file in files for argument in ("--report", str(file))),
        )
    (left,) = json.loads(files[0].read_text())["left_behind"]
    assert found.code == 0, found.output
    assert f"could not be removed: {left}" in found.output
    assert ": 403 Forbidden" in left
    for file in files[1:]:
        assert left.partition(":")[0] in file.read_text()


def stalling(path: str, reached: Event, after: bool) -> Any:
    """Return a wrap that never answers a POST to such a path, once it was done if it is to be `after`."""

    def wrap(app: Asgi) -> Asgi:
        async def wrapped(scope: MutableMapping[str, Any], receive: Receive, send: Send) -> None:
            async def silent(message: MutableMapping[str, Any]) -> None:
                pass

            stalls = scope["method"] == "POST" and scope["path"].endswith(path) and PLAIN.agent_id not in scope["path"]
            if not stalls:
                await app(scope, receive, send)
                return
            if after:
                await app(scope, receive, silent)
            reached.set()
            while (await receive())["type"] != "http.disconnect":
                pass

        return wrapped

    return wrap


@pytest.mark.parametrize(
    ("path", "after"),
    [
        pytest.param("/chat/completions", False, id="in a chat with an own agent"),
        pytest.param("/agents", True, id="in a create that is done"),
    ],
)
def test_an_interruption_leaves_no_agent(path: str, after: bool) -> None:
    reached = Event()
    watched = Watched(wrap=stalling(path, reached, after))
    with running(watched.hooks) as url:
        process = subprocess.Popen(
            [
                *(*COMMAND, "verify", url, f"--agent-id={PLAIN.agent_id}", "--manage"),
                *("--clause=agents.instructions-counted", "--clause=agents.list"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert reached.wait(60)
        assert len(watched.names) > 2
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    assert process.returncode == 130, output
    assert watched.names == ["reference", "spare"]
    assert "could not be removed" not in output


def test_the_report_of_an_interrupted_run_lists_the_agents_that_remain(tmp_path: Path) -> None:
    kept = next(variant for variant in VARIANTS if variant.name == "agents-kept").hooks
    reached, report = Event(), tmp_path / "report.json"
    with running(replace(kept, wrap=stalling("/chat/completions", reached, False))) as url:
        process = subprocess.Popen(
            [
                *(*COMMAND, "verify", url, f"--agent-id={PLAIN.agent_id}", "--manage"),
                *("--clause=agents.instructions-counted", f"--report={report}"),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(),
        )
        assert reached.wait(60)
        process.send_signal(signal.SIGINT)
        output, _ = process.communicate(timeout=30)
    left = json.loads(report.read_text())["left_behind"]
    assert process.returncode == 130, output
    assert left
    assert all(f"could not be removed: {line}" in output for line in left)


def test_a_plan_contains_the_number_of_created_agents() -> None:
    clauses = frozenset({"agents.create", "agents.name-length"})
    assert planned(clauses, Options()).agents == 0
    plan = planned(clauses, Options(manage=True))
    assert str(plan).endswith(f"; creates and removes at most {plan.agents} agents")
    assert plan.agents == 2
