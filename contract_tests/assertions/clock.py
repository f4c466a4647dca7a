"""The server's clock: what its replies show of it, and how far it is off."""

from __future__ import annotations

import time
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from contract_tests.verdict import warning

if TYPE_CHECKING:
    from contract_tests.wire.exchange import Exchange

#: Clocks that differ by less are taken for one.
A_DAY = 86_400


def server_time(exchange: Exchange) -> float | None:
    """Return the reply's `Date` in Unix seconds, None if it has none that can be read."""
    try:
        return parsedate_to_datetime(exchange.header("date")).timestamp()
    except (ValueError, TypeError, OverflowError):
        return None


def want_clock(exchange: Exchange) -> None:
    """Raise a warning if the reply's `Date` is a day or more off: tokens and certificates may fail on it."""
    date = server_time(exchange)
    if date is not None and abs(skew := date - time.time()) >= A_DAY:
        side = "slow" if skew < 0 else "fast"
        raise warning(f"the server's clock is {timedelta(seconds=round(abs(skew)))} {side}, by its Date", exchange)
