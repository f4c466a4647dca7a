"""The clock of a test: the test moves it on, and waits can be skipped."""

from __future__ import annotations

from contextlib import ExitStack

from mockserver.core.clock import ScopeClock
from mockserver.core.scripts import Scripts
from mockserver.testing.sleeps import skipped_sleeps


class Clock:
    """The time of a mock: of sessions that expire, quotas, streams and everything else that takes time there.

    It runs with real time until a test changes that.
    """

    def __init__(self, scripts: Scripts, scope: str, opened: ExitStack) -> None:
        self._scripts = scripts
        self._scope = scope
        self._opened = opened

    @property
    def now(self) -> float:
        """The time in seconds since 1970."""
        return self._scripts.clock(self._scope).now()

    @property
    def skips(self) -> bool:
        """Whether waits are skipped."""
        return self._scripts.clock(self._scope).state().mode == "skipping"

    def advance(self, seconds: float) -> None:
        """Move the clock on. Waits of the mock that end until then end at once; ValueError for a negative number."""
        if not seconds >= 0:
            raise ValueError(f"advance() needs a number of seconds from 0, not {seconds}: a clock never goes back")
        self._control().advance(seconds)

    def freeze(self) -> None:
        """Stop the clock: it moves only with `advance`, and so do waits of the mock."""
        self._control().switch("frozen")

    def run(self) -> None:
        """Let the clock run again, from its present time."""
        self._control().switch("running")

    def skip_waits(self, *, client: bool = True) -> None:
        """Stop the clock until the end of the test, and let each wait move it to its end at once.

        So streams, latency and stalls take no time. Clients that `client()` makes from now on use no socket, so that
        their timeouts apply to the time of the mock. With `client`, the client's own waits between two tries move the
        clock too: `time.sleep` and `asyncio.sleep` return at once, except for Python's own library, pytest and the
        mock.
        """
        self._control().switch("skipping")
        if client:
            self._opened.enter_context(skipped_sleeps(self.advance))

    def _control(self) -> ScopeClock:
        return self._scripts.control_clock(self._scope)
