"""The pytest plugin that makes the result and the report of a run, and writes the report."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from contract_tests.verdict import Exit

if TYPE_CHECKING:
    from contract_tests.report.model import Report
    from contract_tests.report.run_result import RunResult, Traffic
    from contract_tests.runner.run import RunState

#: Under these names a worker of pytest-xdist reports what it has sent, and the version that it has detected.
_TRAFFIC, _VERSION = "contract_traffic", "contract_version"
_NO_RUN = (pytest.ExitCode.INTERNAL_ERROR, pytest.ExitCode.USAGE_ERROR)


@dataclass(slots=True, eq=False)
class Recorder:
    """Makes the report when pytest has ended; under pytest-xdist in the controlling process alone.

    `find_run` gives the run of this pytest, None if it tests no deployment.
    """

    find_run: Callable[[pytest.Config], RunState | None]
    report: Report | None = None
    result: RunResult | None = None
    _from_workers: list[Traffic] = field(default_factory=list)
    _started: datetime = field(default_factory=lambda: datetime.now(UTC))
    _clock: float = field(default_factory=time.monotonic)
    _interrupted: bool = False

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        """Remember that it was the user who ended the run."""
        stopped = isinstance(excinfo.value, pytest.Session.Interrupted)
        self._interrupted = isinstance(excinfo.value, KeyboardInterrupt) and not stopped

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker has sent."""
        from contract_tests.deployment.cold_start import ColdStart
        from contract_tests.deployment.version_detection import ApiVersion
        from contract_tests.report.run_result import Traffic

        output = getattr(node, "workeroutput", {})
        if text := output.get(_TRAFFIC):
            sent = json.loads(text)
            cold = ColdStart(**sent["cold_start"]) if sent["cold_start"] else None
            self._from_workers.append(
                Traffic(**{**sent, "cold_start": cold, "left_behind": tuple(sent["left_behind"])})
            )
        state = self.find_run(node.config)
        if state and output.get(_VERSION):
            state.version = ApiVersion(**json.loads(output[_VERSION]))

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Make the result and the report, and write the report wherever the user wants it."""
        from contract_tests.report.build import report_of
        from contract_tests.report.run_result import Traffic

        state = self.find_run(session.config)
        if state is None or exitstatus in _NO_RUN or session.config.option.collectonly:
            return
        if self._interrupted:
            state.interrupt()
        state.clean_up()
        traffic = sum((state.traffic(), *self._from_workers), start=Traffic())
        output = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[_TRAFFIC] = json.dumps(asdict(traffic))
            output[_VERSION] = json.dumps(asdict(state.version)) if state.version else ""
            return
        seconds = time.monotonic() - self._clock
        result = state.result(traffic, self._started, seconds)
        self.report = report_of(result)
        unwritten = tuple(_written(self.report, result.options.reports))
        self.result = state.result(traffic, self._started, seconds, unwritten) if unwritten else result
        code = self.result.conclusion.code
        if session.exitstatus == pytest.ExitCode.OK and (unwritten or code == Exit.FAILED):
            session.exitstatus = code


def _written(report: Report, files: tuple[str, ...]) -> Iterator[str]:
    """Write the report to each file; yield a sentence for each failure."""
    from contract_tests.report.writers import write

    for file in files:
        try:
            write(report, Path(file))
        except OSError as error:
            yield f"the report {file} can't be written: {error.strerror or error}"
        else:
            sys.stderr.write(f"report: {file}\n")
