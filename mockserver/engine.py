"""The engine: turns a request into a reply. It runs operations and does not depend on what they do."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import Enum
from functools import partial
from pathlib import Path
from typing import Any, Protocol

import orjson

from agent_contract import Contract, Found, parse_call
from agent_contract.document.errors import ContractError
from agent_contract.messages import JSON_TYPE, Exchange, Reply, Request
from agent_contract.redaction import Redaction
from mockserver.config import Config
from mockserver.control import HEALTH, PREFIX, READY, SCOPED
from mockserver.control.pages import Page
from mockserver.core import keys
from mockserver.core.context import Context, FreshValues, Settings
from mockserver.core.ids import IdSource
from mockserver.core.limits import Limits
from mockserver.core.live_reply import LiveReply
from mockserver.core.outcome import Outcome, Rejection, Reset
from mockserver.core.scopes import SCOPE_HEADER, Scopes
from mockserver.core.scripts import Scripts, StoredUses
from mockserver.core.transaction import Transaction
from mockserver.faults.fault import FAULT_HEADER
from mockserver.faults.stateful import Sent
from mockserver.gateway import cors
from mockserver.gateway.gateway import Admitted, EarlyReply, Gateway
from mockserver.recording.journal import Journal, Subject, read_journal, readable_entry
from mockserver.recording.metrics import Metrics
from mockserver.recording.replay import Miss, Replay, answer_from
from mockserver.scenarios.script import ActiveScript
from mockserver.stores import Conflict, Store, StoreFull, StoreUnavailable, limited_wait

#: A request may compute for long if its body is larger than this, or contains one of these: keys of JSON Schemas, which
#: must be compiled, or of several answers; or an escape that can hide such a key. A turn reads only totals.
_LARGE = 64 * 1024
_SLOW_MARKS = (b'"parameters"', b'"json_schema"', b'"n"', b'"stop"', b"\\u")
_NO_LENGTH = frozenset({204, 304})
_RESET_ALL = Outcome(Reply(204, {}, b""), reset=Reset.ALL)
_RESET_SCOPE = Outcome(Reply(204, {}, b""), reset=Reset.SCOPE)


class Effort(Enum):
    """What a reply takes, as far as the request shows before it is parsed."""

    #: Less than a millisecond: an event loop can call `reply` itself.
    LITTLE = "little"
    #: It may wait for the store: an event loop must call `reply` in a thread.
    WAITS = "waits"
    #: It may compute for some time, although its body is small: in a thread, one of these at a time.
    COMPUTES = "computes"
    #: It computes for some time, because its body or its answer may be large: in a thread, one of these at a time.
    HEAVY = "heavy"


class Player(Protocol):
    """What an adapter serves: an `Engine`, or a wrapper around one."""

    @property
    def limits(self) -> Limits:
        """What one request may cost; an adapter reads at most `limits.body` bytes of a body, and one more."""

    @property
    def blocking(self) -> bool:
        """Whether a reply may wait for a disk or the network."""

    def effort(self, request: Request) -> Effort:
        """Return what the reply to a request may take."""

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request; never raises."""

    def record(self, exchange: Exchange) -> None:
        """Record an exchange that the adapter answered itself; never raises."""


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
        """What one request may cost; an adapter reads at most `limits.body` bytes of a body, and one more."""
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
        return Effort.WAITS if self.store.blocking else Effort.LITTLE

    def close(self) -> None:
        """Close the store."""
        self.store.close()

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request, after calling the listener."""
        exchange = self.handle(request)
        if self.listener:
            self.listener(exchange)
        return exchange.reply

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
        try:
            if not self.store.blocking:
                return self._handle(request)
            with limited_wait():
                return self._handle(request)
        except Exception as error:
            exchange = Exchange(request, internal_error(error))
            self.record(exchange)
            return exchange

    def record(self, exchange: Exchange) -> None:
        """Write an exchange to the journal of the default scope: a malformed request, or an error of the engine."""
        with contextlib.suppress(StoreUnavailable):
            self.journal.write("", exchange, Subject(self.clock()))

    def _handle(self, request: Request) -> Exchange:
        if request.path.startswith(SCOPED):
            request = in_scope(request)
        page = self.pages.get(request.path)
        if page is not None:  # not recorded: it is not a request to what is served
            return _finished(page.exchange(request), cors.headers(request))
        if request.path.startswith(PREFIX):
            return self._handle_control(request)
        if self.replay is None:
            return self._answer(request)
        found = self._replayed(self.replay, request)
        return found if isinstance(found, Exchange) else self._answer(request, found)

    def _answer(self, request: Request, missed: Miss | None = None) -> Exchange:
        """Return the exchange of a request to what is served, and record it; `missed` is why no recording answers."""
        admission = self.api.admit(request)
        touched: tuple[str, ...] = ()
        if isinstance(admission, EarlyReply):
            if admission.scope is None:
                return admission.exchange
            exchange = _finished(admission.exchange, cors.headers(request))
        elif self.scripts.is_empty and FAULT_HEADER not in request.headers:
            exchange, touched = self._run(self.api, admission, self.ids.draw)
            exchange = _finished(exchange, cors.headers(request))
        else:
            exchange, touched = self._run_scripted(admission)
        if self.api.rules is not None:
            tolerated = admission.warnings if isinstance(admission, Admitted) else ()
            exchange = self.api.rules.repaired.noted(exchange, tolerated)
        if missed is not None:
            exchange = replace(exchange, hints=(*exchange.hints, missed.why))
        self.record_in(exchange, admission.scope or "", admission.path_parameters, touched)
        return exchange

    def _replayed(self, replay: Replay, request: Request) -> Exchange | Miss | None:
        """Return the exchange with a recorded reply, or with the refusal of a strict replay, and record it.

        Returns the miss if the answer must be computed, None for a request that may not be answered at all.
        """
        scope = self.api.scope_of(request)
        if scope is None:
            return None
        found = self.contract.find(request.method, request.path)
        operation, parameters = (found.operation, found.parameters) if isinstance(found, Found) else (None, {})
        id = operation.id if operation else ""
        finish = partial(_finished, headers=cors.headers(request))
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
        self.record_in(exchange, scope, parameters)
        return exchange

    def script_for(self, request: Request, scope: str, parameters: Mapping[str, str]) -> ActiveScript | None:
        """Return the rules and faults for a request, None without any; raises `ContractError` for an invalid header."""
        return self.scripts.active(scope, request, parameters) if self.may_have_script(request) else None

    def may_have_script(self, request: Request) -> bool:
        """Return whether a scope has rules or faults, or the request has the header X-Mock-Fault."""
        return not self.scripts.is_empty or FAULT_HEADER in request.headers

    def replay_uses(self, scope: str) -> StoredUses:
        """Return the counter of how often each recording was replayed in a scope."""
        return StoredUses(self.store, keys.scope(scope) + keys.REPLAY_USES)

    def _handle_control(self, request: Request) -> Exchange:
        """Return an exchange of the control interface; it is not recorded, and pages of other origins can't read it."""
        gateway = self.control()
        admission = gateway.admit(request)
        if isinstance(admission, EarlyReply):
            return _finished(admission.exchange, {})
        # It draws no ids: reading the state must not change what the API answers.
        exchange, _ = self._run(gateway, admission, lambda: FreshValues(self.clock()))
        is_live = isinstance(exchange.reply, LiveReply) and request.method != "HEAD"
        return exchange if is_live else _finished(exchange, {})

    def _run_scripted(self, admitted: Admitted) -> tuple[Exchange, tuple[str, ...]]:
        """Run an operation with the rules and the faults of its scope."""
        touched: tuple[str, ...] = ()
        call = admitted.call
        request, operation = call.request, call.operation
        headers = cors.headers(request)
        try:
            script = self.scripts.active(admitted.scope, request, admitted.path_parameters)
            sent = Sent(operation.id, call.body, headers=request.headers, size=len(request.body))
            replaced = script and script.instead(sent)
            if replaced:
                name, reply = replaced
                exchange = Exchange(request, reply, operation.id, faults=(name,))
            else:
                draw = self.ids.draw if script is None else partial(self._draw_at, script)
                body = script.body(sent) if script else call.body
                if body is not call.body:
                    admitted = replace(admitted, call=replace(call, body=body))
                exchange, touched = self._run(self.api, admitted, draw, script)
            exchange = _finished(exchange, headers)
            return script.on_the_wire(exchange, sent) if script else exchange, touched
        except ContractError as error:
            rejection = wrong_fault(request, error)
        except StoreUnavailable as error:
            rejection = Rejection(503, "", str(error), headers={"retry-after": str(error.retry_after)})
        return _finished(self.api.refuse(request, operation, rejection), headers), touched

    def _draw_at(self, script: ActiveScript) -> FreshValues:
        """Return fresh values at the time of the scope."""
        return replace(self.ids.draw(), now=script.now())

    def _run(
        self, gateway: Gateway, admitted: Admitted, draw: Callable[[], FreshValues], script: ActiveScript | None = None
    ) -> tuple[Exchange, tuple[str, ...]]:
        """Run an operation, again after each conflict of its writes; return the exchange and the touched keys."""
        call = admitted.call
        operation = call.operation
        behaviour = gateway.behaviours[operation.id]
        transaction = Transaction(self.store, admitted.scope, expires=script is None or not script.script.has_clock)
        try:
            while True:
                transaction.begin()
                outcome = behaviour(Context(call, self.settings, draw(), transaction, script))
                try:
                    self._commit(transaction, outcome)
                except Conflict:
                    continue
                if outcome.reset:
                    self.scopes.forget()
                exchange = Exchange(call.request, outcome.reply, operation.id, hints=outcome.hints)
                return exchange, transaction.touched
        except Rejection as rejection:
            refused = rejection
        except StoreFull as error:
            refused = Rejection(413, "body-too-large", f"{error} Delete some, or reset.", ("body",), self.limits.store)
        except StoreUnavailable as error:
            refused = Rejection(503, "", str(error), headers={"retry-after": str(error.retry_after)})
        return gateway.refuse(call.request, operation, refused), transaction.touched

    def _commit(self, transaction: Transaction, outcome: Outcome) -> None:
        """Commit an outcome; delete the least recently used scopes if the store is full."""
        while True:
            try:
                return transaction.commit(outcome)
            except StoreFull:
                if not self.scopes.evict(transaction.scope):
                    raise

    def record_in(
        self, exchange: Exchange, scope: str, path_parameters: Mapping[str, str], touched: tuple[str, ...] = ()
    ) -> None:
        """Write an exchange to the journal of a scope."""
        is_scripted = exchange.rule or exchange.faults
        if exchange.reply.status == 503 and not is_scripted:  # the store is unavailable: don't wait for it again
            return
        try:
            now = self.scripts.clock(scope).now() if self.scripts.has_clocks else self.clock()
            self.scopes.touch(scope)
            self.journal.write(scope, exchange, self.subject(now, path_parameters, touched))
        except StoreUnavailable:
            return  # the reply is sent all the same


def in_scope(request: Request) -> Request:
    """Return the request to the path after `/__mock__/scope/NAME`, with NAME as its scope."""
    name, slash, rest = request.path.removeprefix(SCOPED).partition("/")
    _, raw_slash, raw_rest = request.raw_path.removeprefix(SCOPED).partition("/")
    headers = {**request.headers, SCOPE_HEADER: name}
    return replace(request, path=slash + rest or "/", headers=headers, raw_path=raw_slash + raw_rest)


def wrong_fault(request: Request, error: ContractError) -> Rejection:
    """Return the rejection of a request whose header X-Mock-Fault is invalid."""
    return Rejection(400, "", str(error), ("header", FAULT_HEADER), None, request.headers[FAULT_HEADER])


def internal_error(error: Exception) -> Reply:
    """Return the 500 reply for an unexpected error; it names the line of code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown line"
    why = f"Internal error of the mock: {type(error).__name__} at {place}. Please report it."
    body = orjson.dumps({"detail": why})
    return Reply(500, {**JSON_TYPE, "content-length": str(len(body))}, body)


def _finished(exchange: Exchange, headers: Mapping[str, str]) -> Exchange:
    """Return the exchange with `headers` and the length in its reply, and without a body if the method is HEAD."""
    reply = exchange.reply
    all_headers = {**reply.headers, **headers}
    body = reply.body
    if isinstance(body, bytes) and reply.status not in _NO_LENGTH:
        all_headers["content-length"] = str(len(body))
    sent = Reply(reply.status, all_headers, b"" if exchange.request.method == "HEAD" else body, reply.delay)
    return Exchange(
        exchange.request,
        sent,
        exchange.operation,
        exchange.clauses,
        exchange.violations,
        exchange.hints,
        exchange.rule,
        exchange.faults,
    )
