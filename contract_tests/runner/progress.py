"""Shows the progress of a run, and its verdict at the end."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from contract_tests.report import github_actions
from contract_tests.report.terminal import show
from contract_tests.runner.plugin import clause_of, config_of, recorder_of, run_of
from contract_tests.verdict import Exit

if TYPE_CHECKING:
    from contract_tests.report.model import Report
    from contract_tests.report.run_result import RunResult

#: Number of tests between two lines, if standard error is not a terminal.
STRIDE = 25
#: Width of lines in a file or a log; a terminal has its own.
LOG_WIDTH = 120


class ProgressReporter:
    """A pytest plugin in the place of pytest's own terminal reports."""

    def __init__(self) -> None:
        self._progress: Progress | None = None
        self._error = Console(stderr=True)
        self._total = 0
        self._done = 0

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Begin the progress line."""
        self._total = len(session.items)
        config = config_of(session.config)
        run_of(session.config).listen(self._say)
        if config.options.dry_run:
            return
        self._say(f"{config.shown(config.options.url)}: {config.plan}")
        if self._error.is_terminal:
            columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
            self._progress = Progress(*columns, console=self._error, transient=True)
            self._progress.start()
            self._progress.add_task("", total=self._total)

    def pytest_runtest_protocol(self, item: pytest.Item) -> None:
        """Show the clause that is being tested."""
        if self._progress:
            self._progress.update(self._progress.task_ids[0], description=clause_of(item).ljust(32))

    def pytest_runtest_logfinish(self) -> None:
        """Count the test that has ended."""
        self._done += 1
        if self._progress:
            self._progress.advance(self._progress.task_ids[0])
        elif self._done % STRIDE == 0 or self._done == self._total:
            self._error.print(f"{self._done} of {self._total} tests", highlight=False)

    def _say(self, text: str) -> None:
        """Show what takes a while, above the progress line."""
        self._error.print(text, highlight=False, markup=False, soft_wrap=True)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Print the verdict and make its exit code the process's."""
        if self._progress:
            self._progress.stop()
        if exitstatus in (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR):
            session.exitstatus = Exit.NO_VERDICT
            return
        config, recorder = config_of(session.config), recorder_of(session.config)
        if config.options.dry_run:
            _say(f"{config.plan}\nexit 0: nothing was sent")
            return
        if recorder.result is None:
            return
        with _in_the_open(recorder.report):
            _show(recorder.result, begun=run_of(session.config).begun)
        session.exitstatus = recorder.result.conclusion.code


def _show(result: RunResult, begun: bool) -> None:
    console = Console(width=None if sys.stdout.isatty() else LOG_WIDTH)
    if begun:
        show(console, result)
    else:
        conclusion = result.conclusion
        console.print(f"exit {int(conclusion.code)}: {conclusion.sentence}", soft_wrap=True, markup=False)


@contextmanager
def _in_the_open(report: Report | None) -> Iterator[None]:
    """Report to GitHub Actions, if this runs there, and keep it from interpreting what is printed meanwhile."""
    if report is None or not github_actions.is_requested(os.environ):
        yield
        return
    for line in github_actions.annotated(report):
        _say(line)
    if problem := github_actions.add_summary(report, os.environ):
        sys.stderr.write(f"{problem}\n")
    with github_actions.commands_stopped(_say):
        yield


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
