"""Replies as openapi-core sees them: status, media type, headers and body against the document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from openapi_core import OpenAPI
from openapi_core.datatypes import RequestParameters
from openapi_core.validation.schemas.exceptions import InvalidSchemaValue

from contract_tests.deployment.schema_conformance import place

if TYPE_CHECKING:
    from contract_tests.wire.exchange import Asked

_HOST = "http://deployment"


class Replies:
    """The replies of a document's operations; the document is compiled once."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        # openapi-core finds the operation by server and path; where the deployment stands is not its matter.
        self._openapi = OpenAPI.from_dict({**document, "servers": [{"url": "/"}]})

    def faults(self, asked: Asked, path: str, method: str) -> tuple[str, ...]:
        """Return what of the reply is not as the document says of the operation; `method` is in lower case."""
        response = _Response(asked.status, dict(asked.headers), asked.header("content-type"), asked.body)
        errors = self._openapi.iter_response_errors(_Request(path, method), response)
        return tuple(said for error in errors for said in _said(error))


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
            yield place(found.absolute_path, found.message)
    else:
        yield str(cause) or type(cause).__name__
