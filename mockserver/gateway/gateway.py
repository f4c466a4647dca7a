"""The gateway: the checks that a request must pass before its operation runs."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, TypeAlias

import orjson

from agent_contract import (
    Call,
    Contract,
    Found,
    NotAllowed,
    Operation,
    check_request,
    error_detail,
    exceeds_symbols,
    parse_call,
)
from agent_contract.messages import JSON, JSON_TYPE, Exchange, Reply, Request, Violation
from agent_contract.validation.check import bare_type
from agent_contract.value_class import value_class
from mockserver.core.context import Behaviour
from mockserver.core.limits import SYMBOLS
from mockserver.core.outcome import Rejection
from mockserver.core.scopes import SCOPE_HEADER, is_scope_name
from mockserver.core.tenants import Tenant, bearer_of, tenant_of
from mockserver.documented.rules import DocumentRules, allowed_methods
from mockserver.gateway import cors

_MAX_VALUE = 200  # characters of an invalid value in a 422
_FORM = "multipart/form-data"
#: The clause about a body that is not sent as JSON, by whether the request has a content type.
_CONTENT_TYPE_CLAUSES = {True: "body-content-type", False: "body-content-type-absent"}


@value_class(frozen=True, slots=True)
class Admitted:
    """A request that passed every check: its call, its scope, and what was tolerated."""

    call: Call
    scope: str
    path_parameters: Mapping[str, str]
    warnings: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class EarlyReply:
    """A request that is answered without its operation; the journal of `scope` records it, or none if it is None."""

    exchange: Exchange
    scope: str | None
    path_parameters: Mapping[str, str]


@dataclass(slots=True)
class Admission:
    """The results of the checks that a request has passed so far."""

    request: Request
    found: Found | NotAllowed | None = None
    scope: str | None = ""
    call: Call | None = None
    warnings: tuple[str, ...] = ()

    @property
    def operation(self) -> Operation | None:
        """The operation that the request reaches, if any."""
        return self.found.operation if isinstance(self.found, Found) else None

    @property
    def path_parameters(self) -> Mapping[str, str]:
        """The path's parameters as they were sent."""
        return self.found.parameters if isinstance(self.found, Found) else {}


@dataclass(slots=True)
class Gateway:
    """Serves a contract: a request must carry one of `tokens`, if there are any.

    Operations in `open` need no token. A body may have `max_body` bytes, a form with a file `max_form`.
    `foreign` returns why a request of another origin is refused; without it, pages of every origin may read replies.
    With `answers_head`, HEAD is allowed for every GET. With `error_codes`, items of a 422 have `error_code` and
    `value`. With the `error_format` `openai`, a refusal also has OpenAI's `error`. `required` names fields that the
    body of an operation must have besides those that its schema requires. `rules` are those of documents that have no
    behaviours. `tenants` have tokens too, each for scopes of its own.
    """

    contract: Contract
    behaviours: Mapping[str, Behaviour]
    tokens: Iterable[str] = ()
    open: frozenset[str] = frozenset()
    max_body: int = 0
    max_form: int = 0
    foreign: Callable[[Request], str | None] | None = None
    answers_head: bool = False
    error_codes: bool = False
    error_format: str = "fastapi"
    required: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rules: DocumentRules | None = None
    tenants: tuple[Tenant, ...] = ()
    _tokens: tuple[bytes, ...] = field(init=False)
    _clauses: Mapping[tuple[str, str], str] = field(init=False)
    _paths: tuple[str, ...] = field(init=False)
    _checks: tuple[Check, ...] = field(init=False)
    _is_lenient: bool = field(init=False)

    def __post_init__(self) -> None:
        unneeded: Mapping[Check, bool] = {
            Gateway.check_origin: self.foreign is None,
            Gateway.authenticate: not (self.tokens or self.tenants),
            Gateway.check_rules: self.rules is None,
        }
        self._is_lenient = self.rules is not None and not self.rules.options.strict_parameters
        self._checks = tuple(check for check in CHECKS if not unneeded.get(check))
        self._tokens = tuple(token.encode() for token in (*self.tokens, *(one.token for one in self.tenants)))
        self._paths = _harmless_paths(self.contract.operations.values())
        self._clauses = {
            (operation, clause.id.partition(".")[2]): clause.id
            for clause in self.contract.clauses
            for operation in clause.operations
        }

    def admit(self, request: Request) -> Admitted | EarlyReply:
        """Return the call that a request makes, or the reply of the first check that it does not pass."""
        admission = Admission(request)
        for check in self._checks:
            exchange = check(self, admission)
            if exchange is not None:
                return EarlyReply(exchange, admission.scope, admission.path_parameters)
        assert admission.call is not None
        assert admission.scope is not None
        return Admitted(admission.call, admission.scope, admission.path_parameters, admission.warnings)

    def scope_of(self, request: Request) -> str | None:
        """Return the scope of a request; None if its token, the name of its scope or its size is refused."""
        admission = Admission(request)
        if any(check(self, admission) for check in (Gateway.authenticate, Gateway.select_scope, Gateway.limit_body)):
            return None
        return admission.scope

    def refuse(self, request: Request, operation: Operation | None, rejection: Rejection) -> Exchange:
        """Return the exchange of a rejected request, with the clause of the rejection."""
        name = operation.id if operation else ""
        clause = self._clauses.get((name, rejection.clause), "")
        pointer = self.contract.clause(clause).pointer if clause else ""
        violation = Violation(rejection.location, rejection.clause, rejection.expected, rejection.got, pointer)
        detail: Any = rejection.why
        if rejection.status == 422:  # the form of a violation of the schema
            detail = [{"loc": list(rejection.location), "msg": rejection.why, "type": "value_error"}]
        reply = self._refusal(rejection.status, detail, rejection.headers, clause)
        reply = self._shaped(operation, reply, rejection.why)
        return Exchange(request, reply, name, (clause,) if clause else (), (violation,))

    def route(self, admission: Admission) -> Exchange | None:
        """Find the operation; refuse an unknown path with 404 and a wrong method with 405."""
        request = admission.request
        method = "GET" if self.answers_head and request.method == "HEAD" else request.method
        contract = self.contract
        found = contract.find_for(method, request) if self.rules else contract.find(method, request.path)
        admission.found = found
        if isinstance(found, Found):
            return None
        if found and self.rules and request.method == "HEAD" and "HEAD" in found.allow:
            admission.found = self.contract.find_for("HEAD", request)
            return None
        if found and self.foreign is None and cors.is_preflight(request):
            admission.scope = None
            return Exchange(request, cors.preflight(request, found.allow))
        if found and self.rules and request.method == "OPTIONS":
            admission.scope = None
            return Exchange(request, Reply(204, {"allow": ", ".join(allowed_methods(found))}, b""))
        # The journal of a scope also records unknown paths, but only if the caller may use the scope.
        if self.authenticate(admission) is None:
            self.select_scope(admission)
        if found is None:
            return self.refuse(
                request, None, Rejection(404, "", self._unknown_path(request.path), ("path",), None, request.path)
            )
        allow = ", ".join(allowed_methods(found) if self.rules else found.allow)
        why = f"{request.method[:20]} is not allowed here. Allowed: {allow}."
        rejection = Rejection(405, "method-refused", why, ("method",), allow, request.method, {"allow": allow})
        return self.refuse(request, self._neighbour(request, found), rejection)

    def check_rules(self, admission: Admission) -> Exchange | None:
        """Refuse what the rules for documents without behaviours refuse."""
        operation = admission.operation
        if self.rules is None or operation is None:
            return None
        rejection = self.rules.check(operation, admission.request, has_tokens=bool(self._tokens))
        return self.refuse(admission.request, operation, rejection) if rejection else None

    def check_origin(self, admission: Admission) -> Exchange | None:
        """Refuse requests from pages of other origins with 403, except to open operations."""
        operation = admission.operation
        if self.foreign is None or (operation and operation.id in self.open):
            return None
        why = self.foreign(admission.request)
        return self.refuse(admission.request, operation, Rejection(403, "", why, ("header",))) if why else None

    def authenticate(self, admission: Admission) -> Exchange | None:
        """Refuse a missing or unknown token with 401."""
        operation = admission.operation
        if not self._tokens or (operation and operation.id in self.open):
            return None
        request = admission.request
        given = bearer_of(request)
        if not given:
            why, clause = "Token required: send it as `Authorization: Bearer <token>`.", "token-missing"
        elif any(hmac.compare_digest(given, known) for known in self._tokens):
            return None
        else:
            why, clause = "Invalid token.", "token-wrong"
        headers = {"www-authenticate": "Bearer"}
        return self.refuse(
            request, operation, Rejection(401, clause, why, ("header", "authorization"), headers=headers)
        )

    def select_scope(self, admission: Admission) -> Exchange | None:
        """Set the scope that the request names; refuse an invalid name with 400, another tenant's scope with 403.

        A tenant that names none uses the scope with its own name.
        """
        name = admission.request.headers.get(SCOPE_HEADER)
        tenant = tenant_of(self.tenants, admission.request) if self.tenants else None
        if tenant is not None:
            admission.scope = tenant.scopes
        if name is None:
            return None
        if is_scope_name(name):
            if tenant is None or tenant.covers(name):
                admission.scope = name
                return None
            why = f"This token is for the scope {tenant.scopes} and those that begin with {tenant.scopes}-."
            rejection = Rejection(403, "", why, ("header", SCOPE_HEADER), tenant.scopes, name)
            return self.refuse(admission.request, admission.operation, rejection)
        why = "X-Mock-Scope must be 1 to 100 printable ASCII characters, without a space at the start or the end."
        why = f"{why} Leave it out for the default scope."
        rejection = Rejection(400, "", why, ("header", SCOPE_HEADER), None, name[:200])
        return self.refuse(admission.request, admission.operation, rejection)

    def limit_body(self, admission: Admission) -> Exchange | None:
        """Refuse a body that is too large with 413, one of too many small values with 400."""
        body, is_form = admission.request.body, _takes_file(admission)
        most = max(self.max_body, self.max_form) if is_form else self.max_body
        if len(body) > most:
            why = f"The body has more than the {most} bytes that this server accepts."
            rejection = Rejection(413, "body-too-large", why, ("body",), most)
        elif not is_form and exceeds_symbols(body, SYMBOLS):
            why = f"The body has more than the {SYMBOLS} strings, commas and opening brackets that this server accepts."
            rejection = Rejection(400, "", why, ("body",), SYMBOLS)
        else:
            return None
        return self.refuse(admission.request, admission.operation, rejection)

    def read_body(self, admission: Admission) -> Exchange | None:
        """Parse parameters and body; refuse a body that can't be read."""
        assert isinstance(admission.found, Found)
        call = admission.call = parse_call(admission.found, admission.request, lenient=self._is_lenient)
        if call.problem is None:
            return None
        operation = call.operation
        described = operation.request_body
        pointer = described.pointer if described else operation.pointer
        violation = Violation(("body",), call.problem.rule, None, None, pointer)
        clause = self.contract.clause_for(violation, operation)
        reply = self._refusal(call.problem.status, call.problem.detail, clause=clause)
        reply = self._shaped(operation, reply, call.problem.detail)
        return Exchange(call.request, reply, operation.id, (clause,) if clause else (), (violation,))

    def validate(self, admission: Admission) -> Exchange | None:
        """Refuse a request that violates the operation's schemas, with 422."""
        call = admission.call
        assert call is not None
        violations = check_request(call)
        if self.required:
            violations = (*violations, *self._missing(call))
        if violations and self.rules:
            violations, admission.warnings = self.rules.tolerate(violations)
        if not violations:
            return None
        operation = call.operation
        named = [self.contract.clause_for(violation, operation) for violation in violations]
        if violations[0].where == ("body",) and call.request.body and not call.reads_json:
            named = [
                self._clauses.get((operation.id, _CONTENT_TYPE_CLAUSES["content-type" in call.request.headers]), "")
            ]
        clauses = tuple(dict.fromkeys(clause for clause in named if clause))
        detail = error_detail(operation, violations)
        if self.error_codes:
            detail = [_with_code(item, violation) for item, violation in zip(detail, violations, strict=True)]
        reply = self._refusal(operation.rejects_with, detail, clause=clauses[0] if clauses else "")
        reply = self._shaped(operation, reply, _sentence(detail)) if self.rules else reply
        return Exchange(call.request, reply, operation.id, clauses, violations)

    def _refusal(self, status: int, detail: Any, headers: Mapping[str, str] | None = None, clause: str = "") -> Reply:
        """Return the reply of a refusal in the format of the gateway."""
        body = {"detail": detail}
        if self.error_format == "openai":
            kind = "invalid_request_error" if status < 500 else "server_error"
            body["error"] = {"message": _sentence(detail), "type": kind, "code": clause or None, "param": None}
        return Reply(status, {**JSON_TYPE, **(headers or {})}, orjson.dumps(body))

    def _shaped(self, operation: Operation | None, reply: Reply, why: str) -> Reply:
        """Return a refusal with the body that the document describes."""
        return self.rules.refusal(operation, reply, why) if self.rules and operation else reply

    def _missing(self, call: Call) -> Iterator[Violation]:
        """Yield a violation for each field of `required` that the body lacks."""
        described, body = call.operation.request_body, call.body
        names = self.required.get(call.operation.id, ())
        if described and isinstance(body, dict):
            for name in names:
                if body.get(name) is None:
                    yield Violation(("body", name), "required", [*names], None, described.pointer)

    def _unknown_path(self, path: str) -> str:
        """Return the message for a path without an operation."""
        unserved = self.contract.document.get("x-unserved", ())
        if any(path == prefix or path.startswith(f"{prefix}/") for prefix in unserved):
            return "This path is part of the published API, but this mock does not serve it."
        nearest = get_close_matches(path[:1000], self._paths, 1, 0)
        return " ".join(["No such path.", *(f"Did you mean {near}?" for near in nearest)])

    def _neighbour(self, request: Request, found: NotAllowed) -> Operation | None:
        """Return an operation on the same path; its clauses cover methods that are not allowed."""
        other = self.contract.find(found.allow[0], request.path)
        return other.operation if isinstance(other, Found) else None


#: Returns None if the request passes, otherwise the exchange that refuses it.
Check: TypeAlias = Callable[[Gateway, Admission], Exchange | None]
#: They run in this order; the first one that refuses the request decides.
CHECKS: tuple[Check, ...] = (
    Gateway.route,
    Gateway.check_origin,
    Gateway.authenticate,
    Gateway.select_scope,
    Gateway.limit_body,
    Gateway.check_rules,
    Gateway.read_body,
    Gateway.validate,
)


def _takes_file(admission: Admission) -> bool:
    """Return whether a request is a form that can have a file; its operation may be unknown yet."""
    operation = admission.operation
    if operation and not (operation.request_body and _FORM in operation.request_body.content):
        return False
    return bare_type(admission.request.headers.get("content-type", "")) == _FORM


def _harmless_paths(operations: Iterable[Operation]) -> tuple[str, ...]:
    """Return the paths that a 404 may suggest: without those that delete something.

    A method that deletes is DELETE, or one that changes something although it takes no body, such as a reset.
    """
    deleting = {
        one.path
        for one in operations
        if one.method == "DELETE" or (one.request_body is None and one.method not in ("GET", "HEAD", "OPTIONS"))
    }
    return tuple(path for path in dict.fromkeys(one.path for one in operations) if path not in deleting)


def _with_code(item: JSON, violation: Violation) -> JSON:
    """Return an item of a 422 with its code and the invalid value; null for an object or an array."""
    got = violation.got
    value = None if isinstance(got, (dict, list)) else got[:_MAX_VALUE] if isinstance(got, str) else got
    return {**item, "error_code": "VALIDATION_ERROR", "value": value}  # type: ignore[dict-item]  # items are objects


def _sentence(detail: Any) -> str:
    """Return the detail of a refusal as one sentence."""
    if not isinstance(detail, list):
        return str(detail)
    return "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in detail)
