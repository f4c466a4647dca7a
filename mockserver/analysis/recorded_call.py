"""What a recorded call sent and got, by the names that `agent_contract.diff.fields` gives to fields."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agent_contract import Found, parse_call
from agent_contract.messages import Exchange, Location, Reply, Request, Violation
from agent_contract.model.operations import MediaType
from agent_contract.model.parameters import MISSING
from agent_contract.validation.check import Call, bare_type, is_json
from agent_contract.validation.json_body import BodyProblem, Malformed, parse_json
from agent_contract.validation.sse import parse_events
from mockserver.recording.recording import EVENT_STREAM

#: The step that leads into JSON text, and the one that leads to all items of a list and all values of an object.
_INSIDE_TEXT = "(content)"
_EACH = "*"
#: A slash between two steps, not one in the name of a media type.
_BORDER = re.compile(r"/(?![^(]*\))")


@dataclass(frozen=True)
class RecordedCall:
    """An exchange, with the operation of a contract that its request reached."""

    name: str
    exchange: Exchange
    found: Found

    @property
    def status(self) -> str:
        """The status as the contract writes it, as in `4XX`; "" for one that it does not document."""
        response = self.found.operation.response(self.exchange.reply.status)
        return response.status if response else ""

    @cached_property
    def call(self) -> Call:
        """The parsed request."""
        return parse_call(self.found, self.exchange.request)

    @cached_property
    def _sent(self) -> list[Any]:
        return [_sent_values(self.call, self.exchange.request)]

    @cached_property
    def _got(self) -> list[Any]:
        response = self.found.operation.response(self.exchange.reply.status)
        return list(_got_values(self.exchange.reply, response.content if response else {}))

    def way(self, violation: Violation, is_reply: bool) -> str:
        """Return the name of the field at which a request or a reply is wrong."""
        part, *inner = violation.where
        reply = self.exchange.reply
        media = self.call.media.name if self.call.media else ""
        if is_reply:
            media = bare_type(reply.headers.get("content-type", ""))
        if part != "body":
            return _way((part, *inner))
        if is_reply and media == EVENT_STREAM:
            inner = inner[1:]  # the number of the event
            inner[1:1] = [_INSIDE_TEXT] if inner[:1] == ["data"] and len(inner) > 1 else []
        return _way((_body_name(media) if media else "body", *inner))

    def sent(self, way: str) -> bool:
        """Return whether the request has a field, as in `query/limit` or `body/messages/*/role`."""
        return _has(self._sent, way)

    def got(self, way: str) -> bool:
        """Return whether the reply has a field, as in `body/choices/*/index`."""
        return _has(self._got, way)


def _sent_values(call: Call, request: Request) -> Mapping[str, Any]:
    parts: dict[str, Any] = {}
    for parameter, value in zip(call.operation.parameters, call.texts, strict=True):
        if value is not MISSING:
            parts.setdefault(parameter.place, {})[parameter.name] = value
    if request.body and call.media is not None:
        parts[_body_name(call.media.name)] = call.body
    return parts


def _got_values(reply: Reply, content: Mapping[str, MediaType]) -> Iterator[Mapping[str, Any]]:
    yield {"headers": dict(reply.headers)}
    sent = bare_type(reply.headers.get("content-type", ""))
    documented = next((name for name in (sent, sent.partition("/")[0] + "/*", "*/*") if name in content), sent)
    body = reply.content()
    if sent == EVENT_STREAM:
        for event in parse_events(body):
            named = {"event": event.name} if event.name else {}
            yield {_body_name(documented): {"data": event.data.decode("utf-8", "replace"), **named}}
    elif is_json(sent):
        value = parse_json(body)
        if not isinstance(value, (Malformed, BodyProblem)):
            yield {_body_name(documented): value}
    elif body:
        yield {_body_name(documented): body.decode("utf-8", "replace")}


def _body_name(media_type: str) -> str:
    return "body" if is_json(media_type) else f"body({media_type})"


def _way(where: Location) -> str:
    return "/".join(_EACH if isinstance(step, int) else step for step in where)


def _has(values: list[Any], way: str) -> bool:
    for step in _BORDER.split(way):
        values = [inner for value in values for inner in _step(value, step)]
    return bool(values)


def _step(value: Any, step: str) -> Iterator[Any]:
    if step == _EACH:
        yield from value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    elif step == _INSIDE_TEXT:
        try:
            yield json.loads(value)
        except (TypeError, ValueError, RecursionError):
            return
    elif isinstance(value, dict) and step in value:
        yield value[step]
