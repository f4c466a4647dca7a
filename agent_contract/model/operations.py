"""The parts of a contract: operations, their parameters, bodies, replies and named examples. All frozen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import orjson

from agent_contract.document.document import Document
from agent_contract.document.json_pointer import Place
from agent_contract.messages import JSON
from agent_contract.model.parameters import Parameter
from agent_contract.model.schemas import Schemas, Validator


@dataclass(frozen=True, slots=True, eq=False)
class EventData:
    """JSON that the `data` of a server-sent event may hold: `validator` checks the data that `applies` accepts."""

    pointer: str
    applies: Validator
    schema: Place
    validator: Validator


@dataclass(frozen=True, slots=True, eq=False)
class MediaType:
    """One media type of a body; without a schema every body of it is valid.

    `examples` holds the documented values by name ("" for a single `example`), `events` what the `data` of an event
    stream holds.
    """

    name: str
    pointer: str
    schema: Place | None = None
    validator: Validator | None = None
    examples: Mapping[str, JSON] = field(default_factory=dict, repr=False)
    events: tuple[EventData, ...] = ()

    @property
    def schema_pointer(self) -> str:
        """The pointer of its schema, "" without one."""
        return str(self.schema) if self.schema else ""


@dataclass(frozen=True, slots=True, eq=False)
class RequestBody:
    """An operation's request body, by media type (lower-case)."""

    pointer: str
    required: bool
    content: Mapping[str, MediaType] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Link:
    """An operation that may follow a reply.

    `parameters` maps its parameters (`id`, or `path.id`) to strings, `request_body` is its body or None; a string
    may hold runtime expressions on the exchange of that reply, which `expressions.evaluate` follows.
    """

    name: str
    operation_id: str
    parameters: Mapping[str, str]
    request_body: JSON = None
    pointer: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Response:
    """A documented reply: `status` as written (`200`, `4XX`, `default`); no content means that none is documented."""

    status: str
    pointer: str
    description: str
    content: Mapping[str, MediaType] = field(repr=False)
    headers: tuple[Parameter, ...] = field(default=(), repr=False)
    links: tuple[Link, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class PlainBody:
    """A body, and its JSON; None for a body that is not JSON."""

    content: bytes
    value: JSON


@dataclass(frozen=True, slots=True)
class RepeatedBody:
    """A large body that repeats some bytes; it is made when it is needed."""

    before: bytes
    text: bytes
    times: int
    after: bytes

    @property
    def content(self) -> bytes:
        """What is sent."""
        return self.before + self.text * self.times + self.after

    @property
    def value(self) -> JSON:
        """The JSON of the body, None for a body that is not JSON."""
        return plain_body(self.content).value


@dataclass(frozen=True, slots=True)
class Example:
    """A named request with the answer that it must get.

    `sent` is its body; `path` fills the path's parameters;
    `headers` are sent unchanged, names in lower case; `after` names the example that is played before it, another
    operation's as `operationId.name`. `set` maps targets (a pointer into the body, `path.NAME`,
    `query.NAME` or `header.NAME`) to runtime expressions on that exchange (OpenAPI 3.1.1, section 4.8.20.4).
    `media_type` ("" for a reply without content) and `status` are the reply's; `shows` names the clauses that it shows;
    `declared` is true if the document has any of these settings.
    """

    name: str
    pointer: str
    summary: str
    sent: PlainBody | RepeatedBody
    status: int
    media_type: str
    method: str
    path: Mapping[str, str]
    query: tuple[tuple[str, str], ...]
    headers: Mapping[str, str]
    requires_token: bool
    after: str
    set: Mapping[str, str]
    shows: tuple[str, ...]
    declared: bool

    @property
    def body(self) -> bytes:
        """The body that is sent."""
        return self.sent.content

    @property
    def value(self) -> JSON:
        """The JSON of the body, None for a body that is not JSON."""
        return self.sent.value


@dataclass(frozen=True, slots=True, eq=False)
class Operation:
    """One operation: `path` is its template on the wire, what `servers` put before it included.

    `rejects_with` is the status that it documents for an invalid request: 422 if that is documented, else 400.
    `request_fields` holds the fields that its body's schema lists, empty if it lists none.
    `security` holds its requirements, each the names of the schemes that together let a request in; empty for none.
    """

    id: str
    method: str
    path: str
    template: str
    pointer: str
    summary: str
    parameters: tuple[Parameter, ...] = field(repr=False)
    request_body: RequestBody | None = field(repr=False)
    responses: Mapping[str, Response] = field(repr=False)
    examples: tuple[Example, ...] = field(repr=False)
    rejects_with: int
    request_fields: frozenset[str]
    security: tuple[tuple[str, ...], ...]
    schemas: Schemas = field(repr=False)

    @property
    def document(self) -> Document:
        """The document that describes it."""
        return self.schemas.document

    def response(self, status: int) -> Response | None:
        """Return what is documented for a status: itself, its range, the default, or nothing."""
        return documented(self.responses, status)

    def parameter(self, name: str) -> Parameter | None:
        """Return the parameter of a name, with or without its place, as in `path.id`; None if it is unknown."""
        for parameter in self.parameters:
            place, _, rest = name.partition(".")
            for wanted in (name, rest if place == parameter.place else name):
                if parameter.name == (wanted.lower() if parameter.place == "header" else wanted):
                    return parameter
        return None

    def example(self, name: str) -> Example:
        """Return the example of a name; KeyError for none."""
        for example in self.examples:
            if example.name == name:
                return example
        raise KeyError(name)


def plain_body(content: bytes) -> PlainBody:
    """Return these bytes with their JSON."""
    try:
        return PlainBody(content, orjson.loads(content))
    except ValueError:
        return PlainBody(content, None)


def documented(responses: Mapping[str, Response], status: int) -> Response | None:
    """Return what is documented for a status: itself, its range, the default, or nothing."""
    text = str(status)
    return responses.get(text) or responses.get(f"{text[0]}XX") or responses.get("default")
