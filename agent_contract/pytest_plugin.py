"""The plugin that pytest loads at every start in an environment with this package, so it imports nothing but pytest.

The fixture `agent_mock` imports the mock when the first test uses it. The contract tests' options are registered only
if the command line uses one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

#: How the options of the contract tests begin.
PREFIX = "--contract-"
JUDGE = "contract_tests.runner.plugin"
CLIENT_TESTS = "mockserver.testing.plugin"
COVERAGE = "mockserver.testing.coverage"

#: The options of `agent_mock`: name, allowed values, meaning.
OPTIONS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("agent-mock-config", (), "configuration file of the mock, relative to the root folder"),
    ("agent-mock-rejections", ("strict", "warn", "off"), "what a request that breaks the contract does to its test"),
    ("agent-mock-strict-rules", ("on", "off"), "whether a rule that was never used fails its test; off by default"),
    ("agent-mock-error-format", ("fastapi", "openai"), "body of refusals; OpenAI's SDKs print that of openai"),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options of the fixture `agent_mock`."""
    group = parser.getgroup("agent-mock", "agent_mock, the mock of an agent API")
    for name, values, meaning in OPTIONS:
        more: dict[str, Any] = {"choices": values} if values else {"metavar": "FILE"}
        group.addoption(f"--{name}", help=meaning, **more)
        parser.addini(name.replace("-", "_"), meaning)
    meaning = "report what the tests met of the contract, and what they never did"
    group.addoption("--agent-mock-coverage", action="store_true", help=meaning)
    parser.addini("agent_mock_coverage", meaning, type="bool", default=False)
    meaning = "write the coverage to FILE as well: .html, .json or .txt; can be repeated"
    group.addoption("--agent-mock-coverage-report", action="append", metavar="FILE", help=meaning)
    meaning = "folder that load_exchange reads, relative to the root folder"
    parser.addini("agent_fixtures", meaning, default="fixtures")


def pytest_configure(config: pytest.Config) -> None:
    """Load the plugin for contract coverage if an option asks for it."""
    options = (config.getoption("agent_mock_coverage"), config.getoption("agent_mock_coverage_report"))
    if any(options) or config.getini("agent_mock_coverage"):
        _load(config.pluginmanager, COVERAGE, "--agent-mock-coverage")


def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Load the contract tests' plugin if an option of theirs is given; UsageError if that can't be done."""
    if any(argument.startswith(PREFIX) for argument in args):
        _load(early_config.pluginmanager, JUDGE, PREFIX + "…")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Prepare a test that uses `agent_mock`."""
    fixtures = tuple(getattr(item, "fixturenames", ()))
    if "agent_mock" in fixtures:
        _load(item.config.pluginmanager, CLIENT_TESTS, "agent_mock").prepare(item, fixtures)


@pytest.fixture(scope="session")
def agent_mock_config() -> Any:
    """The configuration of `agent_mock`: a mapping, the path of a file, or a `Config`. Override it to set one."""
    return None


@pytest.fixture
def agent_mock(request: pytest.FixtureRequest, agent_mock_config: Any) -> Iterator[Any]:
    """A mock of the agent API for this test, a `mockserver.testing.AgentMock`.

    One server runs for all tests of a process; each test has agents, sessions, rules, faults and requests of its own.
    """
    yield from _load(request.config.pluginmanager, CLIENT_TESTS, "agent_mock").open_fixture(request, agent_mock_config)


@pytest.fixture(scope="session")
def load_exchange(pytestconfig: pytest.Config) -> Callable[[str], Any]:
    """A function from the name of an example to its exchange, read from the folder `agent_fixtures` of the options."""
    from functools import partial
    from importlib import import_module

    folder = pytestconfig.rootpath / str(pytestconfig.getini("agent_fixtures"))
    return partial(import_module("mockserver.fixtures.load").load_exchange, folder=folder)


def _load(manager: pytest.PytestPluginManager, name: str, what: str) -> Any:
    """Return a plugin of the kit, registered once; raises UsageError if it can't be imported."""
    from importlib import import_module

    found = manager.getplugin(name)
    if found is not None:
        return found
    try:
        found = import_module(name)
    except ImportError as error:
        from agent_contract.installation import missing

        raise pytest.UsageError(missing(error, what)) from error
    manager.register(found, name)
    return found
