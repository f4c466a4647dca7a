"""A script: the compiled rules and faults of a scope, and what they decide about one request."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from agent_contract.messages import Exchange, Reply
from agent_contract.printable import shorten
from mockserver.faults.catalogue import Sent
from mockserver.faults.fault import Fault
from mockserver.generation.waits import Waits, with_waits
from mockserver.scenarios.matching import CompiledRule, Question
from mockserver.scenarios.rule import Answer


class SetFault(NamedTuple):
    """A fault in a scope: its id there, and when it expires, in seconds since 1970."""

    id: str
    fault: Fault
    expires: float | None = None


@dataclass(frozen=True, slots=True)
class Script:
    """The rules and faults of a scope, in order. If it is strict, a chat that no rule matches is refused.

    With `has_clock`, a test controls the clock of the scope.
    """

    rules: tuple[CompiledRule, ...] = ()
    faults: tuple[SetFault, ...] = ()
    strict: bool = False
    has_clock: bool = False


class Counter(Protocol):
    """Counts the uses of rules and faults, by id, for all processes."""

    def take(self, id: str, most: int | None) -> int | None:
        """Count a use and return its number, from 0; None, without counting, if there were `most` already."""


class Chosen(NamedTuple):
    """The rule that answers a request, and its answer."""

    rule: CompiledRule
    answer: Answer


class NoAnswer(Exception):
    """No rule answers a request of a strict script; the message names the nearest rule and what did not match."""


@dataclass(slots=True)
class ActiveScript:
    """What a script decides about one request, whose agent has the addresses `agents`.

    The same request gets the same decisions, however often it asks. `request_faults` are those of the request alone.
    `waits` wait for the delays of the reply, if not in real time.
    """

    script: Script
    counter: Counter
    now: Callable[[], float]
    seed: bytes
    agents: tuple[str, ...]
    request_faults: tuple[Fault, ...] = ()
    waits: Waits | None = None
    _chosen: Chosen | None = field(init=False, default=None)
    _is_asked: bool = field(init=False, default=False)

    def choose(self, question: Question) -> Chosen | None:
        """Return the first rule that matches with its next answer, None if the answer is computed; may raise NoAnswer.

        A second call returns what the first one returned.
        """
        if not self._is_asked:
            self._chosen = self._choose(question)
            self._is_asked = True
        return self._chosen

    def instead(self, sent: Sent) -> tuple[str, Reply] | None:
        """Return the name of the first fault that replaces the reply, and its reply."""
        for id, fault in self._faults():
            if fault.kind.instead and fault.concerns(sent, self.agents) and self._happens(id, fault):
                return fault.name, fault.instead()
        return None

    def on_the_wire(self, exchange: Exchange, sent: Sent) -> Exchange:
        """Return the exchange with the reply that its rule and the faults change."""
        chosen, reply = self._chosen, exchange.reply
        faults = [*exchange.faults]
        if chosen:
            if chosen.answer.delay:
                reply = replace(reply, delay=reply.delay + chosen.answer.delay)
            fault = chosen.answer.fault
            if fault:
                faults.append(fault.name)
                reply = fault.on_the_wire(reply, self.seed)
        if not exchange.violations and not faults:
            for id, fault in self._faults():
                concerned = fault.kind.wire and fault.concerns(sent._replace(reply=reply), self.agents)
                if concerned and self._happens(id, fault):
                    faults.append(fault.name)
                    reply = fault.on_the_wire(reply, self.seed + id.encode())
        if self.waits:
            reply = with_waits(reply, self.waits)
        name = chosen.rule.rule.name if chosen else ""
        return replace(exchange, reply=reply, rule=name, faults=tuple(faults))

    def _choose(self, question: Question) -> Chosen | None:
        used_up = None
        for compiled in self.script.rules:
            if compiled.failed(question):
                continue
            rule = compiled.rule
            number = self.counter.take(compiled.id, rule.times)
            if number is None:
                used_up = rule
                continue
            answer = rule.answer(number)
            if answer is None:
                raise NoAnswer(f'The rule "{rule.name}" has no more answers: it had {len(rule.answers)}.')
            return Chosen(compiled, answer)
        if not self.script.strict:
            return None
        if used_up:
            raise NoAnswer(f'No rule matches. The rule "{used_up.name}" has answered {used_up.times} times, its limit.')
        raise NoAnswer(self._nearest(question))

    def _nearest(self, question: Question) -> str:
        """Return why no rule matches."""
        if not self.script.rules:
            return "No rule matches: there are no rules, and the scenario is strict."
        nearest = max(self.script.rules, key=lambda one: one.held(question))
        failed = nearest.failed(question)
        assert failed is not None
        return (
            f'No rule matches. The nearest one is "{nearest.rule.name}": its {failed.name} is '
            f"{shorten(repr(failed.wanted), 200)}, but the request has {shorten(repr(failed.seen(question)), 200)}."
        )

    def _faults(self) -> list[tuple[str, Fault]]:
        now = self.now()
        own = [(one.id, one.fault) for one in self.script.faults if one.expires is None or now < one.expires]
        return [*(("", fault) for fault in self.request_faults), *own]

    def _happens(self, id: str, fault: Fault) -> bool:
        """Return whether a fault that concerns the request happens now; count it."""
        if not id:
            return True
        if fault.probability is not None:
            number = self.counter.take(f"{id}/drawn", None) or 0
            if not fault.is_drawn(number, self.seed + id.encode()):
                return False
        return self.counter.take(id, fault.times) is not None
