"""Prepares a run: reads waivers and the baseline, and checks that reports can be written."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from agent_contract.redaction import proxy_passwords
from contract_tests.report.waivers import AppliedWaivers, WaiverError, load_waivers
from contract_tests.report.writers import DestinationError, check
from contract_tests.runner.run import RunConfig, configured

if TYPE_CHECKING:
    from agent_contract import Contract
    from contract_tests.options import Options


class PreparingError(Exception):
    """A file of the options that can't be used: which, why, and what to do."""


def prepare_run(contract: Contract, options: Options) -> RunConfig:
    """Return the configuration of a run, with its files read and checked.

    Raises `PreparingError` for a file that can't be read or written, and `SelectionError` as `selection` does.
    """
    from contract_tests.report.saved_json import ReportError, load

    try:
        check(options.reports)
        waivers = load_waivers(Path(options.waive)) if options.waive else ()
        baseline = load(Path(options.baseline)) if options.baseline else None
    except (DestinationError, WaiverError, ReportError) as error:
        raise PreparingError(str(error)) from None
    waiving = AppliedWaivers(waivers, datetime.now(UTC).date())
    secrets = tuple(sorted(set(proxy_passwords(os.environ))))
    return configured(contract, options, waiving, baseline, secrets)
