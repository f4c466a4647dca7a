"""Reads an operation's named request examples, and what each says of its exchange in `x-exchange`."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import orjson

from agent_contract.document import Document
from agent_contract.errors import Problem
from agent_contract.operations import Example, Operation, RequestBody
from agent_contract.parameters import MISSING, Parameter
from agent_contract.pointers import Place, parse
from agent_contract.values import JSON

Fault = Callable[[Place, str, str], None]

#: What `x-exchange` may say, and what JSON each is written as.
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
_NOUNS: Mapping[type, str] = {int: "a number", str: "a text", dict: "an object", bool: "true or false", list: "a list"}

_MOST_REPEATED = 100_000_000


def build_examples(
    document: Document, fault: Fault, body: RequestBody | None, method: str, parameters: tuple[Parameter, ...]
) -> Iterator[Example]:
    """Yield the examples of a request body; what is wrong with one is given to `fault`."""
    path = {
        parameter.name: _text(parameter.example)
        for parameter in parameters
        if parameter.place == "path" and parameter.example is not MISSING
    }
    for media in body.content.values() if body else ():
        holder = parse(media.pointer).child("examples")
        try:
            names = document.at(holder)
        except LookupError:
            continue
        for name in names if isinstance(names, dict) else ():
            place = document.follow(holder.child(name))
            value = document.at(place)
            if isinstance(value, dict):
                yield _example(fault, place, name, value, {"method": method, "path": path, "type": media.name})


def check_examples(document: Document, operation: Operation, clauses: Collection[str], problems: list[Problem]) -> None:
    """Add to `problems` the clauses and the other examples that an operation's examples name and that are not there."""
    names = {example.name: example for example in operation.examples}
    for example in operation.examples:
        place = parse(example.pointer).child("x-exchange")
        for index, clause in enumerate(example.shows):
            if clause not in clauses:
                here = place.child("shows", index)
                problems.append(document.problem(here, f"there is no clause {clause!r}", "correct its id"))
        if example.after and (example.after not in names or _goes_round(names, example)):
            said = f"there is no example {example.after!r} before this one"
            problems.append(document.problem(place.child("after"), said, "name an example that ends in a first one"))
        if example.set and not example.after:
            said = "'set' takes from the reply of an example before, and 'after' names none"
            problems.append(document.problem(place.child("set"), said, "add 'after'"))


def _goes_round(names: Mapping[str, Example], example: Example) -> bool:
    seen = {example.name}
    while example.after in names:
        if example.after in seen:
            return True
        seen.add(example.after)
        example = names[example.after]
    return False


def _exchange(fault: Fault, place: Place, written: Any) -> dict[str, Any]:
    """Return the settings of an exchange that are what they must be; the others are given to `fault`."""
    if not isinstance(written, dict):
        fault(place, "'x-exchange' must be an object", f"use {', '.join(SETTINGS)}")
        return {}
    exchange = {}
    for key, value in written.items():
        wanted = SETTINGS.get(key)
        if wanted is None:
            fault(place.child(key), f"{key!r} is no setting of an exchange", f"use one of {', '.join(SETTINGS)}")
        elif not isinstance(value, wanted) or (wanted is int and isinstance(value, bool)):
            fault(place.child(key), f"{key!r} must be {_NOUNS[wanted]}", f"write it as {_NOUNS[wanted]}")
        else:
            exchange[key] = value
    return exchange


def _example(fault: Fault, place: Place, name: str, value: Mapping[str, Any], default: Mapping[str, Any]) -> Example:
    here = place.child("x-exchange")
    exchange = _exchange(fault, here, value.get("x-exchange", {}))
    headers = {"content-type": default["type"], **_lower(exchange.get("headers", {}))}
    body, sent = _body(fault, here.child("body"), exchange["body"]) if "body" in exchange else (None, None)
    return Example(
        name=name,
        pointer=str(place),
        summary=str(value.get("summary", "")),
        value=value.get("value") if sent is None else body,
        body=_encoded(value["value"]) if sent is None and "value" in value else sent or b"",
        status=exchange.get("status", 200),
        media_type=exchange.get("media-type", "application/json"),
        method=exchange.get("method", default["method"]).upper(),
        path={**default["path"], **{key: _text(text) for key, text in exchange.get("path", {}).items()}},
        query=tuple((key, _text(text)) for key, text in exchange.get("query", {}).items()),
        headers={key: text for key, text in headers.items() if text is not None},
        requires_token=exchange.get("requires-token", False),
        after=exchange.get("after", ""),
        set={key: str(text) for key, text in exchange.get("set", {}).items()},
        shows=tuple(str(clause) for clause in exchange.get("shows", ())),
        declared="x-exchange" in value,
    )


def _body(fault: Fault, place: Place, written: Any) -> tuple[JSON, bytes]:
    """Return the value and the bytes of a body that is not written as a value; the value is None for no JSON."""
    try:
        body = _bytes(written)
    except (KeyError, TypeError, ValueError, binascii.Error):
        fault(place, "is no body", "write {text: …}, {base64: …} or {repeat: {text: …, times: …}}")
        return None, b""
    try:
        return orjson.loads(body), body
    except ValueError:
        return None, body


def _bytes(written: Any) -> bytes:
    ((kind, value),) = written.items()
    if kind == "text":
        return str(value).encode()
    if kind == "base64":
        return base64.b64decode(value, validate=True)
    if kind == "repeat":
        text, times = str(value["text"]).encode(), int(value["times"])
        if len(text) * times > _MOST_REPEATED:
            raise ValueError("too large")
        return text * times
    raise KeyError(kind)


def _lower(headers: Mapping[str, Any]) -> dict[str, Any]:
    return {name.lower(): None if text is None else _text(text) for name, text in headers.items()}


def _text(value: Any) -> str:
    """Return a value as it is written into a path, a query or a header."""
    return value if isinstance(value, str) else json.dumps(value)


def _encoded(value: JSON) -> bytes:
    """Return a value as compact JSON, keys in the document's order."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")
