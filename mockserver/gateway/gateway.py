"""A document as it is served: which requests its operations take, and in what order the others are refused."""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

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
from agent_contract.messages import Exchange, Reply, Request, Violation
from mockserver.core.behaviour import Behaviour, Refused
from mockserver.core.scopes import misnamed
from mockserver.gateway.example_response import documented_reply

JSON_TYPE = {"content-type": "application/json"}
#: The clause of a body that is not declared as JSON, by whether it is declared at all.
_CONTENT_TYPE = {True: "body-content-type", False: "body-content-type-absent"}


@dataclass(slots=True)
class Service:
    """Serves a contract: whoever sends one of `tokens` is let in, everybody where there is none.

    The operations in `open` ask nobody. `most` is how many bytes a body may have, `seed` decides documented replies.
    """

    contract: Contract
    behaviours: Mapping[str, Behaviour]
    tokens: Iterable[str] = ()
    open: frozenset[str] = frozenset()
    most: int = 0
    seed: int = 0
    _tokens: tuple[bytes, ...] = field(init=False)
    _clauses: Mapping[tuple[str, str], str] = field(init=False)
    _documented: dict[str, Reply] = field(init=False, default_factory=dict)
    _places: tuple[str, ...] = field(init=False)

    def __post_init__(self) -> None:
        self._tokens = tuple(token.encode() for token in self.tokens)
        self._places = tuple(dict.fromkeys(operation.path for operation in self.contract.operations.values()))
        self._clauses = {
            (operation, clause.id.partition(".")[2]): clause.id
            for clause in self.contract.clauses
            for operation in clause.operations
        }

    def check(self, request: Request, found: Found | NotAllowed | None, stranger: Refused | None) -> Call | Exchange:
        """Return the call that a request makes, or what it is refused with; `stranger` is what `unauthorized` said."""
        refused = self._unknown_place(request, found) or stranger or misnamed(request) or self._too_large(request)
        if not isinstance(found, Found):
            assert refused is not None
            return self.refuse(request, self._neighbour(request, found), refused)
        if refused:
            return self.refuse(request, found.operation, refused)
        call = understand(found, request)
        if call.problem:
            return self._unreadable(call, call.problem)
        violations = check_request(call)
        return self._invalid(call, violations) if violations else call

    def unauthorized(self, request: Request, found: Found | NotAllowed | None) -> Refused | None:
        """Return why whoever sends a request is not let in."""
        if not self._tokens or (isinstance(found, Found) and found.operation.id in self.open):
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

    def refuse(self, request: Request, operation: Operation | None, refused: Refused) -> Exchange:
        """Return a refusal, with the clause that it rests on."""
        name = operation.id if operation else ""
        clause = self._clauses.get((name, refused.clause), "")
        pointer = self.contract.clause(clause).pointer if clause else ""
        violation = Violation(refused.where, refused.clause, refused.expected, refused.got, pointer)
        body = orjson.dumps({"detail": refused.why})
        reply = Reply(refused.status, {**JSON_TYPE, **refused.headers}, body)
        return Exchange(request, reply, name, (clause,) if clause else (), (violation,))

    def documented(self, operation: Operation) -> Reply:
        """Return the reply that the document shows of an operation."""
        made = self._documented.get(operation.id)
        if made is None:
            made = self._documented[operation.id] = documented_reply(self.contract, operation, self.seed)
        return made

    def _too_large(self, request: Request) -> Refused | None:
        if len(request.body) <= self.most:
            return None
        why = f"The body has more than the {self.most} bytes that this server takes."
        return Refused(413, "body-too-large", why, ("body",), self.most)

    def _neighbour(self, request: Request, found: NotAllowed | None) -> Operation | None:
        """Return an operation on the same path, whose clauses speak of a method that is not there."""
        other = self.contract.find(found.allow[0], request.path) if found else None
        return other.operation if isinstance(other, Found) else None

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
