"""What a change of the contract means to one client: differences, restricted to what its recordings sent and got.

Whether a call would be refused is decided by its own values, which are checked against both contracts. Whether a reply
may differ is decided by the fields that the recorded replies have: what a client was never sent, it can't miss.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Literal

from agent_contract import Contract, Found, check_reply, check_request
from agent_contract.diff.compare import (
    Difference,
    clause_differences,
    reply_differences,
    request_differences,
    security_differences,
)
from agent_contract.diff.fields import reply_fields, request_fields
from agent_contract.document.json_pointer import Place, parse
from agent_contract.messages import Violation
from agent_contract.model.operations import Operation
from mockserver.analysis.recorded_call import RecordedCall
from mockserver.recording.exchange_json import excerpt
from mockserver.recording.recording import Recording

ImpactEffect = Literal["refused", "changed", "review"]

#: What an impact means to the client, worst first.
IMPACTS: Mapping[ImpactEffect, str] = {
    "refused": "the server would refuse the call",
    "changed": "the reply may differ in what the client got, or a setting would act that did not",
    "review": "a promise about what the client uses was taken back, weakened or reworded: read it",
}
_SHOWN = 100  # characters of a value


@dataclass(frozen=True, slots=True)
class Impact:
    """One difference with the names of the recordings that it affects."""

    effect: ImpactEffect
    difference: Difference
    recordings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ImpactReport:
    """The impacts of a change on a client, worst first.

    `recordings` counts those that were compared, `affected` those of them that an impact is on, `unknown` those whose
    request reaches nothing in either contract, `left_out` the entries of archives that were left out, by the reason.
    """

    before: Contract
    after: Contract
    impacts: tuple[Impact, ...]
    recordings: int
    affected: int
    unknown: int
    left_out: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Pair:
    """One recorded call under both contracts; None if a contract has no operation for it."""

    name: str
    old: RecordedCall | None
    new: RecordedCall | None


def find_impacts(before: Contract, after: Contract, recordings: Iterable[Recording]) -> ImpactReport:
    """Return what a change from one contract to another means for the calls in recordings."""
    pairs = [_pair(before, after, recording) for recording in recordings]
    known = [pair for pair in pairs if pair.old or pair.new]
    rules = _Rules(before, after)
    merged: dict[tuple[ImpactEffect, Difference], dict[str, None]] = {}
    about: dict[tuple[ImpactEffect, Difference], Difference] = {}
    affected = 0
    for pair in known:
        found = list(rules.of(pair))
        affected += bool(found)
        for effect, one in found:
            key = effect, replace(one, operations=(), clauses=(), pointer="")
            seen = about.get(key, one)
            about[key] = replace(
                one,
                operations=_unique((*seen.operations, *one.operations)),
                clauses=_unique((*seen.clauses, *one.clauses)),
            )
            merged.setdefault(key, {})[pair.name] = None
    order = list(IMPACTS)
    impacts = [Impact(key[0], about[key], tuple(names)) for key, names in merged.items()]
    impacts.sort(key=lambda one: order.index(one.effect))
    return ImpactReport(before, after, tuple(impacts), len(known), affected, len(pairs) - len(known))


def _unique(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(names))


def _pair(before: Contract, after: Contract, recording: Recording) -> _Pair:
    request = recording.exchange.request
    calls = []
    for contract in (before, after):
        found = contract.find(request.method, request.path)
        calls.append(RecordedCall(recording.name, recording.exchange, found) if isinstance(found, Found) else None)
    return _Pair(recording.name, *calls)


class _Rules:
    """Decides which differences affect a call; the differences of two operations are computed once."""

    def __init__(self, before: Contract, after: Contract) -> None:
        self._before, self._after = before, after
        self._requests = cache(self._find_requests)
        self._replies = cache(self._find_replies)
        self._clauses = [one for one in clause_differences(before, after) if _weakens(one)]

    def of(self, pair: _Pair) -> Iterator[tuple[ImpactEffect, Difference]]:
        """Yield the differences that affect a call."""
        old, new = pair.old, pair.new
        if old is None or new is None:
            yield _one_sided(old or new, new is None)
            return
        operation = (new.found.operation.id,)
        for effect, one in (*self._of_request(old, new), *self._of_reply(old, new)):
            yield effect, replace(one, operations=operation)
        for one in self._clauses:
            if self._touches(one, old, new):
                yield "review", one

    def _find_requests(self, old: Operation, new: Operation) -> list[Difference]:
        return [*request_differences(self._before, self._after, old, new)]

    def _find_replies(self, old: Operation, new: Operation, status: str, new_status: str) -> list[Difference]:
        return [*reply_differences(self._before, self._after, old, new, status, new_status)]

    def _of_request(self, old: RecordedCall, new: RecordedCall) -> Iterator[tuple[ImpactEffect, Difference]]:
        known = self._requests(old.found.operation, new.found.operation)
        was, now = check_request(old.call), check_request(new.call)
        if was and old.exchange.reply.status == old.found.operation.rejects_with:
            if not now:
                for broken in was:
                    way = old.way(broken, is_reply=False)
                    yield "changed", _described(broken, "request", way, "refused before, accepted now")
            return
        yield from (("refused", one) for one in self._broken("request", new, was, now, known))
        if not was and now:
            return
        for one in known:
            is_there = old.sent(one.what) or new.sent(one.what)
            if one.change == "default":
                acts = not is_there and new.sent(one.what.rpartition("/")[0] or one.what)
            else:
                acts = is_there and one.change.startswith(("added", "removed"))
            if acts:
                yield "changed", one
        if "authorization" not in new.exchange.request.headers:
            differ = security_differences(old.found.operation, new.found.operation)
            yield from (("refused", one) for one in differ if one.effect == "breaking")

    def _of_reply(self, old: RecordedCall, new: RecordedCall) -> Iterator[tuple[ImpactEffect, Difference]]:
        status, new_status = old.status, new.status
        if not status:
            return
        if not new_status:
            yield "changed", Difference("breaking", "reply", status, "removed")
            return
        known = self._replies(old.found.operation, new.found.operation, status, new_status)
        for one in known:
            if one.effect != "new" and old.got(one.what.partition(" ")[2]):
                yield "changed", one
        replies = [
            check_reply(call.found.operation, replace(old.exchange.reply, body=old.exchange.reply.content()))
            for call in (old, new)
        ]
        # A field that must be there now is one that this client does without; but an event with a name is another one.
        now = tuple(one for one in replies[1] if one.rule != "required" or one.where[2:] == ("event",))
        narrower = [replace(one, what=one.what.partition(" ")[2]) for one in known if one.effect == "new"]
        for one in self._broken("reply", new, replies[0], now, narrower):
            yield "changed", replace(one, what=f"{status} {one.what}")

    def _broken(
        self,
        part: str,
        call: RecordedCall,
        was: Iterable[Violation],
        now: Iterable[Violation],
        known: Iterable[Difference],
    ) -> Iterator[Difference]:
        """Yield what only the later contract forbids: as the difference of that field, if one was found."""
        before = {(one.where, one.rule) for one in was}
        differences = {(one.what, one.change.partition(",")[0]): one for one in known}
        for one in now:
            if (one.where, one.rule) not in before:
                way = call.way(one, part == "reply")
                names = _CHANGES.get(one.rule, (one.rule,))
                found = next((differences[way, name] for name in names if (way, name) in differences), None)
                found = found or _described(one, part, way, one.rule)
                clause = self._after.clause_for(one, call.found.operation)
                yield replace(found, clauses=(clause,)) if clause else found

    def _touches(self, one: Difference, old: RecordedCall, new: RecordedCall) -> bool:
        """Return whether a clause is about something that a call has sent or got."""
        contract, call = (self._before, old) if one.change == "removed" else (self._after, new)
        clause = contract.clause(one.what)
        operation = call.found.operation
        if operation.id not in clause.operations or clause.rules:
            return False  # the rules of a clause are checked with the values of the call
        holder = parse(clause.pointer).parent.parent
        for status, response in operation.responses.items():
            if _is_inside(holder, parse(response.pointer)):
                return status == call.status
        ways = [way for way, field in request_fields(operation).items() if holder in field.places]
        if any(call.sent(way) for way in ways):
            return True
        got = [way for way, field in reply_fields(operation, call.status).items() if holder in field.places]
        if any(call.got(way) for way in got):
            return True
        elsewhere = any(
            holder in field.places
            for status in operation.responses
            for field in reply_fields(operation, status).values()
        )
        return not ways and not elsewhere


#: What a client did with a value of a request and of a reply.
_VERBS: Mapping[str, str] = {"request": "sent", "reply": "got"}
#: The names that the differ gives to a broken keyword.
_CHANGES: Mapping[str, tuple[str, ...]] = {
    "enum": ("values",),
    "const": ("values",),
    "oneOf": ("values", "type"),
    "anyOf": ("values", "type"),
    "required": ("required", "added"),
}


def _weakens(one: Difference) -> bool:
    """Return whether a clause promises less than before, or something else."""
    return one.change in ("removed", "reworded", "regraded") and not (
        one.effect == "new" or (one.change == "regraded" and one.effect != "breaking")
    )


def _one_sided(call: RecordedCall | None, is_removed: bool) -> tuple[ImpactEffect, Difference]:
    """Return the impact on a call that only one contract has an operation for."""
    assert call is not None
    operation = call.found.operation
    what, change = f"{operation.method} {operation.path}", "removed" if is_removed else "added"
    difference = Difference("breaking" if is_removed else "new", "operation", what, change, operations=(operation.id,))
    return ("refused" if is_removed else "changed"), difference


def _described(one: Violation, part: str, way: str, change: str) -> Difference:
    """Return a difference that the differ has no name for, with what was sent or got, and what the schema expects."""
    text = f"{change}: expected {excerpt(one.expected, _SHOWN)}, {_VERBS[part]} {excerpt(one.got, _SHOWN)}"
    return Difference("breaking", part, way, text)


def _is_inside(place: Place, holder: Place) -> bool:
    return place.file == holder.file and place.tokens[: len(holder.tokens)] == holder.tokens
