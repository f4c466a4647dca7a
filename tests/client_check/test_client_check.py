"""A client check: sound clients pass every variant, and each planted bug is found by its own."""

from __future__ import annotations

import json
import subprocess
import sys
import traceback
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from functools import cache

import pytest

from agent_contract import load_contract
from client_check.run import Client, ClientRun, RunClient, VariantResult, check, run_plainly
from client_check.variants import VARIANTS, chosen
from client_check.varied_server import VaryingEngine
from mockserver import load_engine
from mockserver.adapters.threaded_server import ThreadedServer
from tests.client_check.support.node_bugs import NODE_BUGS
from tests.client_check.support.small_client import BUGS, SmallClient
from tests.clients.support.install_node_packages import FOLDER
from tests.clients.support.node import bare_node, node

FRAMEWORKS = FOLDER.parent / "frameworks"


def runner(use: Callable[[str], None]) -> RunClient:
    """Return what runs a client in this process."""

    def run(variables: Mapping[str, str], _: float | None) -> tuple[int | None, str]:
        try:
            use(variables["OPENAI_BASE_URL"])
        except Exception:
            return 1, traceback.format_exc()
        return 0, ""

    return run


def results_of(use: Callable[[str], None], *names: str) -> dict[str, VariantResult]:
    client = Client(runner(use), agent="demo-tools")
    plain = run_plainly(client)
    assert plain.status == 0, plain.output
    found = check(client, plain, chosen(names), jobs=2, said=lambda _: None)
    return {result.variant.name: result for result in found}


def use_small_client(base_url: str) -> None:
    SmallClient(base_url).use()


@cache
def sound() -> dict[str, VariantResult]:
    return results_of(use_small_client)


@pytest.mark.parametrize("name", [variant.name for variant in VARIANTS])
def test_a_sound_client_passes(name: str) -> None:
    result = sound()[name]
    assert result.verdict == "passed", result.run.output if result.run else "the client never met it"


@pytest.mark.parametrize("name", ["openai", "openai-async", "langchain", "litellm", "pydantic-ai"])
def test_a_python_client_that_many_use_is_never_accused(name: str) -> None:
    """In a process of its own: some of them leave connections open."""
    assert errors_of(sys.executable, str(FRAMEWORKS / "sound_clients.py"), name) == {}


@pytest.mark.parametrize("name", ["openai", "ai-sdk"])
def test_a_node_client_that_many_use_is_never_accused(name: str) -> None:
    assert errors_of(node(), str(FOLDER / "sound_clients.mjs"), name) == {}


def errors_of(*command: str) -> dict[str, str]:
    """Return the error of each variant in which a client fails; all of them are served at the same time."""
    engines = [VaryingEngine(load_engine(faults=filter(None, [one.fault])), one) for one in VARIANTS]
    with ExitStack() as stack:
        servers = [stack.enter_context(ThreadedServer(engine)) for engine in engines]
        urls = {one.name: server.base_url("demo-tools") for one, server in zip(VARIANTS, servers, strict=True)}
        ended = subprocess.run(
            command, input=json.dumps(urls), capture_output=True, text=True, timeout=120, check=False
        )
    assert ended.returncode == 0, ended.stderr
    assert sum(bool(engine.varied) for engine in engines) > 15, "the client met too few of the variants"
    found: dict[str, str] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", BUGS)
def test_a_bug_is_found_in_its_variant(name: str) -> None:
    bug = BUGS[name]
    results = results_of(lambda base_url: bug.client(base_url).use(), *bug.found_in)
    assert {result.verdict for result in results.values()} == {"failed"}


@cache
def failures_in_node() -> dict[str, list[str]]:
    """Return the variants in which each buggy client in Node fails; all run in one process, with mocks of their own."""
    urls: dict[str, dict[str, str]] = {}
    with ExitStack() as stack:
        for bug, names in NODE_BUGS.items():
            engines = {
                one.name: VaryingEngine(load_engine(faults=filter(None, [one.fault])), one) for one in chosen(names)
            }
            engines["plain"] = VaryingEngine(load_engine())
            servers = {name: stack.enter_context(ThreadedServer(engine)) for name, engine in engines.items()}
            urls[bug] = {name: server.base_url("demo-tools") for name, server in servers.items()}
        command = [bare_node(), str(FOLDER / "buggy_clients.mjs")]
        ended = subprocess.run(command, input=json.dumps(urls), capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    found: dict[str, list[str]] = json.loads(ended.stdout.splitlines()[-1])
    return found


@pytest.mark.parametrize("name", NODE_BUGS)
def test_a_bug_of_a_client_in_node_is_found_in_its_variant(name: str) -> None:
    """And it is not found without a variation."""
    assert sorted(failures_in_node()[name]) == sorted(NODE_BUGS[name])


def test_there_are_forty_bugs_or_more_some_of_them_in_node() -> None:
    assert len(BUGS) >= 40
    assert len(NODE_BUGS) >= 20


def test_every_variant_but_those_of_robust_details_finds_a_bug() -> None:
    found = {name for bug in BUGS.values() for name in bug.found_in}
    assert [variant.name for variant in VARIANTS if variant.name not in found] == []


def test_every_variant_names_a_clause_or_is_a_temporary_failure() -> None:
    clauses = {clause.id for clause in load_contract().clauses}
    assert [one.name for one in VARIANTS if not one.fault and one.clause not in clauses] == []


def test_a_failure_counts_if_it_happens_twice() -> None:
    tries: list[str] = []

    def fails_once(variables: Mapping[str, str], timeout: float | None) -> tuple[int | None, str]:
        tries.append(variables["OPENAI_BASE_URL"])
        if len(tries) == 2:
            return 1, "by chance"
        return runner(use_small_client)(variables, timeout)

    client = Client(fails_once, agent="demo-tools")
    (result,) = check(client, run_plainly(client), chosen(["stream-crlf"]), jobs=1, said=lambda _: None)
    assert (result.verdict, len(tries)) == ("passed", 3)


def test_what_a_client_never_meets_is_not_run() -> None:
    client = Client(lambda variables, timeout: pytest.fail("it ran"))
    (result,) = check(client, ClientRun(0, 0.1, "", (), ()), chosen(["stream-crlf"]), jobs=1, said=lambda _: None)
    assert (result.verdict, result.run) == ("not met", None)
