"""The checks that requests to any document must pass, and the form of its refusals."""

from __future__ import annotations

from dataclasses import dataclass

from agent_contract import Contract, NotAllowed, Operation
from agent_contract.messages import Reply, Request, Violation
from agent_contract.validation.check import bare_type, is_json, match
from mockserver.core.outcome import Rejection
from mockserver.core.play_options import PlayOptions
from mockserver.documented.answers import DocumentedAnswers
from mockserver.documented.errors import documented_refusal
from mockserver.documented.repaired_parts import RepairedParts
from mockserver.documented.security import refused_credentials


@dataclass(frozen=True, slots=True)
class DocumentRules:
    """The rules for documents that have no behaviours."""

    contract: Contract
    answers: DocumentedAnswers
    options: PlayOptions
    repaired: RepairedParts

    def check(self, operation: Operation, request: Request, *, has_tokens: bool) -> Rejection | None:
        """Return why a request is refused, None if it is not: absent credentials, or an undocumented media type.

        With `has_tokens`, the token of the request was checked already.
        """
        if self.options.security and not has_tokens:
            rejection = refused_credentials(self.contract, operation, request)
            if rejection:
                return rejection
        return _refused_media_type(operation, request)

    def tolerate(self, violations: tuple[Violation, ...]) -> tuple[tuple[Violation, ...], tuple[str, ...]]:
        """Return the violations that refuse a request, and warnings about the others.

        A value that several branches of a `oneOf` accept is tolerated: most such branches were meant as `anyOf`.
        """
        kept = tuple(violation for violation in violations if violation.rule != "oneOf")
        warnings = (
            f"{violation.place} is valid under more than one branch of {violation.pointer}"
            for violation in violations
            if violation.rule == "oneOf"
        )
        return kept, tuple(warnings)

    def refusal(self, operation: Operation, reply: Reply, why: str) -> Reply:
        """Return a refusal in the form that the document gives it."""
        return documented_refusal(self.answers, operation, reply, why)


def allowed_methods(found: NotAllowed) -> list[str]:
    """Return the methods that a path takes: the documented ones, HEAD for each GET, and OPTIONS."""
    return sorted({*found.allow, "OPTIONS", *(["HEAD"] if "GET" in found.allow else [])})


def _refused_media_type(operation: Operation, request: Request) -> Rejection | None:
    """Return the rejection of a body whose media type is not documented. Source: RFC 9110, section 15.5.16."""
    described = operation.request_body
    sent = bare_type(request.headers.get("content-type", ""))
    if described is None or not described.content or not request.body or not sent:
        return None
    if match(described.content, sent) or (is_json(sent) and any(map(is_json, described.content))):
        return None
    known = ", ".join(described.content)
    why = f"The body can't be {sent[:100]}. Documented: {known}."
    return Rejection(415, "", why, ("header", "content-type"), [*described.content], sent, {"accept": known})
