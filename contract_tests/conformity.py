"""Whether an answer has the form that the document gives it, as openapi-core sees it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any

from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue
from openapi_schema_validator import OAS31Validator, oas31_format_checker
from referencing import Registry
from referencing.jsonschema import DRAFT202012

if TYPE_CHECKING:
    from contract_tests.exchange import Asked

_HOST = "http://deployment"


@dataclass(frozen=True)
class Conformity:
    """The judge of one operation's answers; `path` and `method` name the operation in the document."""

    document: Mapping[str, Any]
    path: str
    method: str
    _openapi: OpenAPI = field(init=False, repr=False)

    def __post_init__(self) -> None:
        # openapi-core finds the operation by server and path; where the deployment stands is not its matter.
        document = {**self.document, "servers": [{"url": "/"}]}
        object.__setattr__(self, "_openapi", OpenAPI.from_dict(document))

    def faults(self, asked: Asked) -> tuple[str, ...]:
        """Return what of the reply is not as the document says: status, media type, headers, body."""
        request = _Request(self.path, self.method.lower())
        response = _Response(asked.status, dict(asked.headers), asked.header("content-type"), asked.body)
        return tuple(said for error in self._openapi.iter_response_errors(request, response) for said in _said(error))

    @property
    def statuses(self) -> frozenset[int]:
        """The statuses that the document lists."""
        responses = self._operation["responses"]
        return frozenset(int(status) for status in responses if status.isdecimal())

    def chunk_faults(self, chunk: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what of a stream's chunk is not as the document says."""
        return tuple(_place(error.absolute_path, error.message) for error in self._chunks.iter_errors(chunk))

    @property
    def request_fields(self) -> Mapping[str, Mapping[str, Any]]:
        """The fields of a request, each with its schema as it stands in the document."""
        content = self._resolved(self._operation["requestBody"])["content"]
        fields: Mapping[str, Mapping[str, Any]] = self._resolved(content["application/json"]["schema"])["properties"]
        return fields

    @cached_property
    def _chunks(self) -> Any:
        """The validator of what the document's event carries as JSON: its one `contentSchema`."""
        content = self._resolved(self._operation["responses"]["200"])["content"]
        event = content["text/event-stream"]["schema"]
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
    """What openapi-core wants to know of a request to find its operation."""

    path: str
    method: str
    host_url: str = _HOST
    content_type: str = "application/json"
    body: bytes | None = None
    parameters: RequestParameters = field(default_factory=RequestParameters)


@dataclass
class _Response:
    """A reply in openapi-core's terms."""

    status_code: int
    headers: Mapping[str, Any]
    content_type: str
    data: bytes | None


def _said(error: Exception) -> Iterator[str]:
    """Yield what an error of openapi-core means, each place by itself where a schema is broken."""
    cause = error.__cause__ if error.__cause__ is not None else error
    if isinstance(cause, InvalidSchemaValue):
        broken: Iterable[Any] = cause.schema_errors
        for found in broken:
            yield _place(found.absolute_path, found.message)
    else:
        yield str(cause) or type(cause).__name__


def _place(path: Any, message: str) -> str:
    where = "/".join(str(part) for part in path)
    return f"{where or 'the answer'}: {message}"


def _find(part: Any, name: str) -> Iterator[Any]:
    if isinstance(part, dict):
        if name in part:
            yield part[name]
        for inner in part.values():
            yield from _find(inner, name)
    elif isinstance(part, list):
        for inner in part:
            yield from _find(inner, name)
