"""The engine: turns a request into a reply. It runs operations and does not depend on what they do."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, NoReturn

import orjson

from agent_contract import Contract, Found, parse_call
from agent_contract.document.errors import ContractError
from agent_contract.messages import Exchange, Reply, Request
from agent_contract.redaction import Redaction
from agent_contract.value_class import value_class
from mockserver.config import Config
from mockserver.control import HEALTH, PREFIX, READY, SCOPED
from mockserver.control.pages import Page
from mockserver.core import keys
from mockserver.core.context import Context, FreshValues, Settings
from mockserver.core.ids import IdSource
from mockserver.core.limits import Limits
from mockserver.core.outcome import Outcome, Rejection, Reset
from mockserver.core.player import Effort
from mockserver.core.scopes import SCOPE_HEADER, Scopes
from mockserver.core.scripts import Scripts, StoredUses
from mockserver.core.transaction import Transaction
from mockserver.faults.fault import FAULT_HEADER
from mockserver.faults.stateful import Sent
from mockserver.gateway import cors
from mockserver.gateway.gateway import Admitted, EarlyReply, Gateway
from mockserver.gateway.special_replies import finished, internal_error, unavailable, wrong_fault
from mockserver.recording.journal import Journal, Subject, read_journal, readable_entry
from mockserver.recording.metrics import Metrics
from mockserver.recording.replay import Miss, Replay, answer_from
from mockserver.scenarios.script import ActiveScript
from mockserver.stores import Conflict, Entry, Store, StoreFull, StoreUnavailable, limited_wait

#: A request may compute for long if its body is larger than this, or contains one of these: keys of JSON Schemas, which
#: must be compiled, or of several answers; or an escape that can hide such a key. A turn reads only totals.
_LARGE = 64 * 1024
_SLOW_MARKS = (b'"parameters"', b'"json_schema"', b'"n"', b'"stop"', b"\\u")
_RESET_ALL = Outcome(Reply(204, {}, b""), reset=Reset.ALL)
_RESET_SCOPE = Outcome(Reply(204, {}, b""), reset=Reset.SCOPE)


@value_class(frozen=True, slots=True)
class _Prepared:
    """An exchange with what is yet to be stored: the writes of its operation, and its entry in the journal of `scope`.

    `subject` is None if the exchange is not recorded, `entry` also if the journal keeps nothing. `again` prepares it
    again, if another request has changed what it has read.
    """

    exchange: Exchange
    gateway: Gateway
    scope: str
    again: Callable[[], _Prepared]
    transaction: Transaction | None = None
    outcome: Outcome | None = None
    subject: Subject | None = None
    entry: Entry | None = None

    @property
    def needs_store(self) -> bool:
        """Whether there is something to store: what needs nothing does not wait for the store."""
        return self.subject is not None or (self.outcome is not None and self.outcome.changes)


@dataclass(slots=True)
class Engine:
    """Serves a contract. `mockserver.build` creates engines.

    The same contract, configuration, seed, clock and order of requests give the same bytes. `clock` returns seconds
    since 1970. `subject` returns the subject of a journal entry, from the time, the path's parameters and the keys that
    were read or written. `scripts` are the rules and faults. `pages` are served in addition to the contract, by path.
    `listener` is called with every exchange before its reply is returned. `control` returns the gateway of the control
    interface, which most mocks in tests never need. `replay` answers before anything is checked against the contract.
    `metrics` are what a server counts.
    """

    api: Gateway
    control: Callable[[], Gateway]
    pages: Mapping[str, Page]
    config: Config
    settings: Settings
    store: Store
    ids: IdSource
    scopes: Scopes
    scripts: Scripts
    journal: Journal
    clock: Callable[[], float]
    subject: Callable[[float, Mapping[str, str], tuple[str, ...]], Subject]
    listener: Callable[[Exchange], None] | None = None
    replay: Replay | None = None
    metrics: Metrics | None = None

    @property
    def contract(self) -> Contract:
        """The contract that is served."""
        return self.api.contract

    @property
    def limits(self) -> Limits:
        """What one request may cost; an adapter reads at most `limits.largest_body` bytes of a body, and one more."""
        return self.settings.limits

    @property
    def redaction(self) -> Redaction:
        """Removes the server's tokens from everything that is stored or shown."""
        return self.journal.redaction

    @property
    def blocking(self) -> bool:
        """Whether a reply may wait for the store."""
        return self.store.blocking

    def effort(self, request: Request) -> Effort:
        """Return what the reply to a request may take; health never waits, and readiness only for the store."""
        path, body = request.path, request.body
        if path == HEALTH:
            return Effort.LITTLE
        if path != READY and (len(body) > _LARGE or path.startswith(PREFIX) or path in self.pages):
            return Effort.HEAVY
        if any(mark in body for mark in _SLOW_MARKS):
            return Effort.COMPUTES
        if not self.store.blocking:
            return Effort.LITTLE
        return Effort.GROUPED if self.store.groups_writes and path != READY else Effort.WAITS

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request, after calling the listener."""
        exchange = self.handle(request)
        if self.listener:
            self.listener(exchange)
        return exchange.reply

    def replies(self, requests: Sequence[Request]) -> Sequence[Reply]:
        """Return the replies to several requests, in their order, after calling the listener for each."""
        exchanges = self.handle_all(requests)
        if self.listener:
            for exchange in exchanges:
                self.listener(exchange)
        return [exchange.reply for exchange in exchanges]

    def requests(self, scope: str = "") -> list[dict[str, Any]]:
        """Return the journal of a scope, newest first, each entry as `/__mock__/requests` shows it."""
        entries = read_journal(Transaction(self.store, scope))
        found: list[dict[str, Any]] = orjson.loads(orjson.dumps([readable_entry(*entry) for entry in entries]))
        return found

    def reset(self, scope: str | None = None) -> None:
        """Delete everything in a scope, or in every scope: changed agents, sessions, rules, faults and journals."""
        Transaction(self.store, scope or "").commit(_RESET_ALL if scope is None else _RESET_SCOPE)
        self.scopes.forget()

    def handle(self, request: Request) -> Exchange:
        """Return the exchange, with clauses and violations if the request is refused, and record it; never raises."""
        if not self.store.blocking:
            return self._handle(request)
        with limited_wait():
            return self._handle(request)

    def handle_all(self, requests: Sequence[Request]) -> list[Exchange]:
        """Return the exchanges of several requests, in their order; a store that groups writes stores them together."""
        if not self.store.groups_writes:
            return [self.handle(request) for request in requests]
        with limited_wait():
            prepared = [self._prepared(request) for request in requests]
            stored = self._stored_together([one for one in prepared if isinstance(one, _Prepared)])
            return [one if isinstance(one, Exchange) else next(stored) for one in prepared]

    def record(self, exchange: Exchange) -> None:
        """Write an exchange to the journal of the default scope: a malformed request, or an error of the engine."""
        with contextlib.suppress(StoreUnavailable):
            self.journal.write("", exchange, Subject(self.clock()))

    def record_in(self, exchange: Exchange, scope: str, path_parameters: Mapping[str, str]) -> None:
        """Write an exchange to the journal of a scope."""
        with contextlib.suppress(StoreUnavailable):
            self.scopes.touch(scope)
            self.journal.write(scope, exchange, self.subject(self._now(scope), path_parameters, ()))

    def _handle(self, request: Request) -> Exchange:
        try:
            return self._settled(self._prepare(request)).exchange
        except Exception as error:
            return self._failed(request, error)

    def _failed(self, request: Request, error: Exception) -> Exchange:
        """Return the exchange of a request with an unexpected error, and record it."""
        exchange = Exchange(request, internal_error(error))
        self.record(exchange)
        return exchange

    def _handle_prepared(self, prepared: _Prepared) -> Exchange:
        try:
            return self._settled(prepared).exchange
        except Exception as error:
            return self._failed(prepared.exchange.request, error)

    def _prepared(self, request: Request) -> _Prepared | Exchange:
        try:
            return self._prepare(request)
        except Exception as error:
            return self._failed(request, error)

    def _prepare(self, request: Request) -> _Prepared:
        """Return the exchange of a request, before it is stored."""
        if request.path.startswith(SCOPED):
            request = in_scope(request)
        page = self.pages.get(request.path)
        if page is not None:  # not recorded: it is not a request to what is served
            return self._unstored(finished(page.exchange(request), cors.headers(request)), self.api)
        if request.path.startswith(PREFIX):
            return self._prepare_control(request)
        if self.replay is None:
            return self._answer(request)
        found = self._replayed(self.replay, request)
        return found if isinstance(found, _Prepared) else self._answer(request, found)

    def _answer(self, request: Request, missed: Miss | None = None) -> _Prepared:
        """Return the exchange of a request to what is served; `missed` is why no recording answers."""
        admission = self.api.admit(request)
        if isinstance(admission, EarlyReply):
            if admission.scope is None:
                return self._unstored(admission.exchange, self.api)
            prepared = self._unstored(finished(admission.exchange, cors.headers(request)), self.api, admission.scope)
        elif self.scripts.is_empty and FAULT_HEADER not in request.headers:
            prepared = self._attempt(self.api, admission, self.ids.draw, cors.headers(request))
        else:
            prepared = self._attempt_scripted(admission)
        if self.api.rules is not None:
            tolerated = admission.warnings if isinstance(admission, Admitted) else ()
            prepared = replace(prepared, exchange=self.api.rules.repaired.noted(prepared.exchange, tolerated))
        if missed is not None:
            exchange = prepared.exchange
            prepared = replace(prepared, exchange=replace(exchange, hints=(*exchange.hints, missed.why)))
        return self._recorded(prepared, admission.path_parameters, partial(self._answer, request, missed))

    def _replayed(self, replay: Replay, request: Request) -> _Prepared | Miss | None:
        """Return the exchange with a recorded reply, or with the refusal of a strict replay.

        Returns the miss if the answer must be computed, None for a request that may not be answered at all.
        """
        scope = self.api.scope_of(request)
        if scope is None:
            return None
        found = self.contract.find(request.method, request.path)
        operation, parameters = (found.operation, found.parameters) if isinstance(found, Found) else (None, {})
        id = operation.id if operation else ""
        finish = partial(finished, headers=cors.headers(request))
        try:
            script = self.script_for(request, scope, parameters)
            body = parse_call(found, request).body if script and isinstance(found, Found) else None
            answer = answer_from(replay, request, id, self.replay_uses(scope), script, body, finish)
        except StoreUnavailable:
            return None  # what follows finds it unavailable too, and answers so
        except ContractError as error:
            answer = finish(self.api.refuse(request, operation, wrong_fault(request, error)))
        if isinstance(answer, Exchange):
            exchange = answer
        elif replay.strict:
            exchange = finish(self.api.refuse(request, operation, Rejection(404, "", answer.why)))
        else:
            return answer
        return self._recorded(self._unstored(exchange, self.api, scope), parameters)

    def script_for(self, request: Request, scope: str, parameters: Mapping[str, str]) -> ActiveScript | None:
        """Return the rules and faults for a request, None without any; raises `ContractError` for an invalid header."""
        return self.scripts.active(scope, request, parameters) if self.may_have_script(request) else None

    def may_have_script(self, request: Request) -> bool:
        """Return whether a scope has rules or faults, or the request has the header X-Mock-Fault."""
        return not self.scripts.is_empty or FAULT_HEADER in request.headers

    def replay_uses(self, scope: str) -> StoredUses:
        """Return the counter of how often each recording was replayed in a scope."""
        return StoredUses(self.store, keys.scope(scope) + keys.REPLAY_USES)

    def _prepare_control(self, request: Request) -> _Prepared:
        """Return an exchange of the control interface; it is not recorded, and pages of other origins can't read it."""
        gateway = self.control()
        admission = gateway.admit(request)
        if isinstance(admission, EarlyReply):
            return self._unstored(finished(admission.exchange, {}), gateway)
        # It draws no ids: reading the state must not change what the API answers.
        return self._attempt(gateway, admission, lambda: FreshValues(self.clock()), {})

    def _attempt_scripted(self, admitted: Admitted) -> _Prepared:
        """Return the exchange of an operation with the rules and the faults of its scope.

        With a script, what the operation writes is stored before its reply is changed.
        """
        call = admitted.call
        request, operation = call.request, call.operation
        headers = cors.headers(request)
        try:
            script = self.scripts.active(admitted.scope, request, admitted.path_parameters)
            if script is None:
                return self._attempt(self.api, admitted, self.ids.draw, headers)
            sent = Sent(operation.id, call.body, headers=request.headers, size=len(request.body))
            replaced = script.instead(sent)
            if replaced:
                name, reply = replaced
                exchange = Exchange(request, reply, operation.id, faults=(name,))
                stored = self._unstored(finished(exchange, headers), self.api, admitted.scope)
            else:
                body = script.body(sent)
                if body is not call.body:
                    admitted = replace(admitted, call=replace(call, body=body))
                draw = partial(self._draw_at, script)
                stored = self._settled(self._attempt(self.api, admitted, draw, headers, script))
            return replace(stored, exchange=script.on_the_wire(stored.exchange, sent), outcome=None)
        except ContractError as error:
            rejection = wrong_fault(request, error)
        except StoreUnavailable as error:
            rejection = unavailable(error)
        refused = finished(self.api.refuse(request, operation, rejection), headers)
        return self._unstored(refused, self.api, admitted.scope)

    def _draw_at(self, script: ActiveScript) -> FreshValues:
        """Return fresh values at the time of the scope."""
        return replace(self.ids.draw(), now=script.now())

    def _attempt(
        self,
        gateway: Gateway,
        admitted: Admitted,
        draw: Callable[[], FreshValues],
        headers: Mapping[str, str],
        script: ActiveScript | None = None,
    ) -> _Prepared:
        """Run an operation; `headers` are added to its reply."""
        call = admitted.call
        request, operation = call.request, call.operation
        expires = script is None or not script.script.has_clock
        transaction, outcome = Transaction(self.store, admitted.scope, expires), None
        try:
            outcome = gateway.behaviours[operation.id](Context(call, self.settings, draw(), transaction, script))
            exchange = Exchange(request, outcome.reply, operation.id, hints=outcome.hints)
        except Rejection as rejection:
            exchange = gateway.refuse(request, operation, rejection)
        except StoreUnavailable as error:
            exchange = gateway.refuse(request, operation, unavailable(error))
        again = partial(self._attempt, gateway, admitted, draw, headers, script)
        return _Prepared(finished(exchange, headers), gateway, admitted.scope, again, transaction, outcome)

    def _recorded(
        self, prepared: _Prepared, path_parameters: Mapping[str, str], again: Callable[[], _Prepared] | None = None
    ) -> _Prepared:
        """Return it with its entry in the journal, unless the store is unavailable: don't wait for it again."""
        exchange, scope = prepared.exchange, prepared.scope
        is_scripted = exchange.rule or exchange.faults
        if exchange.reply.status == 503 and not is_scripted:
            return prepared
        touched = prepared.transaction.touched if prepared.transaction is not None else ()
        if prepared.outcome is not None:
            touched = (*touched, *[write.key for write in prepared.outcome.writes if write.value is not None])
        try:
            subject = self.subject(self._now(scope), path_parameters, touched)
        except StoreUnavailable:
            return prepared
        entry = self.journal.entry(exchange, subject)
        return _Prepared(
            exchange,
            prepared.gateway,
            scope,
            again or prepared.again,
            prepared.transaction,
            prepared.outcome,
            subject,
            entry,
        )

    def _now(self, scope: str) -> float:
        """Return the time in a scope; raises `StoreUnavailable`."""
        return self.scripts.clock(scope).now() if self.scripts.has_clocks else self.clock()

    def _settled(self, prepared: _Prepared) -> _Prepared:
        """Store what was prepared, again after each conflict; return it, or the refusal of what can't be stored."""
        while prepared.needs_store:
            try:
                if self.store.groups_writes:
                    with self.store.together():
                        self._store(prepared)
                else:
                    self._store(prepared)
                break
            except Conflict:
                prepared = prepared.again()
            except StoreFull as error:
                if not self.scopes.evict(prepared.scope):
                    why = f"{error} Delete some, or reset."
                    rejection = Rejection(413, "body-too-large", why, ("body",), self.limits.store)
                    prepared = self._refused(prepared, rejection)
            except StoreUnavailable as error:
                if prepared.outcome is not None and prepared.outcome.changes:
                    return self._refused(prepared, unavailable(error))
                break  # only its entry is missing: the reply is sent all the same
        return prepared

    def _stored_together(self, several: Sequence[_Prepared]) -> Iterator[Exchange]:
        """Store all that was prepared at once, and what can't be stored so by itself; yield the exchanges in order."""
        try:
            with self.store.together():
                stored = [self._is_stored(one) for one in several]
        except Exception:  # nothing was written
            stored = [False] * len(several)
        for one, done in zip(several, stored, strict=True):
            yield one.exchange if done else self._handle_prepared(one)

    def _is_stored(self, prepared: _Prepared) -> bool:
        """Store what was prepared; return False if it must be stored by itself, because nothing of it was written."""
        try:
            self._store(prepared)
        except (Conflict, StoreFull):
            return False
        return True

    def _store(self, prepared: _Prepared) -> None:
        if prepared.outcome is not None and prepared.transaction is not None:
            prepared.transaction.commit(prepared.outcome)
            if prepared.outcome.reset:
                self.scopes.forget()
        if prepared.subject is not None:
            try:
                self.scopes.touch(prepared.scope)
                if prepared.entry is not None:
                    self.journal.add(prepared.scope, prepared.entry)
            except StoreUnavailable:
                return  # the reply is sent all the same

    def _refused(self, prepared: _Prepared, rejection: Rejection) -> _Prepared:
        """Return the refusal of what can't be stored."""
        exchange, gateway = prepared.exchange, prepared.gateway
        request, operation = exchange.request, gateway.contract.operations[exchange.operation]
        headers = cors.headers(request) if gateway is self.api else {}
        refused = finished(gateway.refuse(request, operation, rejection), headers)
        subject = prepared.subject if rejection.status != 503 else None
        entry = self.journal.entry(refused, subject) if subject else None
        return _Prepared(refused, gateway, prepared.scope, prepared.again, prepared.transaction, None, subject, entry)

    def _unstored(self, exchange: Exchange, gateway: Gateway, scope: str = "") -> _Prepared:
        """Return an exchange without writes, which nothing can conflict with."""
        return _Prepared(exchange, gateway, scope, _no_conflict)


def _no_conflict() -> NoReturn:
    raise AssertionError("an exchange without writes can't conflict")


def in_scope(request: Request) -> Request:
    """Return the request to the path after `/__mock__/scope/NAME`, with NAME as its scope."""
    name, slash, rest = request.path.removeprefix(SCOPED).partition("/")
    _, raw_slash, raw_rest = request.raw_path.removeprefix(SCOPED).partition("/")
    headers = {**request.headers, SCOPE_HEADER: name}
    return replace(request, path=slash + rest or "/", headers=headers, raw_path=raw_slash + raw_rest)
