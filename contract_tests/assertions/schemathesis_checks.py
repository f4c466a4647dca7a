"""The checks of schemathesis that are made, each on the replies that its clause speaks of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """A check by its name, the clause that it is about, and the statuses it looks at; none means all of them."""

    name: str
    clause: str
    statuses: tuple[int, ...] = ()


#: The bodies of other refusals are undocumented: judging them would cause false positives.
CHECKS = (
    Check("not_a_server_error", "chat.no-server-error"),
    Check("status_code_conformance", "chat.status-documented"),
    Check("content_type_conformance", "chat.reply-content-type", (200,)),
    Check("response_schema_conformance", "chat.reply-conforms", (200,)),
    Check("response_schema_conformance", "chat.validation-error", (422,)),
)
CLAUSES = frozenset(check.clause for check in CHECKS)
