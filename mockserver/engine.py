"""The engine: a request in, its reply out. It knows the contract, the order of the checks, and nothing of chats."""

from __future__ import annotations

import contextlib
import hmac
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from typing import Protocol
from urllib.parse import quote

import orjson

from agent_contract import (
    BodyProblem,
    Call,
    Contract,
    Found,
    NotAllowed,
    Operation,
    check_request,
    error_detail,
    understand,
)
from agent_contract.values import Exchange, Reply, Request, Violation
from mockserver import control, cors
from mockserver.agents import each
from mockserver.behaviour import Behaviour, Limits, Refused, Setting, View
from mockserver.behaviours import BEHAVIOURS
from mockserver.config import Config
from mockserver.knowledge import KnowledgeIndex, search_indexes
from mockserver.models import with_agents_own
from mockserver.pace import Pace
from mockserver.sampled import documented_reply
from mockserver.stores import Conflict, MemoryStore, Store, StoreUnavailable
from mockserver.turns import Turns

_NO_LENGTH = frozenset({204, 304})
#: The clause of a body that is not declared as JSON, by whether it is declared at all.
_CONTENT_TYPE = {True: "body-content-type", False: "body-content-type-absent"}


class Player(Protocol):
    """What an adapter plays: an `Engine`, or something around one."""

    @property
    def limits(self) -> Limits:
        """What one request may cost; no more than `limits.body` bytes of a body and one are read."""

    @property
    def blocking(self) -> bool:
        """Whether a reply may have to wait for a disk or a network; an event loop asks for it in a thread then."""

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request; never raises."""


#: Where the keys of a world begin in the store, by the header that names the world.
SCOPE = "x-mock-scope"
JSON_TYPE = {"content-type": "application/json"}


@dataclass(slots=True)
class Engine:
    """Plays a contract: the same contract, configuration, seed, clock and order of requests give the same bytes.

    `clock` returns seconds since 1970; `journal` is given every exchange after its reply is made.
    """

    contract: Contract
    config: Config = field(default_factory=Config)
    seed: int = 0
    pace: Pace = field(default_factory=Pace)
    clock: Callable[[], float] = time.time
    store: Store | None = None
    journal: Callable[[Exchange], None] | None = None
    behaviours: Mapping[str, Behaviour] = field(default_factory=lambda: BEHAVIOURS)
    _setting: Setting = field(init=False)
    _store: Store = field(init=False)
    _turns: Turns = field(init=False)
    _clauses: Mapping[tuple[str, str], str] = field(init=False)
    _documented: dict[str, Reply] = field(init=False, default_factory=dict)
    _tokens: tuple[bytes, ...] = field(init=False)
    _places: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        agents, models = self.config.agents, with_agents_own(self.config.models, each(self.config.agents))
        own = [KnowledgeIndex(agent.id, agent.name, agent.documents) for agent in each(agents) if agent.documents]
        indexes = search_indexes([*self.config.indexes, *own])
        self._setting = Setting(agents, self.config.limits, self.pace, str(self.seed).encode(), models, indexes)
        self._store = self.store or MemoryStore(self.limits.sessions, self.limits.store, self.clock)
        self._turns = Turns(self.seed, self.clock, self._store)
        self._places = tuple(dict.fromkeys(operation.path for operation in self.contract.operations.values()))
        self._tokens = tuple(token.encode() for token in self.config.tokens)
        self._clauses = {
            (operation, clause.id.partition(".")[2]): clause.id
            for clause in self.contract.clauses
            for operation in clause.operations
        }

    @property
    def limits(self) -> Limits:
        """What one request may cost; an adapter reads no more than `limits.body` bytes and one."""
        return self.config.limits

    @property
    def blocking(self) -> bool:
        """Whether a reply may have to wait for the store."""
        return self._store.blocking

    def close(self) -> None:
        """Give back what the store holds of the machine."""
        self._store.close()

    def reply(self, request: Request) -> Reply:
        """Return the reply to a request, and tell the journal of both."""
        exchange = self.play(request)
        if self.journal:
            self.journal(exchange)
        return exchange.reply

    def play(self, request: Request) -> Exchange:
        """Return a request with its reply, the clauses that a refusal rests on, and what was wrong."""
        own = control.reply(self.contract, request)
        if own:
            return Exchange(request, _finished(request, own))
        found = self.contract.find(request.method, request.path)
        if isinstance(found, NotAllowed) and cors.is_preflight(request):
            return Exchange(request, cors.preflight(request, found.allow))
        exchange = self._answer(request, found)
        return replace(exchange, reply=_finished(request, exchange.reply))

    def _answer(self, request: Request, found: Found | NotAllowed | None) -> Exchange:
        refused = self._unknown_place(request, found) or self._unauthorized(request) or self._too_large(request)
        if not isinstance(found, Found):
            assert refused is not None
            return self._refuse(request, self._neighbour(request, found), refused)
        if refused:
            return self._refuse(request, found.operation, refused)
        call = understand(found, request)
        if call.problem:
            return self._unreadable(call, call.problem)
        violations = check_request(call)
        if violations:
            return self._invalid(call, violations)
        try:
            outcome = self._behave(call)
        except StoreUnavailable as error:
            headers = {"retry-after": str(error.retry_after)}
            outcome = Refused(503, "", str(error), headers=headers)
        if isinstance(outcome, Refused):
            return self._refuse(request, found.operation, outcome)
        return Exchange(request, outcome, found.operation.id)

    def _behave(self, call: Call) -> Reply | Refused:
        """Run the operation's behaviour, again whenever somebody else wrote meanwhile what it had read."""
        behaviour = self.behaviours.get(call.operation.id)
        if behaviour is None:
            return self._from_document(call.operation)
        while True:
            view = View(self._store, world_of(call.request))
            outcome = behaviour(call, self._setting, self._turns.draw(), view)
            if isinstance(outcome, Refused):
                return outcome
            with contextlib.suppress(Conflict):
                view.commit(outcome)
                return outcome.reply

    def _from_document(self, operation: Operation) -> Reply:
        made = self._documented.get(operation.id)
        if made is None:
            made = self._documented[operation.id] = documented_reply(self.contract, operation, self.seed)
        return made

    def _unauthorized(self, request: Request) -> Refused | None:
        if not self._tokens:
            return None
        headers = {"www-authenticate": "Bearer"}
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            why = "This server asks for a token: send it as `Authorization: Bearer <token>`."
            return Refused(401, "token-missing", why, ("header", "authorization"), headers=headers)
        given = token.strip().encode()
        if any(hmac.compare_digest(given, known) for known in self._tokens):
            return None
        why = "The token is none of those that this server knows."
        return Refused(401, "token-wrong", why, ("header", "authorization"), headers=headers)

    def _too_large(self, request: Request) -> Refused | None:
        if len(request.body) <= self.limits.body:
            return None
        why = f"The body has more than the {self.limits.body} bytes that this server takes."
        return Refused(413, "body-too-large", why, ("body",), self.limits.body)

    def _neighbour(self, request: Request, found: NotAllowed | None) -> Operation | None:
        """Return an operation on the same path, whose clauses speak of a method that is not there."""
        other = self.contract.find(found.allow[0], request.path) if found else None
        return other.operation if isinstance(other, Found) else None

    def _refuse(self, request: Request, operation: Operation | None, refused: Refused) -> Exchange:
        name = operation.id if operation else ""
        clause = self._clauses.get((name, refused.clause), "")
        pointer = self.contract.clause(clause).pointer if clause else ""
        violation = Violation(refused.where, refused.clause, refused.expected, refused.got, pointer)
        body = orjson.dumps({"detail": refused.why})
        reply = Reply(refused.status, {**JSON_TYPE, **refused.headers}, body)
        return Exchange(request, reply, name, (clause,) if clause else (), (violation,))

    def _invalid(self, call: Call, violations: tuple[Violation, ...]) -> Exchange:
        operation = call.operation
        body = orjson.dumps({"detail": error_detail(operation, violations)})
        named = [self.contract.clause_for(violation, operation) for violation in violations]
        if violations[0].where == ("body",) and call.request.body and not call.reads_json:
            named = [self._clauses.get((operation.id, _CONTENT_TYPE["content-type" in call.request.headers]), "")]
        clauses = tuple(dict.fromkeys(clause for clause in named if clause))
        return Exchange(call.request, Reply(operation.rejects_with, JSON_TYPE, body), operation.id, clauses, violations)

    def _unreadable(self, call: Call, problem: BodyProblem) -> Exchange:
        described = call.operation.request_body
        pointer = described.pointer if described else call.operation.pointer
        violation = Violation(("body",), problem.rule, None, None, pointer)
        clause = self.contract.clause_for(violation, call.operation)
        reply = Reply(problem.status, JSON_TYPE, orjson.dumps({"detail": problem.detail}))
        return Exchange(call.request, reply, call.operation.id, (clause,) if clause else (), (violation,))

    def _unknown_place(self, request: Request, found: Found | NotAllowed | None) -> Refused | None:
        if found is None:
            nearest = get_close_matches(request.path[:1000], self._places, 1, 0)
            why = " ".join(["There is nothing at this path.", *(f"The nearest is {path}" for path in nearest)])
            return Refused(404, "", why, ("path",), None, request.path)
        if isinstance(found, NotAllowed):
            allow = ", ".join(found.allow)
            why = f"This path has no method {request.method[:20]}, but {allow}."
            return Refused(405, "method-refused", why, ("method",), allow, request.method, {"allow": allow})
        return None


def world_of(request: Request) -> str:
    """Return where the keys of the world begin that a request is sent to."""
    return f"world/{quote(request.headers.get(SCOPE, ''), safe='')}/"


def _finished(request: Request, reply: Reply) -> Reply:
    """Return the reply with the headers that every reply has; without its body where HEAD asked for it."""
    headers = {**reply.headers, **cors.headers(request)}
    body = reply.body
    if isinstance(body, bytes) and reply.status not in _NO_LENGTH:
        headers["content-length"] = str(len(body))
    return Reply(reply.status, headers, b"" if request.method == "HEAD" else body, reply.delay)
