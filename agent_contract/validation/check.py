"""Checks requests and replies against the contract. A valid one costs a lookup and a compiled check, no more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from agent_contract.compiler.routes import Found
from agent_contract.document.json_pointer import Place, parse
from agent_contract.messages import JSON, Location, Reply, Request, Violation
from agent_contract.model.operations import MediaType, Operation, RequestBody, Response
from agent_contract.model.parameters import MISSING, Parameter
from agent_contract.model.schemas import Direction, Validator
from agent_contract.validation.coercion import coerce
from agent_contract.validation.form_body import read_form, read_multipart
from agent_contract.validation.json_body import BodyProblem, Malformed, parse_json
from agent_contract.validation.lines import JSON_LINES, is_event_shaped, item_schema, split_lines
from agent_contract.validation.spellings import lenient_value
from agent_contract.validation.sse import parse_events
from agent_contract.validation.violations import violations
from agent_contract.validation.xml_body import is_xml, read_xml
from agent_contract.value_class import value_class

_FORM = "application/x-www-form-urlencoded"


@value_class(frozen=True, slots=True)
class Call:
    """A request, parsed for its operation.

    `parameters` holds their values by name, defaults for absent ones; `body` is the parsed body, None for none.
    `problem` is set for a body that can't be read at all, `malformed` for one that is not JSON. `texts` holds what was
    sent for each parameter, in the operation's order, MISSING for an absent one; `media` is the media type by which
    the body is judged.
    """

    operation: Operation
    request: Request
    parameters: Mapping[str, JSON]
    body: JSON
    problem: BodyProblem | None = None
    malformed: Malformed | None = None
    texts: tuple[Any, ...] = ()
    media: MediaType | None = None

    @property
    def reads_json(self) -> bool:
        """Whether the content type of the request is JSON."""
        return is_json(bare_type(self.request.headers.get("content-type", "")))


def parse_call(found: Found, request: Request, *, lenient: bool = False) -> Call:
    """Return a request with its body and parameters parsed, once; never raises.

    With `lenient`, an array or object in the query may have another spelling than the declared one, and a body without
    a content type is of the first documented one.
    """
    operation = found.operation
    texts = found.values  # of the path; they are remembered with it
    if len(texts) < len(operation.parameters):
        texts = (*texts, *[_sent(parameter, request) for parameter in operation.parameters[len(texts) :]])
    if lenient and operation.parameters:
        pairs = zip(operation.parameters, texts, strict=True)
        texts = tuple(lenient_value(operation.schemas, parameter, value, request) for parameter, value in pairs)
    values: dict[str, JSON] = {}
    for parameter, value in zip(operation.parameters, texts, strict=True):
        known = parameter.default if value is MISSING else value
        if known is not MISSING:
            values.setdefault(parameter.name, known)
    described = operation.request_body
    if described is None or not request.body:
        return Call(operation, request, values, None, texts=texts)
    sent = bare_type(request.headers.get("content-type", ""))
    media = _media(described, sent)
    if lenient and not sent and media is not None:
        sent = media.name
    parsed = _parse(operation, media, sent, request)
    if isinstance(parsed, BodyProblem):
        return Call(operation, request, values, None, problem=parsed, texts=texts, media=media)
    if isinstance(parsed, Malformed):
        return Call(operation, request, values, None, malformed=parsed, texts=texts, media=media)
    return Call(operation, request, values, parsed, texts=texts, media=media)


def check_request(call: Call) -> tuple[Violation, ...]:
    """Return what a request breaks, () for a valid one; ordered as FastAPI reports them.

    A body that can't be read (`call.problem`) is not a violation of a schema: it is refused before.
    """
    operation = call.operation
    body = operation.request_body
    if body is not None and call.malformed is not None:
        reason = call.malformed.reason
        return (Violation(("body", call.malformed.position), "json", "JSON", reason, body.pointer + "/content"),)
    broken: list[Violation] = []
    for parameter, value in zip(operation.parameters, call.texts, strict=True):
        if value is MISSING:
            if parameter.required:
                broken.append(Violation(parameter.where, "required", True, None, parameter.pointer + "/required"))
        elif parameter.validator is not None and not parameter.validator.is_valid(value):
            broken.extend(_broken(operation, parameter.validator, parameter.schema, value, parameter.where, "request"))
    if body is not None and call.problem is None:
        if not call.request.body:
            if body.required:
                broken.append(Violation(("body",), "required", True, None, body.pointer + "/required"))
        elif call.media and call.media.validator and not call.media.validator.is_valid(call.body):
            media = call.media
            broken.extend(_broken(operation, call.media.validator, media.schema, call.body, ("body",), "request"))
    return tuple(broken)


def check_reply(operation: Operation, reply: Reply) -> tuple[Violation, ...]:
    """Return what a reply breaks: its status, headers, media type, body, and each event of a stream; () for none.

    A reply that documents no content may have any.
    """
    response = operation.response(reply.status)
    if response is None:
        documented: list[JSON] = list(operation.responses)
        return (Violation(("status",), "responses", documented, reply.status, operation.pointer + "/responses"),)
    broken = _check_headers(operation, response, reply.headers)
    if not response.content or operation.method == "HEAD":
        return tuple(broken)
    sent = bare_type(reply.headers.get("content-type", ""))
    media = match(response.content, sent)
    if media is None:
        names: list[JSON] = list(response.content)
        where = ("headers", "content-type")
        broken.append(Violation(where, "content", names, sent or None, response.pointer + "/content"))
    elif sent == "text/event-stream":
        if media.schema is None or is_event_shaped(operation.schemas, media.schema):
            broken.extend(_check_stream(operation, media, reply))
        else:
            events = parse_events(reply.body) if isinstance(reply.body, bytes) else reply.body
            broken.extend(_check_items(operation, media, [event.data for event in events]))
    elif sent in JSON_LINES:
        broken.extend(_check_items(operation, media, split_lines(reply.content())))
    elif media.validator is not None:
        broken.extend(_check_body(operation, media, sent, reply.content()))
    return tuple(broken)


@lru_cache(maxsize=256)
def bare_type(content_type: str) -> str:
    """Return a media type without its parameters, in lower case."""
    return content_type.partition(";")[0].strip().lower()


@lru_cache(maxsize=256)
def is_json(media_type: str) -> bool:
    """Return whether a media type is JSON. Source: RFC 8259; RFC 6839, section 3.1."""
    return media_type == "application/json" or (media_type.startswith("application/") and media_type.endswith("+json"))


def _sent(parameter: Parameter, request: Request) -> JSON:
    """Return the value of a parameter of the query or the headers as it was sent, or MISSING."""
    if parameter.place == "query":
        if parameter.spread:
            return parameter.read_properties(request.query)
        return parameter.read([text for name, text in request.query if name == parameter.name])
    if parameter.place == "header":
        return parameter.read([request.headers[parameter.name]] if parameter.name in request.headers else [])
    pairs = (pair.strip().partition("=") for pair in request.headers.get("cookie", "").split(";"))
    return parameter.read([text for name, _, text in pairs if name == parameter.name])


def match(content: Mapping[str, MediaType], sent: str) -> MediaType | None:
    """Return the documented media type that a sent one belongs to, the most specific first."""
    return content.get(sent) or content.get(sent.partition("/")[0] + "/*") or content.get("*/*")


def _media(body: RequestBody, sent: str) -> MediaType | None:
    """Return the media type by which a body is judged: its own, else (for an undocumented one) the first documented."""
    found = match(body.content, sent)
    if found is None and is_json(sent):
        found = next((media for name, media in body.content.items() if is_json(name)), None)
    return found or next(iter(body.content.values()), None)


def _parse(operation: Operation, media: MediaType | None, sent: str, request: Request) -> Any:
    """Return the value of a body; text for a media type that has no reader, as in FastAPI."""
    body = request.body
    if is_json(sent):
        return parse_json(body)
    if media is not None and match({media.name: media}, sent):
        if sent == _FORM:
            return read_form(operation.schemas, media, body)
        if sent.startswith("multipart/"):
            return read_multipart(operation.schemas, media, request.headers.get("content-type", ""), body)
        if is_xml(sent):
            return read_xml(operation.schemas, media.schema, body)
        return coerce(operation.schemas, media.schema, body.decode("utf-8", "replace"))
    return body.decode("utf-8", "replace")


def _broken(
    operation: Operation, validator: Validator, schema: Place | None, value: JSON, part: Location, direction: Direction
) -> tuple[Violation, ...]:
    return violations(operation.schemas, validator, value, schema or parse(operation.pointer), part, direction)


def _check_headers(operation: Operation, response: Response, headers: Mapping[str, str]) -> list[Violation]:
    broken: list[Violation] = []
    for header in response.headers:
        value = header.read([headers[header.name]] if header.name in headers else [])
        where = ("headers", header.name)
        if value is MISSING:
            if header.required:
                broken.append(Violation(where, "required", True, None, header.pointer + "/required"))
        elif header.validator is not None and not header.validator.is_valid(value):
            broken.extend(_broken(operation, header.validator, header.schema, value, where, "reply"))
    return broken


def _check_body(operation: Operation, media: MediaType, sent: str, body: bytes) -> tuple[Violation, ...]:
    if not is_json(sent):
        value: Any = body.decode("utf-8", "replace")
    else:
        value = parse_json(body)
        if isinstance(value, (Malformed, BodyProblem)):
            reason = value.reason if isinstance(value, Malformed) else value.detail
            return (Violation(("body",), "json", "JSON", reason, media.pointer),)
    assert media.validator is not None
    if media.validator.is_valid(value):
        return ()
    return _broken(operation, media.validator, media.schema, value, ("body",), "reply")


def _check_items(operation: Operation, media: MediaType, items: list[bytes]) -> Iterator[Violation]:
    """Yield what the items of a stream break; the usual end of a stream is not one of them."""
    place = item_schema(operation.schemas, media.schema) if media.schema else None
    validator = operation.schemas.compiled(place, "reply") if place else None
    for index, data in enumerate(items if place and validator else ()):
        if data != b"[DONE]":
            assert place is not None
            assert validator is not None
            yield from _check_data(operation, media.pointer, validator, place, data, ("body", index))


def _check_stream(operation: Operation, media: MediaType, reply: Reply) -> list[Violation]:
    """Return what a stream's events break, each as an object of `data` and `event`, and the JSON inside `data`."""
    broken: list[Violation] = []
    for index, event in enumerate(parse_events(reply.body) if isinstance(reply.body, bytes) else reply.body):
        where: Location = ("body", index)
        text = event.data.decode("utf-8", "replace")
        value: JSON = {"data": text, "event": event.name} if event.name else {"data": text}
        if media.validator is not None and not media.validator.is_valid(value):
            broken.extend(_broken(operation, media.validator, media.schema, value, where, "reply"))
            continue
        for inner in media.events:
            at: Location = (*where, "data")
            if inner.applies.is_valid(text):
                broken.extend(_check_data(operation, inner.pointer, inner.validator, inner.schema, event.data, at))
    return broken


def _check_data(
    operation: Operation, pointer: str, validator: Validator, schema: Place, data: bytes, where: Location
) -> tuple[Violation, ...]:
    value = parse_json(data)
    if isinstance(value, (Malformed, BodyProblem)):
        reason = value.reason if isinstance(value, Malformed) else value.detail
        return (Violation(where, "json", "JSON", reason, pointer),)
    if validator.is_valid(value):
        return ()
    return _broken(operation, validator, schema, value, where, "reply")
