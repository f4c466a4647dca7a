"""The engine: a request in, its reply out. It runs operations and knows nothing of what they do."""

from __future__ import annotations

import contextlib
import traceback
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import orjson

from agent_contract import Contract
from agent_contract.messages import JSON_TYPE, Exchange, Reply, Request
from agent_contract.redaction import Redaction
from mockserver.config import Config
from mockserver.control import HEALTH, PREFIX
from mockserver.control.pages import Page
from mockserver.core.context import Context, Fresh, Settings
from mockserver.core.ids import IdSource
from mockserver.core.limits import Limits
from mockserver.core.outcome import Outcome, Rejection, Reset
from mockserver.core.scopes import Scopes
from mockserver.core.transaction import Transaction
from mockserver.gateway import cors
from mockserver.gateway.gateway import Admitted, Answered, Gateway
from mockserver.recording.journal import Journal, Subject, read_journal, readable_entry
from mockserver.stores import Conflict, Store, StoreFull, StoreUnavailable, request_deadline

#: Bytes of a body that take long to read, and what is in the bodies of requests whose schemas are work: their keys, or
#: the escape that may spell them.
_LARGE = 64 * 1024
_LONG_WORK = (b'"parameters"', b'"json_schema"', b"\\u")
_NO_LENGTH = frozenset({204, 304})
_RESET_ALL = Outcome(Reply(204, {}, b""), reset=Reset.ALL)


class Player(Protocol):
    """What an adapter serves: an `Engine`, or a wrapper around one."""

    @property
    def limits(self) -> Limits:
        """What one request may cost; an adapter reads at most `limits.body` bytes of a body, and one more."""

    @property
    def blocking(self) -> bool:
        """Whether a reply may wait for a disk or a network."""

    def may_take_long(self, request: Request) -> bool:
        """Return whether a reply may wait or compute for long; an event loop then calls `reply` in a thread."""

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request; never raises."""

    def record(self, exchange: Exchange) -> None:
        """Note an exchange that an adapter answered itself; never raises."""


@dataclass(slots=True)
class Engine:
    """Serves a contract; `mockserver.build` makes one.

    The same contract, configuration, seed, clock and order of requests give the same bytes. `clock` returns seconds
    since 1970. `subject` returns what the journal records besides an exchange, from the time, the path's parameters and
    the keys that were read or written. `pages` are served besides the contract, by path.
    `listener` gets every exchange after its reply is made.
    """

    api: Gateway
    control: Gateway
    pages: Mapping[str, Page]
    config: Config
    settings: Settings
    store: Store
    ids: IdSource
    scopes: Scopes
    journal: Journal
    clock: Callable[[], float]
    subject: Callable[[float, Mapping[str, str], tuple[str, ...]], Subject]
    listener: Callable[[Exchange], None] | None = None

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
        """What hides the server's tokens in everything that is kept or shown."""
        return self.journal.redaction

    @property
    def blocking(self) -> bool:
        """Whether a reply may wait for the store."""
        return self.store.blocking

    def may_take_long(self, request: Request) -> bool:
        """Return whether a reply may wait for the store or compute for long; health never does."""
        if request.path == HEALTH:
            return False
        if request.path in self.pages:  # the first use builds it
            return True
        return self.store.blocking or len(request.body) > _LARGE or any(mark in request.body for mark in _LONG_WORK)

    def close(self) -> None:
        """Release what the store holds of the machine."""
        self.store.close()

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request, after the listener got both."""
        exchange = self.handle(request)
        if self.listener:
            self.listener(exchange)
        return exchange.reply

    def requests(self, scope: str = "") -> list[dict[str, Any]]:
        """Return the journal of a scope, newest first, each entry as `/__mock__/requests` shows it."""
        entries = read_journal(Transaction(self.store, scope))
        found: list[dict[str, Any]] = orjson.loads(orjson.dumps([readable_entry(*entry) for entry in entries]))
        return found

    def reset(self) -> None:
        """Delete everything in every scope: created and changed agents, sessions and journals."""
        Transaction(self.store).commit(_RESET_ALL)
        self.scopes.forget()

    def handle(self, request: Request) -> Exchange:
        """Return a request with its reply, and the clauses and violations of a refusal; record it; never raises."""
        try:
            with request_deadline():
                return self._handle(request)
        except Exception as error:
            exchange = Exchange(request, internal_error(error))
            self.record(exchange)
            return exchange

    def record(self, exchange: Exchange) -> None:
        """Write to the journal an exchange that no operation answered: a bad request, or a failure of the engine."""
        with contextlib.suppress(StoreUnavailable):
            self.journal.write("", exchange, Subject(self.clock()))

    def _handle(self, request: Request) -> Exchange:
        if request.path.startswith(PREFIX):
            return self._handle_control(request)
        page = self.pages.get(request.path)
        if page is not None:  # not recorded: it is not a request to what is served
            return _finished(page.exchange(request), cors.headers(request))
        admission = self.api.admit(request)
        touched: tuple[str, ...] = ()
        if isinstance(admission, Answered):
            exchange = admission.exchange
        else:
            exchange, touched = self._run(self.api, admission, self.ids.draw)
        if admission.scope is None:
            return exchange
        exchange = _finished(exchange, cors.headers(request))
        self._record(exchange, admission.scope, admission.path_parameters, touched)
        return exchange

    def _handle_control(self, request: Request) -> Exchange:
        """Return what the control interface answers; it is not recorded, and no page of another origin may read it."""
        admission = self.control.admit(request)
        if isinstance(admission, Answered):
            return _finished(admission.exchange, {})
        # It draws no ids: reading the state must not change what the API answers.
        exchange, _ = self._run(self.control, admission, lambda: Fresh(self.clock(), "", "", b""))
        return _finished(exchange, {})

    def _run(self, gateway: Gateway, admitted: Admitted, draw: Callable[[], Fresh]) -> tuple[Exchange, tuple[str, ...]]:
        """Run an operation until what it read is still current when it writes; return the keys that it touched too."""
        call = admitted.call
        operation = call.operation
        behaviour = gateway.behaviours.get(operation.id)
        if behaviour is None:
            return Exchange(call.request, gateway.documented(operation), operation.id), ()
        transaction = Transaction(self.store, admitted.scope)
        try:
            while True:
                transaction.begin()
                outcome = behaviour(Context(call, self.settings, draw(), transaction))
                with contextlib.suppress(Conflict):
                    self._commit(transaction, outcome)
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
        """Write what an outcome changes; the least recently used scopes are deleted if there is no room for it."""
        while True:
            try:
                return transaction.commit(outcome)
            except StoreFull:
                if not self.scopes.evict(transaction.scope):
                    raise

    def _record(
        self, exchange: Exchange, scope: str, path_parameters: Mapping[str, str], touched: tuple[str, ...]
    ) -> None:
        """Write an exchange to the journal of its scope."""
        if exchange.reply.status == 503:  # the store is unavailable: no request waits for it twice
            return
        subject = self.subject(self.clock(), path_parameters, touched)
        with contextlib.suppress(StoreUnavailable):
            self.scopes.touch(scope)
            self.journal.write(scope, exchange, subject)


def internal_error(error: Exception) -> Reply:
    """Return the reply to a request that the engine failed on, which names the place in the code."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "an unknown place"
    why = f"The mock failed, which is a fault of its own: {type(error).__name__} at {place}. Please report it."
    body = orjson.dumps({"detail": why})
    return Reply(500, {**JSON_TYPE, "content-length": str(len(body))}, body)


def _finished(exchange: Exchange, headers: Mapping[str, str]) -> Exchange:
    """Return the exchange with `headers` and the length in its reply, and without a body if HEAD asked for it."""
    reply = exchange.reply
    all_headers = {**reply.headers, **headers}
    body = reply.body
    if isinstance(body, bytes) and reply.status not in _NO_LENGTH:
        all_headers["content-length"] = str(len(body))
    sent = Reply(reply.status, all_headers, b"" if exchange.request.method == "HEAD" else body, reply.delay)
    return replace(exchange, reply=sent)
