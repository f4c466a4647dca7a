"""Finds problems of a document beyond those that prevent compiling it.

Errors are examples that contradict their schema; everything else is a warning.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from agent_contract.compiler.routes import Found
from agent_contract.contract import Contract, compile_contract
from agent_contract.document.document import Document
from agent_contract.document.errors import ContractError, Problem, UnreadableError
from agent_contract.document.json_pointer import Place, parse
from agent_contract.document.object_types import CHILDREN, PLAIN, REQUIRED
from agent_contract.document.own_document import is_own
from agent_contract.document.walker import Walk
from agent_contract.load import compile_repaired, read_openapi
from agent_contract.messages import JSON, Request, Violation
from agent_contract.model.operations import Example, MediaType, Operation
from agent_contract.model.parameters import MISSING
from agent_contract.model.schemas import Direction, Validator
from agent_contract.validation.check import check_request, is_json, parse_call
from agent_contract.validation.sse import parse_events
from agent_contract.validation.violations import violations

#: The formats that are checked; JSON Schema lets a validator pass over any other.
FORMATS = frozenset(
    (
        *("date-time", "date", "time", "duration", "email", "idn-email", "hostname", "idn-hostname", "ipv4", "ipv6"),
        *("uri", "uri-reference", "iri", "iri-reference", "uuid", "uri-template", "json-pointer"),
        *("relative-json-pointer", "regex"),
    )
)
#: Formats of OpenAPI that describe how a value is stored; they restrict nothing that could be checked.
_HINTS = frozenset(("int32", "int64", "float", "double", "byte", "binary", "password"))

Defect = tuple[Place, str, str]


@dataclass(frozen=True, slots=True)
class Findings:
    """What `lint` found, each in the order of the document; `contract` is None if it could not be compiled.

    `repairs` are those after which a document with errors is compiled.
    """

    errors: tuple[Problem, ...] = ()
    warnings: tuple[Problem, ...] = ()
    contract: Contract | None = None
    repairs: tuple[Problem, ...] = ()


def lint(path: Path, *, allow_outside: bool = False, allow_remote: Iterable[str] = ()) -> Findings:
    """Return the problems of the document at a path; UnreadableError if a file of it can't be read."""
    places: dict[str, Any] = {"allow_outside": allow_outside, "allow_remote": tuple(allow_remote)}
    try:
        document = read_openapi(path, **places)
        contract, walk = compile_contract(document, lazy=not is_own(document))
    except ContractError as error:
        return _repaired(path, error, places)
    return _findings(document, contract, walk)


def _repaired(path: Path, error: ContractError, places: Mapping[str, Any]) -> Findings:
    """Return the findings in a document that can't be compiled, with the repairs that let the mock play it."""
    if isinstance(error, UnreadableError):
        raise error
    document = read_openapi(path, strict=False, **places)
    if is_own(document):
        return Findings(error.problems)
    try:
        contract, _ = compile_repaired(document)
    except ContractError:
        return Findings(error.problems)
    return Findings(error.problems, (), contract, tuple(repair.problem(document) for repair in contract.repairs))


def _findings(document: Document, contract: Contract, walk: Walk) -> Findings:
    errors = (*_request_examples(contract), *_plain_examples(contract), *_schema_examples(contract, walk))
    warnings = (
        *_shape(contract, walk),
        *_schemas(contract, walk),
        *_defaults(contract, walk),
        *_operations(contract),
        *_item_schemas(contract, walk),
        *_clauses(contract, walk),
    )

    def problems(faults: tuple[Defect, ...]) -> tuple[Problem, ...]:
        lines = [((place.file, document.line(place) or 0), document.problem(place, *said)) for place, *said in faults]
        return tuple(dict.fromkeys(problem for _, problem in sorted(lines, key=lambda pair: pair[0])))

    return Findings(problems(errors), problems(warnings), contract)


def _request_examples(contract: Contract) -> Iterator[Defect]:
    """Yield the request examples whose validity contradicts their documented status."""
    for operation in contract.operations.values():
        for example in operation.examples:
            headers = example.headers
            is_read = not example.body or is_json(headers.get("content-type", "").partition(";")[0])
            if example.method != operation.method or not is_read:
                continue
            request = Request(example.method, operation.path, example.query, headers, example.body)
            call = parse_call(Found(operation, example.path), request)
            if call.problem or call.malformed:
                continue
            place = parse(example.pointer)
            broken = [one for one in check_request(call) if not _filled_later(example, one)]
            if example.status == operation.rejects_with and not broken:
                yield place, f"is to be refused with {example.status}, and its schema takes it", "break a rule in it"
            elif example.status != operation.rejects_with and broken:
                yield place, f"its schema refuses it: {describe(broken[0])}", "correct the example or the schema"


def _filled_later(example: Example, violation: Violation) -> bool:
    """Return whether the example lacks a value that an earlier exchange provides, or a path parameter."""
    part, *rest = violation.where
    if violation.rule != "required" or not rest:
        return False
    return f"{part}.{rest[0]}" in example.set or (part == "path" and rest[0] not in example.path)


def _plain_examples(contract: Contract) -> Iterator[Defect]:
    """Yield the examples of replies and parameters that their schemas refuse."""
    for operation in contract.operations.values():
        for parameter in operation.parameters:
            if parameter.example is not MISSING and parameter.schema and parameter.validator:
                place = parse(parameter.pointer)
                yield from _refused(
                    contract, place, parameter.validator, parameter.schema, parameter.example, "request"
                )
        for response in operation.responses.values():
            for media in response.content.values():
                yield from _reply_examples(contract, media)


def _reply_examples(contract: Contract, media: MediaType) -> Iterator[Defect]:
    for name, value in media.examples.items():
        place = parse(media.pointer).child(*(("examples", name) if name else ("example",)))
        values: list[JSON] = [value]
        if media.name == "text/event-stream" and isinstance(value, str):
            values = [{"data": event.data.decode()} for event in parse_events(value.encode())]
        for item in values:
            if media.validator and media.schema:
                yield from _refused(contract, place, media.validator, media.schema, item, "reply")


def _schema_examples(contract: Contract, walk: Walk) -> Iterator[Defect]:
    """Yield the examples of schemas that the schemas themselves refuse."""
    for place, schema in _schemas_of(contract, walk):
        listed = schema.get("examples")
        for index, value in enumerate(listed if isinstance(listed, list) else []):
            yield from _own(contract, place, ("examples", index), value)
        if "example" in schema:
            yield from _own(contract, place, ("example",), schema["example"])


def _defaults(contract: Contract, walk: Walk) -> Iterator[Defect]:
    """Yield the defaults of schemas that the schemas themselves refuse."""
    for place, schema in _schemas_of(contract, walk):
        if "default" in schema:
            yield from _own(contract, place, ("default",), schema["default"])


def _schemas_of(contract: Contract, walk: Walk) -> Iterator[tuple[Place, dict[str, Any]]]:
    for place in walk.of_kind("schema"):
        schema = contract.schemas.document.at(place)
        if isinstance(schema, dict):
            yield place, schema


def _own(contract: Contract, place: Place, path: tuple[str | int, ...], value: JSON) -> Iterator[Defect]:
    validator = contract.schemas.compiled(place, "reply")
    yield from _refused(contract, place.child(*path), validator, place, value, "reply")


def _refused(
    contract: Contract, place: Place, validator: Validator, schema: Place, value: JSON, direction: Direction
) -> Iterator[Defect]:
    if not validator.is_valid(value):
        broken = violations(contract.schemas, validator, value, schema, (), direction)
        yield place, f"its schema refuses it: {describe(broken[0])}", "correct the example or the schema"


def describe(violation: Violation) -> str:
    """Return a violation in one line."""
    where = f"{violation.place} breaks " if violation.where else "it breaks "
    return f"{where}{violation.rule} {violation.expected!r} at {violation.pointer}"


def _shape(contract: Contract, walk: Walk) -> Iterator[Defect]:
    """Yield unknown fields, which are mostly misspelt, and missing required fields."""
    for place, kind in walk.kinds.items():
        value = contract.schemas.document.at(place)
        if not isinstance(value, dict) or place in walk.references:
            continue
        known = PLAIN[kind] | CHILDREN[kind].keys()
        for name in value:
            if name not in known and "*" not in CHILDREN[kind] and not name.startswith("x-"):
                near = difflib.get_close_matches(name, known, 1)
                remedy = f"write {near[0]!r}" if near else "take it out, or begin its name with 'x-'"
                yield place.child(name), f"{name!r} is not a field of {_a(kind)}, and has no effect", remedy
        for name in REQUIRED.get(kind, ()):
            if name not in value and not (kind == "response" and contract.schemas.document.is_3_2):
                yield place, f"the {kind} has no {name!r}", f"add {name!r}"


def _a(kind: str) -> str:
    return {"openapi": "the document", "info": "'info'"}.get(kind, f"{'an' if kind[0] in 'aeio' else 'a'} {kind}")


def _schemas(contract: Contract, walk: Walk) -> Iterator[Defect]:
    """Yield keywords that check less than their author probably expects."""
    old = contract.schemas.document.is_3_0
    for place in walk.of_kind("schema"):
        value: Any = contract.schemas.document.at(place)
        if not isinstance(value, dict):
            continue
        if not old and "nullable" in value:
            yield place.child("nullable"), "'nullable' has no meaning in OpenAPI 3.1", "add 'null' to its 'type'"
        name = value.get("format")
        if isinstance(name, str) and name not in FORMATS | _HINTS:
            near = difflib.get_close_matches(name, FORMATS | _HINTS, 1)
            remedy = f"write {near[0]!r}" if near else "add a 'pattern'"
            yield place.child("format"), f"the format {name!r} is not checked", remedy
        properties, required = value.get("properties"), value.get("required")
        if isinstance(properties, dict) and isinstance(required, list):
            for index, wanted in enumerate(required):
                if wanted not in properties:
                    yield place.child("required", index), f"{wanted!r} is required and not described", "add it"


def _operations(contract: Contract) -> Iterator[Defect]:
    """Yield what an operation does not document."""
    for operation in contract.operations.values():
        place = parse(operation.pointer)
        described: Any = contract.schemas.document.at(place)
        if "operationId" not in described:
            yield place, "the operation has no 'operationId'", "add one: clauses, fixtures and messages name it"
        if not any(status[0] in "123d" for status in operation.responses):
            yield place, "no successful reply is documented", "add one"
        if (operation.request_body or operation.parameters) and not _rejects(operation):
            yield place, "no reply to an invalid request is documented; 400 is assumed", "add a 400 or a 422"
        for media in operation.request_body.content.values() if operation.request_body else ():
            if media.name.startswith("multipart/") and media.name != "multipart/form-data":
                yield parse(media.pointer), f"bodies of {media.name!r} are not taken apart", "expect no check of them"
        for example in operation.examples:
            yield from _example(operation, example)


def _item_schemas(contract: Contract, walk: Walk) -> Iterator[Defect]:
    """Yield the schemas of items in streams that are not read item by item."""
    for place in walk.of_kind("media-type"):
        value: Any = contract.schemas.document.at(place)
        name = place.tokens[-1].partition(";")[0].strip().lower()
        if isinstance(value, dict) and "itemSchema" in value and name != "text/event-stream":
            yield place.child("itemSchema"), f"the items of {name!r} are not checked", "expect no check of them"


def _rejects(operation: Operation) -> bool:
    return any(status in operation.responses for status in ("400", "422", "4XX", "default"))


def _example(operation: Operation, example: Example) -> Iterator[Defect]:
    if operation.response(example.status) is None:
        place = parse(example.pointer).child("x-exchange", "status")
        yield place, f"the operation documents no {example.status}", "document it, or correct the status"


def _clauses(contract: Contract, walk: Walk) -> Iterator[Defect]:
    """Yield clauses that apply to no operation, and rules that are not next to their clause."""
    for clause in contract.clauses:
        place = parse(clause.pointer)
        if not clause.operations:
            yield place, f"no operation uses the clause {clause.id!r}", "move it to a part that one uses"
        holder: Any = contract.schemas.document.at(place.parent.parent)
        for rule in clause.rules:
            if walk.kinds.get(place.parent.parent) == "schema" and rule not in _rules(contract, place, holder):
                yield place.child("rules"), f"the rule {rule!r} is not next to the clause", "correct the rule"


def _rules(contract: Contract, place: Place, holder: Any) -> set[str]:
    """Return the rules that a clause on a schema may describe: its keywords, and `required` if its owner lists it."""
    rules = set(holder) if isinstance(holder, dict) else set()
    owner = Place(place.file, place.tokens[:-4])
    schema: Any = contract.schemas.document.at(owner)
    required = schema.get("required") if isinstance(schema, dict) else None
    if isinstance(required, list) and place.tokens[-3] in required:
        rules.add("required")
    return rules
