"""Lets `pytest contract_tests` in a checkout judge a mock of its own, where no deployment is named."""

from __future__ import annotations

from contextlib import ExitStack

import pytest

from contract_tests import plugin as contract_plugin

_MOCK = pytest.StashKey[ExitStack]()


@pytest.hookimpl
def pytest_addoption(pluginmanager: pytest.PytestPluginManager) -> None:
    """Load the plugin where it is not installed."""
    if not pluginmanager.is_registered(contract_plugin):
        pluginmanager.register(contract_plugin, "agent_contract")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Start a mock and judge it, where there are contract tests to run and no URL."""
    if config.option.contract_url or config.option.collectonly or not any(map(contract_plugin.clause_of, items)):
        return
    from mockserver import MockServer

    config.stash[_MOCK] = ExitStack()
    mock = config.stash[_MOCK].enter_context(MockServer())
    config.option.contract_url = mock.url
    config.option.contract_agent_id = config.option.contract_agent_id or "demo"


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the mock."""
    if _MOCK in config.stash:
        config.stash[_MOCK].close()
