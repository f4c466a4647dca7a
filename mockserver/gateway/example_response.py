"""Replies of operations without a behaviour: the documented example, or a value sampled from the schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson

from agent_contract import Contract, Operation, SampleError
from agent_contract.messages import JSON, JSON_TYPE, Event, Reply
from agent_contract.model.operations import MediaType, Response
from agent_contract.model.parameters import MISSING, Parameter
from agent_contract.sampling.document_value import sample

_WITHOUT_BODY = frozenset({204, 205, 304})


def documented_reply(contract: Contract, operation: Operation, seed: int) -> Reply:
    """Return the operation's first documented success; the same `seed` gives the same bytes.

    The reply is a 501 if the operation has no example and no value of its schema is found.
    """
    try:
        return _documented(contract, operation, seed)
    except SampleError as error:
        why = (
            f"{operation.id} has no example, and no value could be generated from its schema ({error}). Add an example."
        )
        return Reply(501, JSON_TYPE, orjson.dumps({"detail": why}))


def _documented(contract: Contract, operation: Operation, seed: int) -> Reply:
    response = _success(operation)
    if response is None:
        return Reply(204, {}, b"")
    status = int(response.status.upper().replace("XX", "00")) if response.status != "default" else 200
    headers = _headers(contract, response.headers, seed)
    media = _preferred(response.content)
    if media is None or status in _WITHOUT_BODY:
        return Reply(status, headers, b"")
    value = _value(contract, media, seed)
    if media.name == "text/event-stream":
        return Reply(status, {**headers, "content-type": media.name}, _events(value))
    return Reply(status, {**headers, "content-type": media.name}, _encode(media.name, value))


def _success(operation: Operation) -> Response | None:
    responses = operation.responses
    good = sorted(status for status in responses if status.startswith("2"))
    chosen = good[0] if good else next((status for status in ("default", *responses) if status in responses), None)
    return responses[chosen] if chosen else None


def _preferred(content: Mapping[str, MediaType]) -> MediaType | None:
    return content.get("application/json") or next(iter(content.values()), None)


def _value(contract: Contract, media: MediaType, seed: int) -> JSON:
    if media.examples:
        return next(iter(media.examples.values()))
    return sample(contract, media.schema_pointer, seed) if media.schema else None


def _headers(contract: Contract, parameters: tuple[Parameter, ...], seed: int) -> dict[str, str]:
    headers = {}
    for parameter in parameters:
        value: Any = parameter.example
        if value is MISSING and parameter.required and parameter.schema:
            value = sample(contract, str(parameter.schema), seed)
        if value is not MISSING:
            headers[parameter.name] = value if isinstance(value, str) else orjson.dumps(value).decode()
    return headers


def _encode(name: str, value: JSON) -> bytes:
    if name.endswith(("/json", "+json")) or not isinstance(value, str):
        return orjson.dumps(value)
    return value.encode("utf-8", "replace")


def _events(value: JSON) -> tuple[Event, ...]:
    """Return the events of an example or sample of an event stream, which is one event, a list of events, or text."""
    several = value if isinstance(value, list) else [value]
    return tuple(Event(_data(one.get("data") if isinstance(one, dict) and "data" in one else one)) for one in several)


def _data(value: JSON) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else orjson.dumps(value)
