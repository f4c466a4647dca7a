"""The clock of a scope: real time, until a test moves it on, stops it, or lets it skip waits."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias, get_args

import orjson

from mockserver.generation.waits import AsyncSleep, Sleep
from mockserver.stores import Conflict, Store, StoreUnavailable

#: `running`: time passes. `frozen`: it passes only when the clock is moved. `skipping`: as frozen, and each wait of the
#: mock moves the clock to its end at once.
ClockMode: TypeAlias = Literal["running", "frozen", "skipping"]
MODES: tuple[ClockMode, ...] = get_args(ClockMode)
#: The end of the year 9999, in seconds since 1970: no clock passes it.
LATEST = 253_402_300_799.0
#: Seconds between two looks at a clock that a wait depends on: in memory, and in a store that may block.
_LOOK, _SLOW_LOOK = 0.005, 0.05


@dataclass(frozen=True, slots=True)
class ClockState:
    """A mode, and the time: of a running clock the seconds that it is ahead of real time, else since 1970."""

    mode: ClockMode = "running"
    time: float = 0.0

    def now(self, real: float) -> float:
        """Return the time in seconds since 1970, if `real` is the real time."""
        return self.time + real if self.mode == "running" else self.time

    def at(self, now: float, mode: ClockMode, real: float) -> ClockState:
        """Return a state with this time and mode."""
        now = min(now, LATEST)
        return ClockState(mode, now - real if mode == "running" else now)


@dataclass(frozen=True, slots=True)
class ScopeClock:
    """The clock of a scope, kept under a key of the store; `real` returns seconds since 1970."""

    store: Store
    key: str
    real: Callable[[], float]

    def now(self) -> float:
        """Return the time in seconds since 1970."""
        return self.state().now(self.real())

    def state(self) -> ClockState:
        """Return the mode and the time."""
        return self._read()[0]

    def advance(self, seconds: float) -> None:
        """Move the clock on."""
        self._change(lambda state, real: state.at(state.now(real) + seconds, state.mode, real))

    def switch(self, mode: ClockMode) -> None:
        """Change the mode, at the present time."""
        self._change(lambda state, real: state.at(state.now(real), mode, real))

    def reach(self, due: float) -> None:
        """Move the clock to `due`, unless it is already later."""
        self._change(lambda state, real: state.at(max(state.now(real), due), state.mode, real))

    def waits(self) -> ScopeWaits:
        """Return the waits of a reply that begins now."""
        return ScopeWaits(self, self.now())

    def _read(self) -> tuple[ClockState, int | None]:
        found = self.store.get(self.key)
        return (ClockState(*orjson.loads(found.value)), found.version) if found else (ClockState(), None)

    def _change(self, change: Callable[[ClockState, float], ClockState]) -> None:
        while True:
            state, version = self._read()
            changed = change(state, self.real())
            if changed == state:
                return
            try:
                self.store.put(self.key, orjson.dumps([changed.mode, changed.time]), version, pinned=True)
            except Conflict:
                continue
            return


@dataclass(slots=True)
class ScopeWaits:
    """Waits until the clock of a scope reaches `due`, which each wait moves on.

    So the waits of replies that are sent at the same time don't add up. A client that is late delays no later event.
    """

    clock: ScopeClock
    due: float

    def has_passed(self, _: float) -> bool:
        """Return False: each wait looks at the clock, and moves one that skips."""
        return False

    def wait(self, seconds: float, sleep: Sleep) -> None:
        """Return when the clock has reached the end of the wait, or when `sleep` returns true."""
        self.due += seconds
        while (left := self._left()) > 0:
            if sleep(min(left, _LOOK)):
                return

    async def wait_async(self, seconds: float, sleep: AsyncSleep) -> None:
        """Return when the clock has reached the end of the wait, without blocking the event loop."""
        self.due += seconds
        look = _SLOW_LOOK if self.clock.store.blocking else _LOOK
        while (left := self._left()) > 0:
            await sleep(min(left, look))

    def _left(self) -> float:
        """Return how many seconds are left, none if the store is unavailable.

        A clock that skips is moved to the end of the wait.
        """
        try:
            state = self.clock.state()
            if state.mode != "skipping":
                return self.due - state.now(self.clock.real())
            self.clock.reach(self.due)
        except StoreUnavailable:
            pass
        return 0.0


def described(clock: ScopeClock) -> dict[str, Any]:
    """Return the time and the mode of a clock as JSON."""
    return {"now": clock.now(), "mode": clock.state().mode}
