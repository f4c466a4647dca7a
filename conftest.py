"""Lets `pytest contract_tests` in a checkout judge a mock of its own if no deployment is named."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from agent_contract.pytest_plugin import JUDGE
from contract_tests.runner import plugin as contract_plugin

_MOCK = pytest.StashKey[ExitStack]()


@pytest.hookimpl
def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the contract tests, whose options an installed kit registers only if one of them is given."""
    if not pluginmanager.is_registered(contract_plugin):
        pluginmanager.register(contract_plugin, JUDGE)


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session: pytest.Session) -> None:
    """Start a mock and judge it if the contract tests run and no URL is given."""
    config = session.config
    if config.option.contract_url or config.option.collectonly or not any(map(_is_ours, config.args)):
        return
    from mockserver import MockServer

    config.stash[_MOCK] = ExitStack()
    mock = config.stash[_MOCK].enter_context(MockServer())
    config.option.contract_url = mock.url
    config.option.contract_agent_id = config.option.contract_agent_id or "demo"


def _is_ours(argument: str) -> bool:
    return Path(argument.partition("::")[0]).resolve().is_relative_to(Path(contract_plugin.__file__).parents[1])


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the mock."""
    if _MOCK in config.stash:
        config.stash[_MOCK].close()
