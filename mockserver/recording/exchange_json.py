"""Exchanges as readable JSON.

The body of a request is `json`, `text`, `base64` or `repeat`, that of a reply `json`, `text` or `events`; an empty body
is left out. `json` and an event's `data` are sent as compact JSON, keys in their order.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from typing import Any

import orjson

from agent_contract.messages import JSON, Event, Exchange, Reply, Request
from agent_contract.printable import shorten

_WIDTH = 110  # maximum length of a value on one line
_DEEP = 64  # a value of more levels is written as text
_LONG = 1000  # a longer body of one repeated byte is written as `repeat`


def exchange_json(exchange: Exchange) -> dict[str, JSON]:
    """Return an exchange as JSON: its request, then its reply."""
    return {"request": request_json(exchange.request), "reply": _reply(exchange.reply)}


def request_json(request: Request) -> dict[str, JSON]:
    """Return a request as JSON."""
    value: dict[str, JSON] = {"method": request.method, "path": request.path}
    if request.query:
        value["query"] = [[name, text] for name, text in request.query]
    return {**value, "headers": dict(request.headers), **body_json(request.body)}


def _reply(reply: Reply) -> dict[str, JSON]:
    # A loader sends the compact body and computes its length.
    headers: dict[str, JSON] = {name: text for name, text in reply.headers.items() if name != "content-length"}
    value: dict[str, JSON] = {"status": reply.status, "headers": headers}
    if isinstance(reply.body, bytes):
        return {**value, **body_json(reply.body)}
    return {**value, "events": events_json(reply.body)}


def events_json(events: Iterable[Event]) -> list[JSON]:
    """Return events as JSON."""
    return [_event(event) for event in events]


def body_json(body: bytes) -> dict[str, JSON]:
    """Return a body as JSON, under the name that says how it is written; nothing for an empty one."""
    if not body:
        return {}
    if len(body) > _LONG and body.count(body[:1]) == len(body):
        return {"repeat": {"text": body[:1].decode("latin-1"), "times": len(body)}}
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return {"base64": base64.b64encode(body).decode()}
    value = compact_json(text)
    return {"text": text} if value is None else {"json": value}


def _event(event: Event) -> dict[str, JSON]:
    text = event.data.decode()
    value = compact_json(text)
    named: dict[str, JSON] = {"event": event.name} if event.name else {}
    delayed: dict[str, JSON] = {"delay": event.delay} if event.delay else {}
    return {**named, "data": text if value is None else value, **delayed}


def compact_json(text: str) -> dict[str, JSON] | list[JSON] | None:
    """Return the object or list whose compact JSON is `text`; None if it can't be restored from it."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, (dict, list)) or _is_deep(value):
        return None
    return value if json.dumps(value, ensure_ascii=False, separators=(",", ":")) == text else None


def _is_deep(value: Any) -> bool:
    """Return whether a value is nested deeper than is readable; writing it would need as much of the stack."""
    level, depth = [value], 0
    while level and depth <= _DEEP:
        level = [
            part
            for one in level
            if isinstance(one, (dict, list))
            for part in (one.values() if isinstance(one, dict) else one)
        ]
        depth += 1
    return bool(level)


def excerpt(value: JSON, most: int) -> str:
    """Return a value as JSON text, cut after `most` characters; "…" if it can't be written."""
    try:
        text = orjson.dumps(value).decode()
    except TypeError:  # nested deeper than 254 levels, or an integer over 64 bits
        return "…"
    return shorten(text, most)


def pretty(value: JSON) -> str:
    """Return JSON text in ASCII, so that no character is invisible; short values and events are on one line each."""
    return _pretty(value, "", "") + "\n"


def _pretty(value: Any, indent: str, key: str) -> str:
    line = json.dumps(value)
    if not value or not isinstance(value, (dict, list)) or len(line) + len(indent) <= _WIDTH:
        return line
    inner = indent + "  "
    if isinstance(value, list):
        items = [json.dumps(item) if key == "events" else _pretty(item, inner, "") for item in value]
        opening, closing = "[]"
    else:
        items = [f"{json.dumps(name)}: {_pretty(item, inner, name)}" for name, item in value.items()]
        opening, closing = "{}"
    return opening + "\n" + ",\n".join(inner + item for item in items) + "\n" + indent + closing
