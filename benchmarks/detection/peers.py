"""Asks other tools for their verdicts on the same deployments: Schemathesis and Specmatic."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, TypeAlias

from agent_contract import load_contract
from benchmarks.detection.conforming_variants import Variant
from benchmarks.detection.judge import LIMIT
from benchmarks.detection.mutants import Mutant
from benchmarks.detection.reference_server import ServerHooks, Tally
from benchmarks.detection.running import running
from server_defects.hooks import MOST_CHOICES

#: A tool's run on a server: what it reports, each report as one text.
Reports: TypeAlias = frozenset[str]
Ask: TypeAlias = Callable[[str, ServerHooks, Path], Reports]

SPECMATIC_JAR = Path("node_modules/specmatic/specmatic.jar")
SPECMATIC_COMBINATIONS = 10
#: The operation that the deployments are about.
OPERATION = "createAssistantChatCompletion"


@dataclass(frozen=True, slots=True)
class Peer:
    """A tool: its title with the version, its flags, and how it is asked."""

    title: str
    flags: str
    ask: Ask


@dataclass(frozen=True, slots=True)
class PeerResult:
    """What a tool found: mutants killed, in all and by category, false positives, and the median cost of a run.

    A category maps to how many of its mutants were killed, and how many it was asked about.
    """

    title: str
    flags: str
    mutants: int
    killed: int
    by_category: Mapping[str, tuple[int, int]]
    variants: int
    false_positives: int
    requests: float
    tokens: float
    seconds: float


def prepared(hooks: ServerHooks) -> dict[str, Any]:
    """Return a copy of the document with one operation, its values pinned to those that a deployment knows."""
    document: dict[str, Any] = json.loads(json.dumps(load_contract().document))
    path = next(path for path, item in document["paths"].items() if _has(item, OPERATION))
    document["paths"] = {path: document["paths"][path]}
    document["openapi"] = "3.1.0"  # Specmatic does not read 3.2
    parts = document["components"]
    for response in parts["responses"].values():
        if stream := response.get("content", {}).get("text/event-stream"):
            stream["schema"] = stream.pop("itemSchema")
    agent = hooks.agent_id
    parts["parameters"]["AgentId"].update(schema={"type": "string", "enum": [agent]}, example=agent)
    del parts["requestBodies"]["AgentChatCompletions"]["content"]["application/json"]["examples"]
    parts["schemas"]["ChatMessage"]["properties"]["role"] = {"type": "string", "enum": ["user", "assistant"]}
    # Parts of other types than text are valid by the schema, and refused.
    parts["schemas"]["ChatMessage"]["properties"]["content"] = {"type": "string"}
    fields = parts["schemas"]["AgentChatCompletionsRequestPayload"]["properties"]
    fields["model"] = {"type": ["string", "null"], "enum": ["", hooks.model, None]}
    fields["n"] = {**fields["n"], "maximum": MOST_CHOICES}
    # No schema describes which fields go together: a tool that sends all fields at once would get only refusals.
    for name in ("store_in_session", "tools", "tool_choice", "response_format"):
        del fields[name]
    return _pruned(document)


def _pruned(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document without the components that its operation does not use: Specmatic stops at some of them."""
    used: set[tuple[str, str]] = set()
    parts: list[Any] = [document["paths"]]
    while parts:
        for kind, name in re.findall(r'"#/components/(\w+)/(\w+)', json.dumps(parts.pop())):
            if (kind, name) not in used:
                used.add((kind, name))
                parts.append(document["components"][kind][name])
    kept = {
        kind: {name: part for name, part in found.items() if (kind, name) in used or kind == "securitySchemes"}
        for kind, found in document["components"].items()
    }
    return {**document, "components": kept}


def _has(path: Mapping[str, Any], operation: str) -> bool:
    return any(isinstance(part, dict) and part.get("operationId") == operation for part in path.values())


def schemathesis(*phases: str) -> Ask:
    """Return how Schemathesis is asked, with some of its phases or all."""

    def ask(url: str, hooks: ServerHooks, folder: Path) -> Reports:
        document = folder / "openapi.json"
        document.write_text(json.dumps(prepared(hooks)))
        report = folder / "report.json"
        token = ["-H", f"Authorization: Bearer {hooks.token}"] if hooks.token else []
        command = [sys.executable, "-m", "schemathesis.cli", "run", str(document), "--url", url, *token]
        options = ["--seed", "0", "--no-color", "--report", "json", "--report-json-path", str(report)]
        run([*command, *options, *phases], folder)
        found = json.loads(report.read_text())["failures"] if report.exists() else []
        return frozenset(f"{item['code']} {item['title']}" for item in found)

    return ask


def specmatic(jar: Path) -> Ask:
    """Return how Specmatic is asked; it has no seed."""

    def ask(url: str, hooks: ServerHooks, folder: Path) -> Reports:
        document = folder / "openapi.json"
        document.write_text(json.dumps(prepared(hooks)))
        command = ["java", "-jar", str(jar.resolve()), "test", f"--testBaseURL={url}", str(document)]
        printed = run(
            command,
            folder,
            MAX_TEST_REQUEST_COMBINATIONS=str(SPECMATIC_COMBINATIONS),
            bearer=hooks.token or "none",
        )
        return frozenset(" ".join(found) for found in re.findall(r">> (\S+)\s+(R\d+):", printed))

    return ask


def run(command: Sequence[str], folder: Path, **environment: str) -> str:
    """Return what a command prints, in a folder of its own."""
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        cwd=folder,
        env={**os.environ, **environment},
        timeout=LIMIT,
        check=False,
    )
    return done.stdout + done.stderr


def installed() -> list[Peer]:
    """Return the tools that this machine has, with their versions."""
    title = f"Schemathesis {version('schemathesis')}"
    coverage = ("--phases", "examples,coverage")
    peers = [
        Peer(f"{title}, default", "st run --seed 0", schemathesis()),
        Peer(f"{title}, coverage", f"st run --seed 0 {' '.join(coverage)}", schemathesis(*coverage)),
    ]
    if SPECMATIC_JAR.exists():
        said = subprocess.run(
            ["java", "-jar", str(SPECMATIC_JAR), "--version"], capture_output=True, text=True, check=False
        )
        number = (re.findall(r"v([\d.]+)", said.stdout) or ["?"])[0]
        flags = f"MAX_TEST_REQUEST_COMBINATIONS={SPECMATIC_COMBINATIONS} specmatic test"
        peers.append(Peer(f"Specmatic {number}", flags, specmatic(SPECMATIC_JAR)))
    return peers


@dataclass(frozen=True, slots=True)
class PeerCost:
    """What a tool reports of a deployment, and what that cost: requests and tokens as they arrived, seconds."""

    reports: Reports
    requests: int
    tokens: int
    seconds: float


def compared(peer: Peer, mutants: Sequence[Mutant], variants: Sequence[Variant], folder: Path) -> PeerResult:
    """Return what a tool finds on mutants and variants beyond what it reports of the conforming deployment."""
    known = {
        token: run_peer(peer, replace(ServerHooks(), token=token), folder).reports
        for token in (None, "a-token-of-the-deployment")
    }

    costs: list[PeerCost] = []

    def finds(planted: Mutant | Variant) -> bool:
        costs.append(run_peer(peer, planted.hooks, folder))
        return bool(costs[-1].reports - known[planted.hooks.token])

    killed = [(mutant.category, finds(mutant)) for mutant in mutants]
    categories = dict.fromkeys(category for category, _ in killed)
    return PeerResult(
        peer.title,
        peer.flags,
        len(mutants),
        sum(found for _, found in killed),
        {name: (killed.count((name, True)), sum(name == category for category, _ in killed)) for name in categories},
        len(variants),
        sum(map(finds, variants)),
        median([cost.requests for cost in costs] or [0]),
        median([cost.tokens for cost in costs] or [0]),
        median([cost.seconds for cost in costs] or [0.0]),
    )


def run_peer(peer: Peer, hooks: ServerHooks, folder: Path) -> PeerCost:
    """Return what a tool reports of a deployment, and what that cost.

    None of them is told of an authority to trust, so that all deployments are served without TLS.
    """
    tally = Tally()
    with running(replace(hooks, server="uvicorn"), tally) as url:
        began = time.monotonic()
        found = peer.ask(url, hooks, folder)
        return PeerCost(found, tally.requests, tally.tokens, time.monotonic() - began)
