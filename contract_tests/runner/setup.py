"""What a run needs beside the deployment: waivers, a baseline, and files that can be written."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent_contract.redaction import proxy_passwords
from contract_tests.report.waivers import WaiverError, Waiving, load_waivers
from contract_tests.report.writers import DestinationError, check
from contract_tests.runner.run import Run

if TYPE_CHECKING:
    from agent_contract import Contract
    from contract_tests.options import Options


class PreparingError(Exception):
    """A file that the run was told of can't be used: which, why, and what to do."""


def prepared(contract: Contract, options: Options) -> Run:
    """Return a run that can be begun, its files read and looked at.

    Raises `PreparingError` for a file that can't be read or written, and `SelectionError` as `Run` does.
    """
    from contract_tests.report.saved_json import ReportError, load

    try:
        check(options.reports)
        waivers = load_waivers(Path(options.waive)) if options.waive else ()
        baseline = load(Path(options.baseline)) if options.baseline else None
    except (DestinationError, WaiverError, ReportError) as error:
        raise PreparingError(str(error)) from None
    waiving = Waiving(waivers, datetime.now(UTC).date())
    secrets = tuple(sorted(set(proxy_passwords(os.environ))))
    return Run(contract, options, waiving=waiving, baseline=baseline, secrets=secrets)
