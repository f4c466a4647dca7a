"""Contract coverage of a test run: what the tests of a client met, also if pytest-xdist divides them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from mockserver.analysis.coverage import Coverage, coverage_from
from mockserver.analysis.coverage_report import CoverageReportError, as_text, write_report
from mockserver.analysis.observation import from_exchange
from mockserver.build import own_contract
from mockserver.testing.agent_mock import OBSERVERS, AgentMock

_OBSERVER = pytest.StashKey[Callable[[AgentMock], None]]()
_COVERAGE = pytest.StashKey[Coverage]()
#: The key of a worker's coverage in what it sends to the controller.
_OUTPUT = "agent_mock_coverage"


def pytest_configure(config: pytest.Config) -> None:
    """Count the requests of every mock from now on, those of `unittest` too."""
    observer: Callable[[AgentMock], None] = partial(_collect, config)
    config.stash[_OBSERVER] = observer
    OBSERVERS.append(observer)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Count no longer."""
    OBSERVERS.remove(config.stash[_OBSERVER])


def _collect(config: pytest.Config, mock: AgentMock) -> None:
    """Count what the requests of a test met."""
    coverage, contract = _of(config), mock.engine.contract
    for one in mock.requests:
        coverage.add(from_exchange(one.exchange), contract)


def _of(config: pytest.Config) -> Coverage:
    return config.stash.setdefault(_COVERAGE, Coverage())


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Send the coverage of a worker to the controller."""
    output: dict[str, Any] | None = getattr(session.config, "workeroutput", None)
    if output is not None:
        output[_OUTPUT] = _of(session.config).as_json()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Add the coverage of a worker that has finished; one that crashed has sent none."""
    sent = getattr(node, "workeroutput", {}).get(_OUTPUT)
    if sent is not None:
        _of(node.config).merge(coverage_from(sent))


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the coverage, and write the reports."""
    coverage, contract = _of(config), own_contract()
    terminalreporter.section("agent mock coverage")
    terminalreporter.write_line(as_text(coverage, contract))
    for name in config.getoption("agent_mock_coverage_report") or ():
        try:
            write_report(Path(config.invocation_params.dir, name), coverage, contract)
            terminalreporter.write_line(f"wrote {name}")
        except CoverageReportError as error:
            terminalreporter.write_line(f"--agent-mock-coverage-report: {error}", red=True)
