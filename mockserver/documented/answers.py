"""Answers that follow from the document alone: a documented response with an example or a sampled value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Any

import orjson

from agent_contract import Contract, Operation, SampleError
from agent_contract.messages import JSON, JSON_TYPE, Reply
from agent_contract.model.operations import MediaType, Response
from agent_contract.model.parameters import MISSING, Parameter
from agent_contract.model.schemas import Schemas
from agent_contract.sampling.document_value import sample
from agent_contract.validation.check import is_json
from agent_contract.validation.xml_body import is_xml, write_xml
from mockserver.core.context import Context
from mockserver.core.outcome import Outcome, Rejection
from mockserver.documented.negotiation import concrete, preferred
from mockserver.documented.preferences import WARNING_HEADER, Preferences, read_preferences
from mockserver.documented.streams import STREAMS, stream_of
from mockserver.documented.values import ChosenValue, ValueSource
from mockserver.generation.latency import Pace

_WITHOUT_BODY = frozenset({204, 205, 304})
#: Headers that the server itself sets.
_OWN_HEADERS = frozenset({"content-type", "content-length", "transfer-encoding", "connection", "date", "set-cookie2"})
_REMEMBERED = 1024
_MOST_WARNING = 500
_PIXEL = bytes.fromhex(
    "89504e470d0a1a0a0000000d4948445200000001000000010802000000907753de0000000c4944415408d763f8ffff3f0005fe02fe"
    "a73581e40000000049454e44ae426082"
)


@dataclass(frozen=True, slots=True)
class _Selection:
    """What an answer is made of; the same selection gives the same reply."""

    operation: str
    response: str
    status: int
    media: str
    sent_type: str
    wishes: Preferences


@dataclass(frozen=True, slots=True)
class DocumentedAnswer:
    """A reply, the warning about it, if any, and the value and the media type of a JSON body."""

    reply: Reply
    warning: str = ""
    value: JSON = None
    media: MediaType | None = None


class DocumentedAnswers:
    """Answers the operations of a document by their documented responses.

    With `strict`, an example that its schema refuses is not sent. The same seed gives the same answers.
    """

    def __init__(self, contract: Contract, seed: int = 0, *, strict: bool = False) -> None:
        self.contract = contract
        self.seed = seed
        self._values = ValueSource(contract, strict)
        self._remembered = lru_cache(_REMEMBERED)(self._make)

    def behaviour(self, context: Context) -> Outcome:
        """Return the answer to a call; the `Behaviour` of every operation that has no other."""
        call = context.call
        wishes = read_preferences(call.request)
        if wishes.dynamic and wishes.seed is None:
            wishes = replace(wishes, seed=int.from_bytes(context.fresh.nonce, "big") // 2)
        body = call.body
        streams = isinstance(body, dict) and body.get("stream") is True
        answer = self.answer(call.operation, wishes, call.request.headers.get("accept"), streams=streams)
        pace = context.settings.pace
        if pace.waits and not isinstance(answer.reply.body, bytes):
            return Outcome(_paced(answer.reply, pace, context.settings.seed))
        return Outcome(answer.reply, hints=(answer.warning,) if answer.warning else ())

    def answer(
        self, operation: Operation, wishes: Preferences, accept: str | None = None, *, streams: bool = False
    ) -> DocumentedAnswer:
        """Return the answer of an operation.

        Raises Rejection if the document has no response, media type or example that meets the wishes.
        """
        response, status = self.select(operation, wishes.code)
        if response is None:
            return DocumentedAnswer(Reply(status, {}, b""))
        media = sent_type = ""
        if response.content and status not in _WITHOUT_BODY:
            found = preferred(response.content, accept, streams)
            if found is None:
                known = ", ".join(response.content)
                why = f"The answer can't be sent as {accept}. Documented: {known}."
                raise Rejection(406, "", why, ("header", "accept"), [*response.content], accept)
            media, sent_type = found, concrete(found, accept)
        return self._remembered(_Selection(operation.id, response.status, status, media, sent_type, wishes))

    def value(self, media: MediaType, wishes: Preferences) -> JSON:
        """Return the value of a media type; raises SampleError if none is found."""
        return self._values.choose(media, wishes, self.seed).value

    def select(self, operation: Operation, code: str = "") -> tuple[Response | None, int]:
        """Return the response to send and its status: that of `code`, else the first documented success.

        Without any documented response the status is 204. Raises Rejection if `code` is not documented.
        """
        responses = operation.responses
        if code:
            found = operation.response(int(code))
            if found is None:
                known = ", ".join(responses) or "none"
                why = f"{operation.id} documents no response {code}. Documented: {known}."
                raise Rejection(404, "", why, ("header", "prefer"), [*responses], code)
            return found, int(code)
        order = sorted(responses, key=_urgency)
        if not order:
            return None, 204
        return responses[order[0]], _status(order[0])

    def _make(self, selection: _Selection) -> DocumentedAnswer:
        operation = self.contract.operations[selection.operation]
        response = operation.responses[selection.response]
        seed = self.seed if selection.wishes.seed is None else selection.wishes.seed
        try:
            headers = dict(self._headers(response.headers, seed))
            if not selection.media:
                return DocumentedAnswer(Reply(selection.status, headers, b""))
            media = response.content[selection.media]
            if selection.sent_type in STREAMS:
                items = self._values.items(operation, media, selection.wishes, seed)
                headers["content-type"] = selection.sent_type
                return DocumentedAnswer(
                    Reply(selection.status, headers, stream_of(operation, media, selection.sent_type, items))
                )
            chosen = self._values.choose(media, selection.wishes, seed)
        except SampleError as error:
            why = f"{operation.id} has no example, and no value of its schema was found: {error}."
            return DocumentedAnswer(Reply(501, JSON_TYPE, orjson.dumps({"detail": why})), why)
        return _reply(selection, headers, chosen, self.contract.schemas, media)

    def _headers(self, described: tuple[Parameter, ...], seed: int) -> Mapping[str, str]:
        """Return the documented headers, each with its example or a sampled value."""
        headers = {}
        for header in described:
            if header.name in _OWN_HEADERS:
                continue
            value: Any = header.example
            if value is MISSING and header.schema:
                try:
                    value = sample(self.contract, str(header.schema), seed)
                except SampleError:
                    if header.required:
                        raise
            if value is not MISSING:
                headers[header.name] = header_text(_simple(value))
        return headers


def _reply(
    selection: _Selection, headers: dict[str, str], chosen: ChosenValue, schemas: Schemas, media: MediaType
) -> DocumentedAnswer:
    headers["content-type"] = selection.sent_type
    if chosen.warning:
        headers[WARNING_HEADER] = header_text(chosen.warning)
    if is_xml(selection.sent_type) and not isinstance(chosen.value, str):
        content = write_xml(schemas, media.schema, chosen.value)
    else:
        content = encode(selection.sent_type, chosen.value)
    reply = Reply(selection.status, headers, content)
    if is_json(selection.sent_type):
        return DocumentedAnswer(reply, chosen.warning, chosen.value, media)
    return DocumentedAnswer(reply, chosen.warning)


def _paced(reply: Reply, pace: Pace, seed: bytes) -> Reply:
    """Return a stream with the delays of a pace."""
    events = reply.body if isinstance(reply.body, tuple) else ()
    delays = pace.delays(len(events), seed)
    body = tuple(type(event)(event.data, event.name, delay) for event, delay in zip(events, delays, strict=True))
    return Reply(reply.status, reply.headers, body)


def _urgency(status: str) -> tuple[int, str]:
    """Return the order in which responses are chosen: success, default, redirection, informational, errors."""
    kinds = {"2": 0, "d": 1, "3": 2, "1": 3, "4": 4, "5": 5}
    return kinds.get(status[:1].lower(), 6), status


def _status(status: str) -> int:
    return 200 if status == "default" else int(status.upper().replace("XX", "00"))


def _simple(value: JSON) -> str:
    """Return a value in the style `simple`, without explode. Source: OpenAPI 3.1.1, section 4.8.12.2."""
    if isinstance(value, list):
        return ",".join(map(_simple, value))
    if isinstance(value, dict):
        return ",".join(f"{name},{_simple(one)}" for name, one in value.items())
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def header_text(text: str) -> str:
    """Return text as it can be sent in a header: printable ASCII, of limited length."""
    return "".join(one if one.isascii() and one.isprintable() else "?" for one in text[:_MOST_WARNING]).strip()


def encode(media_type: str, value: JSON) -> bytes:
    """Return the bytes of a value in a media type."""
    if media_type == "image/png" and isinstance(value, str):
        return _PIXEL
    if is_json(media_type) or not isinstance(value, str):
        return orjson.dumps(value)
    return value.encode("utf-8", "replace")
