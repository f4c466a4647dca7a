"""`agent-contract verify`: tests a deployment against the contract."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from agent_contract import load_contract
from contract_tests.options import OptionError, click_options, with_token

if TYPE_CHECKING:
    from contract_tests.runner.run import RunConfig


@click.command()
@click.argument("base_url")
@click_options
def verify(base_url: str, token: str, token_env: str, **values: Any) -> None:
    """Test the deployment at BASE_URL against the contract, clause by clause.

    BASE_URL is the server's root, or any longer part of the chat's URL, such as the base URL that an OpenAI client
    is given.

    \b
    Exit code 0: passed: no clause failed, and every clause of grade
                 `core` was decided.
              1: a clause failed; or a waiver is expired, unknown or no
                 longer needed; or with --fail-on worse, a clause got worse.
              2: no verdict: wrong usage, unreachable, wrong token, unknown
                 agent or path, or a clause of grade `core` was not tested.
            130: interrupted.

    `agent-contract clauses` lists the clauses and explains their grades.
    """
    from agent_contract.base_url import TargetError, parse
    from contract_tests.report.writers import DestinationError
    from contract_tests.runner.launcher import replace_process
    from contract_tests.runner.run import SelectionError
    from contract_tests.runner.setup import PreparingError, prepare_run

    try:
        options = with_token({"url": base_url, **values}, token_env, os.environ, token)
    except OptionError as error:
        raise click.UsageError(str(error)) from None
    try:
        contract = load_contract(every_version=True)
        parse(base_url, next(iter(contract.operations.values())).path)
        run = prepare_run(contract, options)
    except (SelectionError, TargetError, PreparingError, DestinationError) as error:
        raise click.UsageError(str(error)) from error
    replace_process(options, _plugins(run))


def _plugins(run: RunConfig) -> list[str]:
    """Return the arguments of pytest for what this run needs beyond what every run does."""
    from contract_tests.assertions.schemathesis_checks import CLAUSES
    from contract_tests.runner.isolated_main import GENERATING

    return [GENERATING] if run.selected & CLAUSES and not run.options.dry_run else []
