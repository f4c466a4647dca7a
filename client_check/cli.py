"""`agent-contract client-check`: runs a client's tests against what the contract permits."""

from __future__ import annotations

import os
import shlex
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from agent_contract import load_contract
from agent_contract.document.errors import ContractError
from client_check import report
from client_check.run import Client, Command, VariantResult, check, check_mutants, run_plainly
from client_check.variants import MUTANTS, VARIANTS, ServerVariant, chosen
from contract_tests.report.waivers import AppliedWaivers, WaiverError, load_waivers
from contract_tests.verdict import WAIVED, Finding

_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


def _list(variants: tuple[ServerVariant, ...]) -> None:
    """Print the variants."""
    clauses = {clause.id: clause for clause in load_contract().clauses}
    width = max(len(one.name) for one in variants)
    for one in variants:
        click.echo(f"{one.name:<{width}}  the server {one.does}\n{'':<{width}}  {report.clause_of(one, clauses)}")


@click.command(context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
@click.option("--list", "listed", is_flag=True, help="List the variants, or with --mutants the defects, and end.")
@click.option(
    "--mutants",
    is_flag=True,
    help="Run COMMAND with a planted defect of the server each time, and report those that it does not notice.",
)
@click.option("--only", multiple=True, metavar="GLOB", help="Only variants with this name or clause. Repeatable.")
@click.option("--agent-id", default="demo", show_default=True, metavar="ID", help="Agent of the base URL.")
@click.option("--env", multiple=True, metavar="NAME=VALUE", help="Set a variable for the command. Repeatable.")
@click.option("--config", type=_FILE, metavar="FILE", help="Configuration of the mock, as for `serve`.")
@click.option("--scenario", type=_FILE, metavar="FILE", help="Scenario of the mock, as for `serve`.")
@click.option(
    "--port", default=0, metavar="N", help="Port of the mock, for a client that can't be told; implies --jobs 1."
)
@click.option("--jobs", default=0, metavar="N", help="Runs at the same time.  [default: one per core, at most 4]")
@click.option(
    "--timeout", type=float, metavar="SECONDS", help="Longest run.  [default: 5 times the first run, and 30 s]"
)
@click.option("--waive", type=_FILE, metavar="FILE", help="YAML file with variants that are known to fail and excused.")
@click.option(
    "--report", "file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE", help="Write a JSON report."
)
def client_check(
    command: tuple[str, ...],
    listed: bool,
    mutants: bool,
    only: tuple[str, ...],
    agent_id: str,
    env: tuple[str, ...],
    config: Path | None,
    scenario: Path | None,
    port: int,
    jobs: int,
    timeout: float | None,
    waive: Path | None,
    file: Path | None,
) -> None:
    """Run COMMAND, a test suite or script of a client, once per variant of a server, and report what it can't take.

    Each variant is a mock that does something that the contract permits, or fails once as servers do. The command must
    succeed with all of them. It finds the mock in its environment: OPENAI_BASE_URL and AGENT_CONTRACT_BASE_URL are the
    base URL of the agent, AGENT_CONTRACT_URL is the root, OPENAI_API_KEY is `any`. VALUE may use {url} and {base_url}.

    With --mutants the server has a planted defect each time, and the command must fail: the tests must notice it.

    \b
    Exit code 0: passed: the command succeeded with every variant.
              1: the command failed with a variant, twice in a row, or did not
                 notice a mutant; or a waiver is expired or no longer needed.
              2: no verdict: wrong usage; the command failed or made no
                 request without any variation.

    Example: agent-contract client-check -- pytest tests/
    """
    known, noun = (MUTANTS, "defect") if mutants else (VARIANTS, "variant")
    try:
        variants = chosen(only, known)
    except LookupError as error:
        raise click.BadParameter(f"{error} matches no {noun}; --list shows them", param_hint="--only") from None
    if listed:
        _list(variants)
        return
    if not command:
        raise click.UsageError("Missing argument 'COMMAND...'.")
    waivers = _waivers(waive, known, noun)
    variables = dict(_pair(entry) for entry in env)
    client = Client(Command(command), agent_id, variables, config, scenario, port, timeout)
    try:
        plain = run_plainly(client)
    except ContractError as error:
        raise click.UsageError("\n".join(map(str, error.problems))) from None
    except OSError as error:
        raise click.UsageError(f"{shlex.join(command)} can't be run: {error.strerror or error}") from None
    if plain.status != 0:
        click.echo(plain.output, err=True)
        raise click.UsageError(f"without any variation the command {report.ending_of(plain)}: correct that first")
    if not plain.seen:
        raise click.UsageError("the command sent no request to the mock: read its address from OPENAI_BASE_URL")
    workers = 1 if port else jobs or min(4, os.cpu_count() or 1)
    judge = check_mutants if mutants else check
    results = list(judge(client, plain, variants, workers, _say))
    _conclude(results, command, waivers, file)


def _waivers(file: Path | None, variants: tuple[ServerVariant, ...], noun: str) -> AppliedWaivers:
    """Return the waivers of a file, which name variants; a usage error if it can't be used."""
    if file is None:
        return AppliedWaivers()
    try:
        waivers = load_waivers(file)
    except WaiverError as error:
        raise click.BadParameter(str(error), param_hint="--waive") from None
    names = {one.name for one in variants}
    if unknown := next((waiver.clause for waiver in waivers if waiver.clause not in names), ""):
        raise click.BadParameter(f"{unknown} is not a {noun}; --list shows them", param_hint="--waive")
    return AppliedWaivers(waivers, datetime.now(UTC).date())


def _say(result: VariantResult) -> None:
    click.echo(f"{report.verdict_of(result):<9} {result.variant.name}", err=True)


def _conclude(
    results: list[VariantResult], command: tuple[str, ...], waivers: AppliedWaivers, file: Path | None
) -> None:
    """Print the failures and the conclusion, write the report, and end with the exit code."""
    clauses = {clause.id: clause for clause in load_contract().clauses}
    words = {"passed": "passed", "failed": "failed", "not met": "not tested"}
    findings = {result.variant.name: Finding(words[result.verdict]) for result in results}
    waivers = replace(waivers, waivers=tuple(one for one in waivers.waivers if one.clause in findings))
    excused = {name for name, finding in waivers.applied(findings).items() if finding.word == WAIVED}
    objections = waivers.objections(findings)
    failures = [result for result in results if result.verdict == "failed"]
    for result in failures:
        if result.variant.name not in excused:
            click.echo("\n".join(report.described(result, clauses)) + ("" if result.variant.defect else "\n"))
    if file:
        file.write_text(report.to_json(results, excused, command, clauses), encoding="utf-8")
        click.echo(f"report: {file}", err=True)
    click.echo(report.counted(results, excused))
    names = [result.variant.name for result in failures if result.variant.name not in excused]
    word = report.verdict_of(failures[0]) if failures else ""
    reasons = [*([f"{word}: {', '.join(names)}"] if names else []), *objections]
    click.echo(f"exit 1: {'; '.join(reasons)}" if reasons else "exit 0: passed")
    raise SystemExit(1 if reasons else 0)


def _pair(entry: str) -> tuple[str, str]:
    name, sign, value = entry.partition("=")
    if not name or not sign:
        raise click.BadParameter(f"{entry} is not NAME=VALUE", param_hint="--env")
    return name, value
