"""Reads an operation's named examples, and the settings of its exchange in `x-exchange`.

They are at the media types of its request body; an operation without a body has them in `x-examples`.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from agent_contract.compiler.context import Builder
from agent_contract.document.document import Document
from agent_contract.document.json_pointer import Place, parse
from agent_contract.messages import JSON
from agent_contract.model.operations import (
    Example,
    PlainBody,
    RepeatedBody,
    RequestBody,
    Response,
    documented,
    plain_body,
)
from agent_contract.model.parameters import MISSING, Parameter
from agent_contract.model.runtime_expressions import as_text

ReportProblem = Callable[[Place, str, str], None]

#: The settings of `x-exchange`, and the type of each.
SETTINGS: Mapping[str, type] = {
    "status": int,
    "media-type": str,
    "path": dict,
    "query": dict,
    "method": str,
    "headers": dict,
    "body": dict,
    "requires-token": bool,
    "after": str,
    "set": dict,
    "shows": list,
}
_NOUNS: Mapping[type, str] = {
    int: "a number",
    str: "a string",
    dict: "an object",
    bool: "true or false",
    list: "a list",
}

_ENCODER = json.JSONEncoder(ensure_ascii=False, separators=(",", ":"))
_MOST_REPEATED = 100_000_000


class _Default(NamedTuple):
    """The defaults of an example: `content_type` is None without a body."""

    method: str
    path: Mapping[str, str]
    content_type: str | None
    status: int
    responses: Mapping[str, Response]


def build_examples(
    builder: Builder,
    place: Place,
    body: RequestBody | None,
    method: str,
    parameters: tuple[Parameter, ...],
    responses: Mapping[str, Response],
) -> Iterator[Example]:
    """Yield an operation's examples: those of its request body, then its own `x-examples`; faults are noted."""
    path = {
        parameter.name: as_text(parameter.example)
        for parameter in parameters
        if parameter.place == "path" and parameter.example is not MISSING
    }
    success = next((int(status) for status in responses if status.startswith("2") and status.isdigit()), 200)
    content = body.content if body else {}
    taken = set()
    for media in content.values():
        for name, here, value in _named(builder.document, parse(media.pointer).child("examples")):
            taken.add(name)
            yield _example(builder.report, here, name, value, _Default(method, path, media.name, success, responses))
    for name, here, value in _named(builder.document, place.child("x-examples")):
        if name in taken:
            builder.report(here, f"the request body has an example {name!r} already", "rename one")
        exchange = value.get("x-exchange")
        sends = "value" in value or (isinstance(exchange, dict) and "body" in exchange)
        kind = next(iter(content), "application/json") if sends else None
        yield _example(builder.report, here, name, value, _Default(method, path, kind, success, responses))


def _named(document: Document, holder: Place) -> Iterator[tuple[str, Place, Mapping[str, Any]]]:
    """Yield the examples at a place: name, place and content."""
    try:
        names = document.at(holder)
    except LookupError:
        return
    for name in names if isinstance(names, dict) else ():
        place = document.follow(holder.child(name))
        value = document.at(place)
        if isinstance(value, dict):
            yield name, place, value


def _exchange(report: ReportProblem, place: Place, written: Any) -> dict[str, Any]:
    """Return the settings of an exchange that are what they must be; the others are given to `report`."""
    if not isinstance(written, dict):
        report(place, "'x-exchange' must be an object", f"use {', '.join(SETTINGS)}")
        return {}
    exchange = {}
    for key, value in written.items():
        wanted = SETTINGS.get(key)
        if wanted is None:
            report(place.child(key), f"{key!r} is not a setting of an exchange", f"use one of {', '.join(SETTINGS)}")
        elif not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            report(place.child(key), f"{key!r} must be {_NOUNS[wanted]}", f"write it as {_NOUNS[wanted]}")
        else:
            exchange[key] = value
    return exchange


def _example(report: ReportProblem, place: Place, name: str, value: Mapping[str, Any], default: _Default) -> Example:
    here = place.child("x-exchange")
    exchange = _exchange(report, here, value.get("x-exchange", {}))
    headers = {"content-type": default.content_type, **_lower(exchange.get("headers", {}))}
    status = exchange.get("status", default.status)
    reply = documented(default.responses, status)
    media_type = next(iter(reply.content), "") if reply else "application/json"
    return Example(
        name=name,
        pointer=str(place),
        summary=str(value.get("summary", "")),
        sent=_sent(report, here, exchange, value),
        status=status,
        media_type=exchange.get("media-type", media_type),
        method=exchange.get("method", default.method).upper(),
        path={**default.path, **{key: as_text(text) for key, text in exchange.get("path", {}).items()}},
        query=tuple((key, as_text(text)) for key, text in exchange.get("query", {}).items()),
        headers={key: text for key, text in headers.items() if text is not None},
        requires_token=exchange.get("requires-token", False),
        after=exchange.get("after", ""),
        set={key: str(text) for key, text in exchange.get("set", {}).items()},
        shows=tuple(str(clause) for clause in exchange.get("shows", ())),
        declared="x-exchange" in value,
    )


def _sent(
    report: ReportProblem, place: Place, exchange: Mapping[str, Any], value: Mapping[str, Any]
) -> PlainBody | RepeatedBody:
    """Return the body of an example: its value, or what its exchange sends instead."""
    if "body" not in exchange:
        return PlainBody(_encoded(value["value"]), value["value"]) if "value" in value else PlainBody(b"", None)
    try:
        return _read_body(exchange["body"])
    except (KeyError, TypeError, ValueError, binascii.Error):
        report(
            place.child("body"),
            "is not a body",
            "write {text: …}, {base64: …} or {repeat: {text: …, times: …}}, with before and after",
        )
        return PlainBody(b"", None)


def _read_body(written: Any) -> PlainBody | RepeatedBody:
    ((kind, value),) = written.items()
    if kind == "text":
        return plain_body(str(value).encode())
    if kind == "base64":
        return plain_body(base64.b64decode(value, validate=True))
    if kind == "repeat":
        text, times = str(value["text"]).encode(), int(value["times"])
        if len(text) * times > _MOST_REPEATED:
            raise ValueError("too large")
        before, after = (str(value.get(name, "")).encode() for name in ("before", "after"))
        return RepeatedBody(before, text, times, after)
    raise KeyError(kind)


def _lower(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): None if text is None else as_text(text) for name, text in headers.items()}


def _encoded(value: JSON) -> bytes:
    """Return a value as compact JSON, keys in the document's order."""
    return _ENCODER.encode(value).encode("utf-8", "surrogatepass")
