"""The contract tests in pytest: options, fixtures, and verdicts in the place of tracebacks.

Everything heavy is imported when a contract test really runs: an installed plugin is loaded by every pytest.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from contract_tests import options
from contract_tests.assertions.schemathesis_checks import CLAUSES
from contract_tests.runner.recorder import Recorder
from contract_tests.verdict import WAIVED, Finding, NotPassed, from_user_properties, graded, to_user_properties

if TYPE_CHECKING:
    from contract_tests.deployment.deployment import Deployment
    from contract_tests.runner.run import RunConfig, RunState

_SUITE = Path(__file__).parents[1] / "suite"
_RUN = pytest.StashKey["RunState"]()
#: The name under which pytest knows what makes the report.
RECORDER = "contract_tests.recorder"
#: Seconds after a run's deadline in which tests still judge what was answered before.
GRACE = 2.0


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options, all of them beginning with `--contract-`."""
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Register the marker that ties a test to its clause."""
    if not hasattr(config.option, "tbstyle"):
        # Without pytest's terminal tracebacks are not shown, and the long kind takes a tenth of a second for each.
        config.option.tbstyle = "native"
    config.addinivalue_line("markers", "clause(id): the clause of the contract that the test judges")
    config.addinivalue_line("markers", "contract_feeds(ids): the test gathers what the tests of these clauses judge")
    config.addinivalue_line("markers", "contract_last: the test judges what all the others have seen")
    config.pluginmanager.register(FindingCollector(config), "contract_tests.gatherer")
    config.pluginmanager.register(Recorder(_judging), RECORDER)


class FindingCollector:
    """Takes the findings from the reports of the tests, wherever they ran."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Keep the finding that a report carries."""
        if finding := from_user_properties(report.user_properties):
            run_of(self._config).record(report.nodeid, finding)


def run_of(config: pytest.Config) -> RunState:
    """Return the run that this pytest does; the contract is loaded at the first call."""
    if _RUN not in config.stash:
        from agent_contract import ContractError, load_contract
        from contract_tests.runner.run import RunState, SelectionError
        from contract_tests.runner.setup import PreparingError, prepare_run

        try:
            config.stash[_RUN] = RunState(prepare_run(load_contract(every_version=True), options.from_pytest(config)))
        except (ContractError, SelectionError, PreparingError) as error:
            raise pytest.UsageError(str(error)) from error
    return config.stash[_RUN]


def config_of(config: pytest.Config) -> RunConfig:
    """Return what the run of this pytest is asked to do."""
    return run_of(config).config


def recorder_of(config: pytest.Config) -> Recorder:
    """Return what makes the result and the report of this pytest."""
    recorder = config.pluginmanager.get_plugin(RECORDER)
    return recorder if isinstance(recorder, Recorder) else Recorder(_judging)


def _judging(config: pytest.Config) -> RunState | None:
    """Return the run, if this pytest tests a deployment."""
    run = config.stash.get(_RUN, None) if config.option.contract_url else None
    return None if run is None or run.config.options.dry_run else run


def pytest_collection(session: pytest.Session) -> None:
    """Refuse an unknown clause or version before anything is collected."""
    if session.config.option.contract_url:
        run_of(session.config)


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out the generated requests, which take a second to make, if no selected clause needs them."""
    if collection_path != _SUITE / "test_generated.py" or not config.option.contract_url:
        return None
    wanted = config_of(config).selected & CLAUSES
    return True if not wanted or not config.pluginmanager.hasplugin("schemathesis") else None


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> bool | None:
    """Run nothing if the user only wants to know what a run would send."""
    config = session.config
    return True if config.option.contract_url and config_of(config).options.dry_run else None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests of clauses that were skipped, and put the generated requests last."""
    ours = {item: clauses_of(item) for item in items if clauses_of(item)}
    if not ours:
        return
    run = config_of(config)
    if not run.options.url and not config.getoption("collectonly"):
        raise pytest.UsageError("the contract tests need --contract-url, the URL of the deployment to judge")
    left_out = [item for item, clauses in ours.items() if not clauses & run.selected]
    config.hook.pytest_deselected(items=left_out)
    items[:] = sorted((item for item in items if item not in left_out), key=_lateness)


def clause_of(item: pytest.Item) -> str:
    """Return the clause that a contract test judges; an empty text for every other test."""
    marker = item.get_closest_marker("clause")
    return str(marker.args[0]) if marker and marker.args and item.path.parent == _SUITE else ""


def clauses_of(item: pytest.Item) -> set[str]:
    """Return the clauses that a contract test judges, or gathers for the tests that do."""
    feeds = item.get_closest_marker("contract_feeds")
    return {*(feeds.args if feeds else ()), clause_of(item)} - {""}


def _lateness(item: pytest.Item) -> int:
    """Return 0 for the tests of the chat, 1 for those of what is around it, 2 for what judges all that was seen."""
    if item.get_closest_marker("contract_last") is not None:
        return 2
    return int(not clause_of(item).startswith("chat."))


@pytest.fixture(scope="session")
def deployment(request: pytest.FixtureRequest) -> Iterator[Deployment]:
    """The deployment under test, once a plain request was answered."""
    from agent_contract.base_url import TargetError
    from contract_tests.deployment.client import RunEnded
    from contract_tests.deployment.deployment import NoVerdict, open_deployment

    run = run_of(request.config)
    try:
        opened = open_deployment(run.config.contract, run.config.options, run.config.credentials, run.notify)
        deployment = run.begin(opened)
    except (NoVerdict, TargetError, RunEnded, NotPassed) as error:
        pytest.exit(run.stop(str(error)), returncode=2)
    yield deployment
    run.clean_up()
    deployment.client.close()


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call(item: pytest.Item) -> None:
    """Don't run the test of a clause that the version of the deployment does not have, nor any long after the deadline.

    What came before the deadline is still judged for a moment, but no more requests are generated.
    """
    if not clauses_of(item):
        return
    clause, run = clause_of(item), run_of(item.config)
    if clause and (finding := run.absent(clause)):
        raise NotPassed(finding)
    if run.deployment is not None:
        limiter = run.deployment.client.budget.limiter
        if not clause and limiter.left <= 0:
            pytest.skip("the deadline is over")
        limiter.check(GRACE)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Turn what a contract test raised into its clause's finding, without a traceback."""
    report = yield
    clause = clause_of(item)
    if not clause or (call.excinfo is None and call.when != "call"):
        return report
    run = run_of(item.config)
    finding = graded(_finding(run, call, item), run.config.clauses[clause])
    finding = replace(finding, operations=" ".join(sorted(run.operations_since())))
    item.user_properties.extend(to_user_properties(finding))
    report.user_properties.extend(to_user_properties(finding))
    if isinstance(getattr(call.excinfo, "value", None), NotPassed) or run.stopped:
        _show(report, finding, run.config)
    return report


def _finding(run: RunState, call: pytest.CallInfo[None], item: pytest.Item) -> Finding:
    from contract_tests.deployment.client import RunEnded

    error = call.excinfo.value if call.excinfo else None
    match error:
        case None:
            return Finding("passed")
        case NotPassed():
            return _clean(run.config, error)
        case RunEnded():
            item.session.shouldstop = run.stop(str(error))
            return Finding("not tested", "the run ended here")
    if isinstance(error, pytest.exit.Exception | KeyboardInterrupt):
        return Finding("not tested", "the run ended before")
    return Finding(
        "not tested", run.config.shown(f"the test itself failed: {type(error).__name__}: {error}"), fault=True
    )


def _clean(run: RunConfig, judged: NotPassed) -> Finding:
    """Return the finding with `curl` and transcript, secrets hidden wherever the server repeated them."""
    from contract_tests.report.transcript import to_text, transcribed

    finding, hide, shown = judged.finding, run.hide, run.shown
    reason, expected, got = (shown(text) for text in (finding.reason, finding.expected, finding.got))
    curl = shown(judged.exchanges[-1].curl()) if judged.exchanges else ""
    transcript = to_text([transcribed(exchange, hide) for exchange in judged.exchanges])
    return Finding(finding.word, reason, expected, got, curl, transcript=transcript)


def _show(report: pytest.TestReport, finding: Finding, run: RunConfig) -> None:
    """Report the finding in pytest's own terms: failed, xfailed or skipped."""
    from contract_tests.report.terminal import explained

    text = explained(finding, run.clauses[finding.clause])
    if finding.word == "failed" and run.waiving.excuses(finding.clause):
        report.outcome = "skipped"
        report.wasxfail = f"{WAIVED}: expected {finding.expected}, got {finding.got}"
        report.longrepr = text
    elif finding.word == "failed":
        report.outcome = "failed"
        report.longrepr = text
    elif finding.word == "warning":
        report.outcome = "skipped"
        report.wasxfail = f"warning: {finding.reason or f'expected {finding.expected}, got {finding.got}'}"
        report.longrepr = text
    else:
        report.outcome = "skipped"
        path, line, _ = report.location
        report.longrepr = (path, line or 0, f"{finding.word}: {finding.reason}")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print the number of clauses for each verdict, and the conclusion."""
    run = config.stash.get(_RUN, None)
    if run is None or not run.config.options.url:
        return
    if run.config.options.dry_run:
        terminalreporter.section("contract")
        terminalreporter.line(f"{run.config.plan}; nothing was sent")
        return
    from contract_tests.report.comparison import lines
    from contract_tests.report.terminal import counted

    result = recorder_of(config).result
    if result is None:
        return
    terminalreporter.section("contract")
    changes = lines(result.comparison) if result.comparison else ()
    notices = (result.notice,) if result.notice else ()
    for line in (*notices, counted(result.verdicts.values()), *changes, result.conclusion.sentence):
        terminalreporter.line(line)
