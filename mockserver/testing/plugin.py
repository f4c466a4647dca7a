"""Hooks of pytest for tests with the fixture `agent_mock`; registered when the first test uses it."""

from __future__ import annotations

import warnings
from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from agent_contract.document.errors import ContractError
from agent_contract.pytest_plugin import OPTIONS
from mockserver.testing.agent_mock import HINT, AgentMock, SharedServer, serve_mock
from mockserver.testing.other_mocks import exempt_from_markers, exempt_from_respx

_MOCK = pytest.StashKey[AgentMock]()
_SERVERS = pytest.StashKey[list[tuple[Any, SharedServer]]]()
_OPEN = pytest.StashKey[ExitStack]()
_ALLOWED = {name.replace("-", "_"): values for name, values, _ in OPTIONS}
#: The title of the section in the report of a test.
SECTION = "agent mock"


def open_fixture(request: pytest.FixtureRequest, config: Any) -> Iterator[AgentMock]:
    """Yield the mock of a test; the server of `config` runs until the end of the session."""
    setting(request.config, "agent_mock_rejections")  # a wrong value must not wait for the first refused request
    with exempt_from_respx(request), _server(request.config, config).open(request.node.name) as mock:
        mock.strict_rules = setting(request.config, "agent_mock_strict_rules") == "on"
        request.node.stash[_MOCK] = mock
        yield mock


def prepare(item: pytest.Item, fixtures: tuple[str, ...]) -> None:
    """Prepare a test that uses `agent_mock`, before its fixtures are made."""
    exempt_from_markers(item, fixtures)


def setting(config: pytest.Config, name: str) -> str:
    """Return an option: from the command line, or from the configuration file; raise UsageError for another value."""
    value = str(config.getoption(name) or config.getini(name) or "")
    allowed = _ALLOWED[name]
    if value and allowed and value not in allowed:
        raise pytest.UsageError(f"{config.inipath}: {name} is {value!r}. Allowed: {', '.join(allowed)}.")
    return value


def _server(config: pytest.Config, settings: Any) -> SharedServer:
    if settings is None:
        settings = setting(config, "agent_mock_config") or None
    servers = config.stash.setdefault(_SERVERS, [])
    for known, server in servers:
        if known == settings:
            return server
    stack = config.stash.setdefault(_OPEN, ExitStack())
    if isinstance(settings, str):
        settings = config.rootpath / settings
    try:
        server = stack.enter_context(serve_mock(settings, setting(config, "agent_mock_error_format") or None))
    except ContractError as error:
        raise pytest.UsageError("\n".join(str(problem) for problem in error.problems)) from None
    servers.append((settings, server))
    return server


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers."""
    if _OPEN in config.stash:
        config.stash[_OPEN].close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, Any, Any]:
    """Fail a test that passes although its client broke the contract, or left a rule unused under `strict_rules`."""
    result = yield
    mock, mode = item.stash.get(_MOCK, None), setting(item.config, "agent_mock_rejections") or "strict"
    problems = mock.problems() if mock and mode != "off" else []
    if problems and mode == "warn":
        warnings.warn(pytest.PytestWarning("\n".join(problems)), stacklevel=1)
    elif problems:
        pytest.fail("\n".join([*problems, HINT]), pytrace=False)
    unused = mock.unused_rules() if mock else []
    if unused:
        pytest.fail("\n".join(unused), pytrace=False)
    return result


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Add the requests of its mock to the report of a failed test."""
    report = yield
    mock = item.stash.get(_MOCK, None)
    if mock is not None and report.failed and report.when == "call":
        report.sections.append((SECTION, mock.describe()))
    return report
