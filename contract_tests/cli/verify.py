"""`agent-contract verify`: holds a deployment to the contract."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from agent_contract import load_contract
from contract_tests.options import BREADTHS, Options
from contract_tests.settings import click_options, objection
from contract_tests.wire.exchange import TOKEN_VARIABLE

if TYPE_CHECKING:
    from contract_tests.runner.run import Run


@click.command()
@click.argument("base_url")
@click.option("--agent-id", default="", metavar="ID", help="The agent to ask, where the base URL does not end with it.")
@click.option("--token", default="", metavar="TOKEN", help="Access token. Other users of this machine can see it here.")
@click.option("--token-env", metavar="NAME", help=f"Environment variable with the token.  [default: {TOKEN_VARIABLE}]")
@click.option("--clause", "clauses", multiple=True, metavar="GLOB", help="Judge these clauses alone. Repeatable.")
@click.option("--max-requests", default=300, show_default=True, type=click.IntRange(1), help="Send no more requests.")
@click.option("--seed", default=0, show_default=True, help="Seed of all that is chosen by chance.")
@click.option(
    "--timeout", default=60.0, show_default=True, type=click.FloatRange(0.1), help="Seconds to wait for a reply."
)
@click.option(
    "--warmup", default=60.0, show_default=True, type=click.FloatRange(0), help="Seconds to wait for a cold deployment."
)
@click.option(
    "--breadth", default="default", type=click.Choice(BREADTHS), help="deep: also what may cost a server dearly."
)
@click.option(
    "--api-version", default="", metavar="VERSION", help="Judge what this version promises.  [default: newest]"
)
@click.option("--report", "reports", multiple=True, metavar="FILE", help="Write a .html, .json or .md. Repeatable.")
@click.option("--junit", default="", metavar="FILE", help="Write JUnit's XML.")
@click.option("--baseline", default="", metavar="FILE", help="Compare with this earlier report, a .json.")
@click.option("--waive", default="", metavar="FILE", help="Excuse the failed clauses that this YAML file names.")
@click_options
def verify(base_url: str, token: str, token_env: str | None, junit: str, **settings: Any) -> None:
    """Hold the deployment at BASE_URL to the contract, clause by clause.

    BASE_URL is the server's root, or any longer part of the endpoint's URL, such as the base URL that an OpenAI
    client is given.

    \b
    Exit code 0: every clause that can fail a run passed or is not supported.
              1: a clause failed, or a waiver is expired, unknown or
                 no longer needed.
              2: no verdict: wrong usage, unreachable, wrong token, unknown
                 agent or path, or a clause of grade `core` was not tested.
            130: interrupted.
    """
    from contract_tests.deployment.base_url import TargetError, parse
    from contract_tests.report.writers import DestinationError, check
    from contract_tests.runner.launcher import become
    from contract_tests.runner.run import SelectionError
    from contract_tests.runner.setup import PreparingError, prepared

    if token and (settings["token_file"] or settings["oidc_client_id"]):
        raise click.UsageError("give one of --token, --token-file and --oidc-client-id")
    elsewhere = settings["token_file"] or settings["oidc_client_id"]
    options = Options(url=base_url, token=token or ("" if elsewhere else _from_environment(token_env)), **settings)
    if reason := objection(options, os.environ):
        raise click.UsageError(reason)
    try:
        contract = load_contract(every_version=True)
        parse(base_url, next(iter(contract.operations.values())).path)
        run = prepared(contract, options)
        check((), [junit])
    except (SelectionError, TargetError, PreparingError, DestinationError) as error:
        raise click.UsageError(str(error)) from error
    become(options, [*_plugins(run), *([f"--junit-xml={Path(junit).absolute()}"] if junit else [])])


def _plugins(run: Run) -> list[str]:
    """Return the arguments of pytest for what this run needs beyond what every run does."""
    from contract_tests.assertions.schemathesis_checks import CLAUSES
    from contract_tests.runner.isolated_main import GENERATING

    return [GENERATING] if run.selected & CLAUSES and not run.options.dry_run else []


def _from_environment(name: str | None) -> str:
    if name is not None and name not in os.environ:
        raise click.BadParameter(f"the environment has no variable {name}", param_hint="--token-env")
    return os.environ.get(name or TOKEN_VARIABLE, "")
