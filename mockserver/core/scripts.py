"""Rules, faults and clocks of scopes, in the store.

Rules are compiled when they are set, or when another process has set them.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypeVar

import orjson

from agent_contract.document.checked_file import Source
from agent_contract.document.errors import ContractError
from agent_contract.messages import Request
from mockserver.core import keys
from mockserver.core.clock import ScopeClock
from mockserver.core.outcome import Rejection
from mockserver.core.scopes import Scopes
from mockserver.faults.catalogue import AnsweredBy
from mockserver.faults.fault import FAULT_HEADER, Fault, fault_of_header, misplaced, read_fault
from mockserver.scenarios.matching import CompiledRule
from mockserver.scenarios.read import ContractCheck, Scenario, read_scenario
from mockserver.scenarios.script import ActiveScript, Script, SetFault
from mockserver.stores import Conflict, Store, Versioned

#: Maximum number of rules and of faults in a scope, and of bytes of all of them.
MOST_RULES = 1000
MOST_FAULTS = 100
MOST_BYTES = 1024 * 1024
_COMPILED = 64  # scopes whose script stays compiled
_Result = TypeVar("_Result")
_EMPTY: Mapping[str, Any] = {"next": 1, "strict": None, "rules": [], "faults": [], "has_clock": False}


class Scripts:
    """The script of each scope: what the scope has set, then what the server was started with.

    A store in this process can only have what this object has written, so without any there is nothing to look up.
    `answered_by` is what answers requests. Raises `ContractError` if a rule or a fault of `base` does not work in it.
    `addresses` returns what an agent of a path is called. `is_empty` means that no scope has a script.
    """

    def __init__(
        self,
        store: Store,
        scopes: Scopes,
        clock: Callable[[], float],
        seed: int,
        check: ContractCheck,
        base: Scenario,
        addresses: Callable[[Mapping[str, str]], tuple[str, ...]],
        reads_header: bool = True,
        answered_by: Collection[AnsweredBy] = (AnsweredBy.MOCK,),
    ) -> None:
        self.reads_header = reads_header
        self.answered_by = answered_by
        self.check, self.addresses, self.seed = check, addresses, seed
        self._store, self._scopes, self._clock = store, scopes, clock
        # A scope numbers its own rules from 1, too.
        rules = tuple(replace(rule, id=f"started-{rule.id}") for rule in base.rules)
        self.base = replace(base, rules=rules)
        check_scenario(base, answered_by, Source("--fault or scenario"))
        self._base = Script(rules, _set_faults(base.faults, "started", clock()), bool(base.strict))
        self.is_empty = not (base.rules or base.faults or base.strict or store.blocking)
        #: Whether any scope may have a clock that a test controls.
        self.has_clocks = False
        self._compiled: OrderedDict[tuple[str, int], Script] = OrderedDict()
        self._lock = threading.Lock()

    def active(self, scope: str, request: Request, path_parameters: Mapping[str, str]) -> ActiveScript | None:
        """Return the script for a request; None if nothing is set. Raises `ContractError` for an invalid header."""
        header = request.headers.get(FAULT_HEADER) if self.reads_header else None
        if self.is_empty and header is None:
            return None
        script = self._base if self.is_empty else self.script(scope)
        faults = (fault_of_header(header),) if header is not None else ()
        _check_faults(faults, self.answered_by, Source("X-Mock-Fault"))
        if not (faults or script.rules or script.faults or script.strict or script.has_clock):
            return None
        seed = str(self.seed).encode()
        counter = StoredUses(self._store, keys.scope(scope) + keys.SCRIPT_USES)
        clock = self.clock(scope) if script.has_clock else None
        self.has_clocks = self.has_clocks or script.has_clock
        return ActiveScript(
            script,
            counter,
            clock.now if clock else self._clock,
            seed,
            self.addresses(path_parameters),
            faults,
            clock.waits() if clock else None,
        )

    def clock(self, scope: str) -> ScopeClock:
        """Return the clock of a scope, to be read."""
        return ScopeClock(self._store, keys.scope(scope) + keys.CLOCK, self._clock)

    def control_clock(self, scope: str) -> ScopeClock:
        """Return the clock of a scope, to be changed; from now on requests in the scope follow it."""
        while True:
            stored, version = self._stored(scope)
            if stored["has_clock"] or self._write(scope, {**stored, "has_clock": True}, version):
                self.has_clocks = True
                return self.clock(scope)

    def add(self, scope: str, value: Mapping[str, Any], source: Source, *, first_of_all: bool = False) -> list[str]:
        """Add rules and faults to a scope and return their ids; `strict` replaces the setting.

        With `first_of_all`, they come before those of the scope.

        Raises `ContractError` if one of them is invalid, and `Rejection` if there are too many.
        """
        while True:
            stored, version = self._stored(scope)
            first, now = stored["next"], self._now(scope, stored)
            found = read_scenario(value, source, self.check, first)
            check_scenario(found, self.answered_by, source)
            rules = [[rule.id, one] for rule, one in zip(found.rules, value.get("rules", ()), strict=True)]
            faults = [
                [one.id, one.fault.as_json(), one.expires]
                for one in _set_faults(found.faults, "fault", now, first + len(rules))
            ]
            changed = {
                **stored,
                "next": first + len(rules) + len(faults),
                "strict": stored["strict"] if found.strict is None else found.strict,
                "rules": [*rules, *stored["rules"]] if first_of_all else [*stored["rules"], *rules],
                "faults": [*faults, *stored["faults"]] if first_of_all else [*stored["faults"], *faults],
            }
            if self._write(scope, changed, version):
                return [one[0] for one in (*rules, *faults)]

    def remove(self, scope: str, kind: str) -> None:
        """Remove the `rules` or the `faults` of a scope, not those that the server was started with."""
        while True:
            stored, version = self._stored(scope)
            changed = {**stored, kind: [], **({"strict": None} if kind == "rules" else {})}
            if version is None or self._write(scope, changed, version):
                return

    def remove_one(self, scope: str, kind: str, id: str) -> bool:
        """Remove one of the `rules` or `faults` of a scope; return False if it has none with this id."""
        while True:
            stored, version = self._stored(scope)
            left = [one for one in stored[kind] if one[0] != id]
            if len(left) == len(stored[kind]):
                return False
            if self._write(scope, {**stored, kind: left}, version):
                return True

    def shown(self, scope: str) -> dict[str, Any]:
        """Return the rules and faults of a scope with the number of their uses, its own first."""
        stored, _ = self._stored(scope)
        uses = StoredUses(self._store, keys.scope(scope) + keys.SCRIPT_USES).counts()
        now = self._now(scope, stored)
        rules = [*stored["rules"], *([rule.id, rule.rule.given] for rule in self.base.rules)]
        faults = [
            *([id, fault, expires] for id, fault, expires in stored["faults"] if expires is None or now < expires),
            *([one.id, one.fault.as_json(), one.expires] for one in self._base.faults),
        ]
        return {
            "strict": bool(self.base.strict if stored["strict"] is None else stored["strict"]),
            "rules": [{"id": id, "uses": uses.get(id, 0), "rule": rule} for id, rule in rules],
            "faults": [
                {"id": id, "uses": uses.get(id, 0), "expires": expires, "fault": fault} for id, fault, expires in faults
            ],
        }

    def _stored(self, scope: str) -> tuple[Mapping[str, Any], int | None]:
        found = self._store.get(keys.scope(scope) + keys.SCRIPT)
        return ({**_EMPTY, **orjson.loads(found.value)}, found.version) if found else (_EMPTY, None)

    def _now(self, scope: str, stored: Mapping[str, Any]) -> float:
        return self.clock(scope).now() if stored["has_clock"] else self._clock()

    def _write(self, scope: str, changed: Mapping[str, Any], version: int | None) -> bool:
        """Write the script of a scope; return False if it was changed meanwhile."""
        for kind, most in (("rules", MOST_RULES), ("faults", MOST_FAULTS)):
            if len(changed[kind]) > most:
                why = f"A scope can have {most} {kind}. Remove some with DELETE /__mock__/{kind}."
                raise Rejection(413, "", why, ("body",), most, len(changed[kind]))
        value = orjson.dumps(changed)
        if len(value) > MOST_BYTES:
            why = f"The rules and faults of a scope can have {MOST_BYTES} bytes. Remove some."
            raise Rejection(413, "", why, ("body",), MOST_BYTES, len(value))
        self.is_empty = False
        self._scopes.touch(scope)
        try:
            self._store.put(keys.scope(scope) + keys.SCRIPT, value, version, pinned=True)
        except Conflict:
            return False
        return True

    def script(self, scope: str) -> Script:
        """Return the compiled script of a scope."""
        found = self._store.get(keys.scope(scope) + keys.SCRIPT)
        if found is None:
            return self._base
        key = scope, found.version
        with self._lock:
            script = self._compiled.get(key)
            if script is None:
                script = self._compiled[key] = self._compile(orjson.loads(found.value))
                if len(self._compiled) > _COMPILED:
                    self._compiled.popitem(last=False)
        return script

    def _compile(self, stored: Mapping[str, Any]) -> Script:
        rules: list[CompiledRule] = []
        for id, given in stored["rules"]:
            scenario = read_scenario({"rules": [given]}, Source("store"), lambda _: [], int(id.rpartition("-")[2]))
            rules += scenario.rules
        faults = [SetFault(id, read_fault(given, Source("store")), expires) for id, given, expires in stored["faults"]]
        strict = self._base.strict if stored["strict"] is None else stored["strict"]
        return Script(
            (*rules, *self._base.rules), (*faults, *self._base.faults), strict, stored.get("has_clock", False)
        )


def check_scenario(scenario: Scenario, answered_by: Collection[AnsweredBy], source: Source) -> None:
    """Raise `ContractError` if a rule or a fault of a scenario does not work in what answers requests."""
    _check_faults(scenario.faults, answered_by, source)
    if AnsweredBy.PROXY not in answered_by:
        return
    why = "a proxy computes no answers"
    remedy = "let the answer have only raw, fault, delay or delays"
    problems = [
        source.problem(("rules",), f"{rule.rule.name} has an answer that must be computed: {why}", remedy)
        for rule in scenario.rules
        if any(answer.is_computed for answer in rule.rule.answers)
    ]
    if scenario.strict:
        problems.append(source.problem(("strict",), f"strict is set, but {why}", "use --record-mode none"))
    if problems:
        raise ContractError(problems)


def _check_faults(faults: Iterable[Fault], answered_by: Iterable[AnsweredBy], source: Source) -> None:
    problems = [
        problem
        for index, fault in enumerate(faults)
        for answerer in answered_by
        for problem in misplaced(fault, answerer, source, ("faults", index))
    ]
    if problems:
        raise ContractError(problems)


def _set_faults(faults: Iterable[Fault], prefix: str, now: float, first: int = 1) -> tuple[SetFault, ...]:
    return tuple(
        SetFault(f"{prefix}-{first + index}", fault, None if fault.ttl is None else now + fault.ttl)
        for index, fault in enumerate(faults)
    )


@dataclass(frozen=True, slots=True)
class StoredUses:
    """Counts uses, and keeps states, under one key of the store."""

    store: Store
    key: str

    def counts(self) -> dict[str, int]:
        """Return the uses by id."""
        found = self.store.get(self.key)
        counts: dict[str, int] = orjson.loads(found.value) if found else {}
        return counts

    def take(self, id: str, most: int | None) -> int | None:
        """Count a use and return its number, from 0; None, without counting, if there were `most` already."""
        while True:
            found = self.store.get(self.key)
            counts = orjson.loads(found.value) if found else {}
            number = counts.get(id, 0)
            if most is not None and number >= most:
                return None
            counts[id] = number + 1
            if self._write(counts, found):
                return int(number)

    def update(self, id: str, change: Callable[[Any], tuple[Any, _Result]]) -> _Result:
        """Replace the state with this id, None at first, by the first result of `change`, and return the second."""
        while True:
            found = self.store.get(self.key)
            states = orjson.loads(found.value) if found else {}
            states[id], result = change(states.get(id))
            if self._write(states, found):
                return result

    def _write(self, value: Mapping[str, Any], found: Versioned | None) -> bool:
        """Write everything; return False if it was changed meanwhile."""
        try:
            self.store.put(self.key, orjson.dumps(value), found.version if found else None, pinned=True)
        except Conflict:
            return False
        return True
