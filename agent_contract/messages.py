"""The values that every part of the kit exchanges: frozen, comparable, free of I/O.

A delay is data: an adapter waits, the core never does.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from agent_contract.value_class import value_class

JSON: TypeAlias = "None | bool | int | float | str | list[JSON] | dict[str, JSON]"
Location: TypeAlias = tuple[str | int, ...]
Headers: TypeAlias = Mapping[str, str]

#: The headers of a body of JSON.
JSON_TYPE: Headers = {"content-type": "application/json"}

#: Whether a broken clause of this grade fails a run of the contract tests.
GRADES: Mapping[str, bool] = {
    "core": True,
    "published": True,
    "compatible": True,
    "standard": True,
    "field": False,
    "assumed": False,
}
#: The source of the clauses of a grade, and the effect of a failed one.
GRADE_MEANINGS: Mapping[str, str] = {
    "core": "on the endpoint's own published page; a failure fails the run; without a verdict the run exits with 2",
    "published": "on another page of the published API; a failure fails the run",
    "compatible": "follows from compatibility with OpenAI's API; a failure fails the run",
    "standard": "from HTTP, JSON, event streams or OpenAPI; a failure fails the run",
    "field": "not documented, but seen on real deployments; a failure is a warning",
    "assumed": "not documented; the mock needs a rule; a failure is a warning",
}


@value_class(frozen=True, slots=True)
class Request:
    """One HTTP request: `path` is decoded text, header names are lower-case, `query` keeps its order.

    `raw_path` is the path as it was sent if a slash in it is encoded, else empty.
    """

    method: str
    path: str
    query: tuple[tuple[str, str], ...] = ()
    headers: Headers = field(default_factory=dict)
    body: bytes = b""
    raw_path: str = ""


def with_encoded_slash(raw_path: bytes) -> str:
    """Return a path as it was sent, without its query, if a slash in it is encoded; else an empty string."""
    if b"%2" not in raw_path or b"%2f" not in raw_path.lower():
        return ""
    return raw_path.partition(b"?")[0].decode("latin-1")


@value_class(frozen=True, slots=True)
class Event:
    """One server-sent event, sent `delay` seconds after the one before it.

    Source: WHATWG HTML, section "Server-sent events".
    """

    data: bytes
    name: str = ""
    delay: float = 0.0

    def encode(self) -> bytes:
        """Return the bytes of the event as sent, with the closing blank line."""
        name = b"event: " + self.name.encode() + b"\n" if self.name else b""
        return name + b"data: " + self.data.replace(b"\n", b"\ndata: ") + b"\n\n"


@value_class(frozen=True, slots=True)
class Reply:
    """One HTTP reply: a body of bytes, or a stream of events; `delay` seconds before its first byte."""

    status: int
    headers: Headers
    body: bytes | tuple[Event, ...]
    delay: float = 0.0

    def content(self) -> bytes:
        """Return the whole body as bytes, a stream's events joined."""
        if isinstance(self.body, bytes):
            return self.body
        return b"".join(event.encode() for event in self.body)


@value_class(frozen=True, slots=True)
class Violation:
    """One way in which a request or a reply contradicts the document.

    `where` leads from the message's part to the value, as in `("body", "messages", 0, "role")`; `rule` is
    the schema keyword that was broken (or `json` for a body that is not JSON); `pointer` is the JSON pointer of
    that keyword in the document, as a URI fragment (RFC 6901, section 6).
    """

    where: Location
    rule: str
    expected: JSON
    got: JSON
    pointer: str

    @property
    def place(self) -> str:
        """`where` as a string: `body/messages/0/role`."""
        return "/".join(str(part) for part in self.where)


@dataclass(frozen=True, slots=True)
class Clause:
    """One sentence of the contract that is true or false of a server.

    `grade` is a key of `GRADES`; `since` the first API version that has it, `until` the last one, empty if it did not
    end; `operations` the ids of the operations that it applies to; `rules` the schema keywords next to it that it
    describes; `untestable` is the reason why no test can observe it, empty if one can.
    """

    id: str
    sentence: str
    grade: str
    since: str
    operations: tuple[str, ...]
    pointer: str
    rules: tuple[str, ...] = ()
    untestable: str = ""
    until: str = ""

    def is_in(self, version: str, versions: Sequence[str]) -> bool:
        """Return whether a version has the clause; `versions` are all of them, oldest first."""
        here = versions.index(version)
        return versions.index(self.since) <= here and (not self.until or here <= versions.index(self.until))

    @property
    def fails_a_run(self) -> bool:
        """Whether a deployment that breaks this clause breaks the contract."""
        return GRADES[self.grade]


@value_class(frozen=True, slots=True)
class Exchange:
    """A request and its reply, with the operation it reached and the clauses that it shows.

    `violations` are the faults of the request, if the reply refuses it. `hints` are sentences on a request
    that was accepted but probably does not do what its sender wants. `rule` names the rule of a scenario that answered,
    `faults` are the names of the faults of the reply.
    """

    request: Request
    reply: Reply
    operation: str = ""
    clauses: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()
    hints: tuple[str, ...] = ()
    rule: str = ""
    faults: tuple[str, ...] = ()
