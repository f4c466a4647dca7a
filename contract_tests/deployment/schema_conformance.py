"""Checks replies against the document: status, media type, headers and body by openapi-core, chunks by their schema.

openapi-core takes a third of a second to import. It is imported for the first reply that is checked: many runs end
before that, or check no reply by its schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import TYPE_CHECKING, Any

from agent_contract.printable import shorten

if TYPE_CHECKING:
    from openapi_core import OpenAPI
    from openapi_core.datatypes import RequestParameters

    from contract_tests.wire.exchange import Exchange

#: The most differences that are collected for one reply: a reply of 4 MiB can have hundreds of thousands.
MOST_FAULTS = 20
#: Characters of a fault's message: it quotes the value.
_MESSAGE = 300
_HOST = "http://deployment"


@dataclass(frozen=True)
class Conformity:
    """Checks the replies of one operation, which `path` and `method` name in the document."""

    document: Mapping[str, Any]
    path: str
    method: str
    first: Conformity | None = None  #: the one of another operation, which compiles the document for all of them

    def of(self, path: str, method: str) -> Conformity:
        """Return the checks of another operation of the same document, which is compiled once."""
        return Conformity(self.document, path, method, self.first or self)

    def faults(self, exchange: Exchange) -> tuple[str, ...]:
        """Return how the reply differs from the document: status, media type, headers, body.

        openapi-core reads the beginning of a body that was cut off, and takes NaN for a number: neither is JSON.
        """
        if exchange.failure:
            return (f"the answer is not complete: {exchange.failure}",)
        if exchange.media_type == "application/json" and not exchange.is_json:
            return ("the answer is not JSON",)
        from openapi_core.datatypes import RequestParameters

        request = _Request(self.path, self.method.lower(), RequestParameters())
        response = _Response(exchange.status, dict(exchange.headers), exchange.header("content-type"), exchange.body)
        try:
            errors = self._openapi.iter_response_errors(request, response)
            # An error builds its message on access, and decodes the body again for it.
            return tuple(islice((message for error in errors for message in _messages(error)), MOST_FAULTS))
        except (ValueError, RecursionError) as error:  # not UTF-8, or nested deeper than the libraries go
            return (f"the body can't be read: {type(error).__name__}",)

    @property
    def statuses(self) -> frozenset[int]:
        """The statuses that the document lists."""
        responses = self._operation["responses"]
        return frozenset(int(status) for status in responses if status.isdecimal())

    def chunk_faults(self, chunk: Mapping[str, Any]) -> tuple[str, ...]:
        """Return how a chunk of a stream differs from its schema."""
        errors = islice(self._chunks.iter_errors(chunk), MOST_FAULTS)
        return tuple(_located(error.absolute_path, error.message) for error in errors)

    @property
    def request_fields(self) -> Mapping[str, Mapping[str, Any]]:
        """The fields of a request, each with its schema from the document."""
        content = self._resolved(self._operation["requestBody"])["content"]
        fields: Mapping[str, Mapping[str, Any]] = self._resolved(content["application/json"]["schema"])["properties"]
        return fields

    @cached_property
    def _openapi(self) -> OpenAPI:
        """The compiled document. openapi-core finds an operation by server and path: every host is taken for it."""
        if self.first:
            return self.first._openapi
        from openapi_core import Config, OpenAPI

        from contract_tests.deployment.bounded_validators import BoundedValidators

        config = Config(
            # The document was checked when the contract was compiled; checking it again takes a third of a second.
            spec_validator_cls=None,
            schema_validators_factory=BoundedValidators(self.document["openapi"], MOST_FAULTS),
        )
        return OpenAPI.from_dict({**self.document, "servers": [{"url": "/"}]}, config=config)

    @cached_property
    def _chunks(self) -> Any:
        """The validator of what the document's event carries as JSON: its one `contentSchema`."""
        from openapi_schema_validator import OAS31Validator, oas31_format_checker
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

        content = self._resolved(self._operation["responses"]["200"])["content"]
        event = content["text/event-stream"]["itemSchema"]
        schema = next(_find(self._resolved(event), "contentSchema"))
        registry = Registry().with_resource("urn:contract", DRAFT202012.create_resource(self.document))
        absolute = {"$ref": f"urn:contract{schema['$ref']}"} if "$ref" in schema else schema
        return OAS31Validator(absolute, registry=registry, format_checker=oas31_format_checker)

    @property
    def _operation(self) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.document["paths"][self.path][self.method.lower()]
        return found

    def _resolved(self, part: Any) -> Any:
        """Return the part, or what its `$ref` into this document leads to."""
        while isinstance(part, dict) and "$ref" in part:
            steps = part["$ref"].removeprefix("#/").split("/")
            part = self.document
            for step in steps:
                part = part[step.replace("~1", "/").replace("~0", "~")]
        return part


@dataclass
class _Request:
    """What openapi-core reads of a request to find its operation."""

    path: str
    method: str
    parameters: RequestParameters
    host_url: str = _HOST
    content_type: str = "application/json"
    body: bytes | None = None


@dataclass
class _Response:
    """A reply in openapi-core's terms."""

    status_code: int
    headers: Mapping[str, Any]
    content_type: str
    data: bytes | None


def _messages(error: Exception) -> Iterator[str]:
    """Yield what an error of openapi-core means: a message for each place, if the schema is not met."""
    from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

    cause = error.__cause__ if error.__cause__ is not None else error
    if isinstance(cause, InvalidSchemaValue):
        errors: Iterable[Any] = cause.schema_errors
        yield from (_located(one.absolute_path, one.message) for one in errors)
    else:
        yield str(cause) or type(cause).__name__


def _located(path: Iterable[Any], message: str) -> str:
    """Return an error's message with its place in the answer."""
    where = "/".join(str(part) for part in path)
    return f"{shorten(where) or 'the answer'}: {shorten(message, _MESSAGE)}"


def _find(part: Any, name: str) -> Iterator[Any]:
    if isinstance(part, dict):
        if name in part:
            yield part[name]
        for inner in part.values():
            yield from _find(inner, name)
    elif isinstance(part, list):
        for inner in part:
            yield from _find(inner, name)
