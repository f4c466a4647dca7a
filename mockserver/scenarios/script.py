"""A script: the compiled rules and faults of a scope, and what they decide about one request."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, NamedTuple, Protocol, TypeVar

from agent_contract.messages import Exchange, Reply
from agent_contract.printable import shorten
from mockserver.faults.fault import Fault
from mockserver.faults.stateful import Decision, Sent, Settle
from mockserver.generation.waits import Waits, with_waits
from mockserver.scenarios.matching import CompiledRule, Question, nearest_rule
from mockserver.scenarios.rule import Answer

_Result = TypeVar("_Result")


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
    """Counts the uses of rules and faults, by id, and keeps the states of faults, for all processes."""

    def take(self, id: str, most: int | None) -> int | None:
        """Count a use and return its number, from 0; None, without counting, if there were `most` already."""

    def counts(self) -> Mapping[str, int]:
        """Return the uses by id."""

    def update(self, id: str, change: Callable[[Any], tuple[Any, _Result]]) -> _Result:
        """Replace the state with this id, None at first, by the first result of `change`, and return the second."""


class Chosen(NamedTuple):
    """The rule that answers a request, and its answer, with the number of answers that it gave before."""

    rule: CompiledRule
    answer: Answer
    number: int


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
    _replacing: Fault | None = field(init=False, default=None)
    _decided: list[tuple[str, Fault, Decision]] = field(init=False, default_factory=list)
    _changing: list[str] = field(init=False, default_factory=list)

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
            if not fault.concerns(sent, self.agents):
                continue
            if fault.kind.decide:
                decision = self._decide(id, fault, sent)
                if decision.reply and self._happens(id, fault) is not None:
                    return fault.name, decision.reply
                self._decided.append((id, fault, decision))
            elif fault.kind.instead and self._happens(id, fault) is not None:
                self._replacing = fault
                return fault.name, fault.instead()
        return None

    def body(self, sent: Sent) -> Any:
        """Return the parsed body of the request as the faults change it."""
        body = sent.body
        for id, fault in self._faults():
            change = fault.kind.request
            if change and fault.concerns(sent, self.agents) and self._happens(id, fault) is not None:
                body = change(body)
                self._changing.append(fault.name)
        return body

    def may_change_reply(self, operation: str) -> bool:
        """Return whether the rule or a fault may still change the reply of an operation."""
        if self._decided or self._replacing or (self._chosen and not self._chosen.answer.is_plain):
            return True
        uses = self.counter.counts()
        return any(
            fault.kind.wire
            and not fault.kind.instead
            and fault.is_for(operation, self.agents)
            and not (id and fault.times is not None and uses.get(id, 0) >= fault.times)
            for id, fault in self._faults()
        )

    def on_the_wire(self, exchange: Exchange, sent: Sent) -> Exchange:
        """Return the exchange with the reply that its rule and the faults change."""
        chosen, reply = self._chosen, exchange.reply
        faults = [*exchange.faults]
        if self._replacing:
            reply = self._replacing.on_the_wire(reply, self.seed)
        if chosen:
            if chosen.answer.delay:
                reply = replace(reply, delay=reply.delay + chosen.answer.delay)
            reply = _delayed(reply, chosen.answer.delays)
            fault = chosen.answer.fault
            if fault:
                faults.append(fault.name)
                reply = fault.on_the_wire(reply, b"%s/%d" % (self.seed, chosen.number))
        if not exchange.violations and not faults:
            reply = self._settled(reply, sent, faults)
            for id, fault in self._faults():
                concerned = fault.kind.wire and fault.concerns(sent._replace(reply=reply), self.agents)
                number = self._happens(id, fault) if concerned and not fault.kind.instead else None
                if number is not None:
                    faults.append(fault.name)
                    reply = fault.on_the_wire(reply, b"%s%s/%d" % (self.seed, id.encode(), number))
        if self.waits:
            reply = with_waits(reply, self.waits)
        name = chosen.rule.rule.name if chosen else ""
        return replace(exchange, reply=reply, rule=name, faults=(*self._changing, *faults))

    def _decide(self, id: str, fault: Fault, sent: Sent) -> Decision:
        """Return what a fault decides by the earlier requests, and keep its state."""
        decide, now = fault.kind.decide, self.now()
        assert decide is not None

        def change(state: Any) -> tuple[Any, Decision]:
            decision = decide(state, fault.parameters, sent, now)
            return decision.state, decision

        return self.counter.update(_state(id, fault), change)

    def _settled(self, reply: Reply, sent: Sent, faults: list[str]) -> Reply:
        """Return the reply as the faults that decided on its request delay and mark it."""
        for id, fault, decision in self._decided:
            if decision.delay and self._happens(id, fault) is not None:
                faults.append(fault.name)
                reply = replace(reply, delay=reply.delay + decision.delay)
            settle = fault.kind.settle
            if settle:
                change = partial(_settle, settle, fault, sent._replace(reply=reply), self.now())
                headers = self.counter.update(_state(id, fault), change)
                reply = replace(reply, headers={**reply.headers, **headers})
        return reply

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
            return Chosen(compiled, answer, number)
        if not self.script.strict:
            return None
        if used_up:
            raise NoAnswer(f'No rule matches. The rule "{used_up.name}" has answered {used_up.times} times, its limit.')
        raise NoAnswer(self._nearest(question))

    def _nearest(self, question: Question) -> str:
        """Return why no rule matches."""
        if not self.script.rules:
            return "No rule matches: there are no rules, and the scenario is strict."
        nearest, failed = nearest_rule(self.script.rules, question)
        assert failed is not None
        return (
            f'No rule matches. The nearest one is "{nearest.rule.name}": its {failed.name} is '
            f"{shorten(repr(failed.wanted), 200)}, but the request has {shorten(repr(failed.seen(question)), 200)}."
        )

    def _faults(self) -> list[tuple[str, Fault]]:
        now = self.now()
        own = [(one.id, one.fault) for one in self.script.faults if one.expires is None or now < one.expires]
        return [*(("", fault) for fault in self.request_faults), *own]

    def _happens(self, id: str, fault: Fault) -> int | None:
        """Return the number of its uses, from 0, if a fault that concerns the request happens now; count it."""
        if not id:
            return 0
        if fault.has_window and not fault.is_in_window((self.counter.take(f"{id}/seen", None) or 0) + 1):
            return None
        if fault.probability is not None:
            number = self.counter.take(f"{id}/drawn", None) or 0
            if not fault.is_drawn(number, self.seed + id.encode()):
                return None
        return self.counter.take(id, fault.times)


def _delayed(reply: Reply, delays: tuple[float, ...]) -> Reply:
    """Return a stream with these seconds before its events, of which the last one repeats."""
    if not delays or isinstance(reply.body, bytes):
        return reply
    first, *others = (event for event in reply.body)
    following = [replace(event, delay=delays[min(at, len(delays) - 1)]) for at, event in enumerate(others, 1)]
    return replace(reply, delay=reply.delay + delays[0], body=(replace(first, delay=0.0), *following))


def _settle(settle: Settle, fault: Fault, sent: Sent, now: float, state: Any) -> tuple[Any, Mapping[str, str]]:
    return settle(state, fault.parameters, sent, now)


def _state(id: str, fault: Fault) -> str:
    """Return the id of a fault's state."""
    return f"{id or fault.name}/state"
