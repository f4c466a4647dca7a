"""Waits for a deployment whose model is not loaded yet, and reports the wait."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

from contract_tests.deployment.payloads import plain
from contract_tests.wire.exchange import Exchange, status_line

if TYPE_CHECKING:
    from contract_tests.deployment.client import DeploymentClient

#: Receives a sentence for the user, and the same as a value.
Notify: TypeAlias = Callable[[str, "ColdStart"], None]
#: Statuses of a gateway while its model is being loaded.
COLD = (502, 503, 504)
#: The first and the longest pause before a cold deployment is asked again, in seconds.
FIRST_PAUSE = 1.0
LONGEST_PAUSE = 10.0


@dataclass(frozen=True, slots=True)
class ColdStart:
    """A deployment that was cold: its first sign, the seconds that the run waited, and the sign that remains.

    `still` is empty if it answered in the end.
    """

    seen: str
    seconds: float
    still: str = ""

    def __str__(self) -> str:
        end = f"it still is ({self.still})" if self.still else "then it answered"
        return f"the deployment was cold ({self.seen}): waited {self.seconds:.1f} s, {end}"


@dataclass(frozen=True, slots=True)
class WarmUp:
    """The last answer to a plain request, and the wait for it, if there was one."""

    exchange: Exchange
    cold_start: ColdStart | None = None


def warm_up(client: DeploymentClient, longest: float, notify: Notify) -> WarmUp:
    """Return the answer to a plain request, asked again with growing pauses while the deployment is cold.

    `notify` hears of each wait before it begins, because the run's deadline may end it.
    """
    limiter = client.budget.limiter
    begun, pause = limiter.clock(), FIRST_PAUSE
    exchange = client.chat(plain())
    cold = first = coldness(exchange)
    while cold and (left := begun + longest - limiter.clock()) > 0:
        waited = round(limiter.clock() - begun, 1)
        notify(f"the deployment is cold ({cold}): waiting, {left:.0f} s more at most", ColdStart(first, waited, cold))
        limiter.pause(min(pause, left))
        pause = min(pause * 2, LONGEST_PAUSE)
        client.forget()
        exchange = client.chat(plain())
        cold = coldness(exchange)
    if not first or not longest:
        return WarmUp(exchange)
    cold_start = ColdStart(first, round(limiter.clock() - begun, 1), cold)
    notify(str(cold_start), cold_start)
    return WarmUp(exchange, cold_start)


def coldness(exchange: Exchange) -> str:
    """Return the sign that a deployment's model is not loaded yet, or an empty string.

    An empty answer that was cut at its limit does not count: a reasoning model may spend the limit before it answers.
    """
    if exchange.status in COLD:
        return status_line(exchange.status)
    value = exchange.json() if exchange.status == 200 else None
    choices = value.get("choices") if isinstance(value, dict) else None
    first = choices[0] if isinstance(choices, list) and choices else None
    message = first.get("message") if isinstance(first, dict) else None
    if not isinstance(first, dict) or not isinstance(message, dict) or first.get("finish_reason") == "length":
        return ""
    return "an empty answer" if message.get("content") == "" and not message.get("reasoning_content") else ""
