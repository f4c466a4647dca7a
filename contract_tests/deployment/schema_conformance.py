"""Whether an answer has the form that the document gives it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from contract_tests.deployment.replies import Replies
    from contract_tests.wire.exchange import Asked


@dataclass(frozen=True)
class Conformity:
    """The judge of one operation's answers; `path` and `method` name the operation in the document.

    What judges takes a third of a second to import and is made when the first answer is judged: many runs end before,
    or judge none by its form.
    """

    document: Mapping[str, Any]
    path: str
    method: str
    first: Conformity | None = None  #: the judge of another operation, which reads the document for all of them

    def of(self, path: str, method: str) -> Conformity:
        """Return the judge of another operation of the same document, which is not read again."""
        return Conformity(self.document, path, method, self.first or self)

    def faults(self, asked: Asked) -> tuple[str, ...]:
        """Return what of the reply is not as the document says: status, media type, headers, body."""
        return self._replies.faults(asked, self.path, self.method.lower())

    @property
    def statuses(self) -> frozenset[int]:
        """The statuses that the document lists."""
        responses = self._operation["responses"]
        return frozenset(int(status) for status in responses if status.isdecimal())

    def chunk_faults(self, chunk: Mapping[str, Any]) -> tuple[str, ...]:
        """Return what of a stream's chunk is not as the document says."""
        return tuple(place(error.absolute_path, error.message) for error in self._chunks.iter_errors(chunk))

    @property
    def request_fields(self) -> Mapping[str, Mapping[str, Any]]:
        """The fields of a request, each with its schema as it stands in the document."""
        content = self._resolved(self._operation["requestBody"])["content"]
        fields: Mapping[str, Mapping[str, Any]] = self._resolved(content["application/json"]["schema"])["properties"]
        return fields

    @cached_property
    def _replies(self) -> Replies:
        if self.first:
            return self.first._replies
        from contract_tests.deployment.replies import Replies

        return Replies(self.document)

    @cached_property
    def _chunks(self) -> Any:
        """The validator of what the document's event carries as JSON: its one `contentSchema`."""
        from openapi_schema_validator import OAS31Validator, oas31_format_checker
        from referencing import Registry
        from referencing.jsonschema import DRAFT202012

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


def place(path: Iterable[Any], message: str) -> str:
    """Return a fault's message with where in the answer it is."""
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
