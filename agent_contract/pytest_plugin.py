"""The plugin that pytest loads at every start in an environment with this package, so it imports nothing.

The contract tests' options are registered only if the command line uses one of them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest

#: How the options of the contract tests begin.
PREFIX = "--contract-"
JUDGE = "contract_tests.runner.plugin"


def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Load the contract tests' plugin if an option of theirs is given; UsageError if that can't be done."""
    if any(argument.startswith(PREFIX) for argument in args) and not early_config.pluginmanager.hasplugin(JUDGE):
        _load_judge(early_config.pluginmanager)


def _load_judge(manager: pytest.PytestPluginManager) -> None:
    from importlib import import_module

    from pytest import UsageError  # noqa: PT013 - imported late, see above

    try:
        module = import_module(JUDGE)
    except ImportError as error:
        from agent_contract.installation import missing

        raise UsageError(missing(error, PREFIX + "…")) from error
    manager.register(module, JUDGE)
